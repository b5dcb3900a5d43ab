//! Requests as bytes through the wire, by whatever RPC takes them.

use super::corpus::{CONTRACT, Case};
use orders::v1;
use orders_test_support::{
    Placing, ServerOptions, TestServer, eventually, sku, temporal, unique, wire::Raw,
};
use prost::Message;
use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage, Value};
use std::collections::BTreeSet;
use tonic::{Request, Status, client::Grpc, transport::Channel};

/// A client of every RPC.
pub struct Sender {
    grpc: Grpc<Channel>,
}

impl Sender {
    /// Connects to `host:port`.
    pub async fn connect(address: &str) -> Sender {
        let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint.connect().await.unwrap();
        Sender {
            grpc: Grpc::new(channel),
        }
    }

    /// Sends a request to the RPC that takes it.
    pub async fn send(&mut self, message: &str, bytes: &[u8]) -> Result<(), Status> {
        let method = method(message);
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        self.grpc.ready().await.unwrap();
        let request = Request::new(bytes.to_vec());
        let path = path.parse().unwrap();
        if method.is_server_streaming() {
            return self
                .grpc
                .server_streaming(request, path, Raw)
                .await
                .map(drop);
        }
        self.grpc.unary(request, path, Raw).await.map(drop)
    }

    /// Sends a case of the corpus under a request id that was never used, unless the case is about
    /// the request id.
    pub async fn send_as_new(&mut self, case: &Case) -> Result<(), Status> {
        let descriptor = CONTRACT.get_message_by_name(&case.message).unwrap();
        let mut request = DynamicMessage::decode(descriptor, &*case.bytes).unwrap();
        let has_id = request
            .descriptor()
            .get_field_by_name("request_id")
            .is_some();
        if has_id && !case.changed.iter().any(|path| path == "request_id") {
            request.set_field_by_name("request_id", Value::String(unique("corpus")));
        }
        self.send(&case.message, &request.encode_to_vec()).await
    }

    /// Makes every sku known that these cases order.
    pub async fn stock_all(&mut self, cases: &[Case]) {
        let orders = cases
            .iter()
            .filter(|case| case.message == "orders.v1.PlaceOrderRequest");
        let orders = orders.map(|case| v1::PlaceOrderRequest::decode(&*case.bytes).unwrap());
        let items = orders.flat_map(|order| order.line_items);
        for sku in items.map(|item| item.sku).collect::<BTreeSet<_>>() {
            let item = v1::StockItem {
                sku,
                on_hand: Some(1_000),
                ..Default::default()
            };
            let request = v1::SetStockItemRequest {
                stock_item: Some(item),
                request_id: unique("stock"),
                actor: String::new(),
                expected_revision: None,
            };
            self.send("orders.v1.SetStockItemRequest", &request.encode_to_vec())
                .await
                .unwrap();
        }
    }
}

fn method(message: &str) -> MethodDescriptor {
    let services = CONTRACT.services();
    let mut methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods
        .find(|method| method.input().full_name() == message)
        .unwrap()
}

/// A server of one's own, in which nothing is stored yet.
pub async fn start() -> TestServer {
    let server = TestServer::start(ServerOptions::default()).await;
    assert_eq!(rows(&server).await, 0);
    server
}

async fn rows(server: &TestServer) -> i64 {
    let rows = "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM order_events)
        + (SELECT count(*) FROM requests) + (SELECT count(*) FROM payments)
        + (SELECT count(*) FROM stock) + (SELECT count(*) FROM notifications)
        WHERE $1 = ''";
    server.count(rows, "").await
}

/// Nothing is stored, and Temporal was asked for nothing: the one workflow that it knows, once it
/// knows it, is that of an order which is placed only now.
pub async fn assert_nothing_is_left(server: &TestServer) {
    assert_eq!(rows(server).await, 0, "a refused request left a row");
    let (client, sku) = (server.client().await, sku());
    client.stock(&sku, 1).await;
    client.place(Placing::new("standard", &sku)).await;
    assert!(rows(server).await > 0, "rows are not counted");
    let address = server.temporal_address();
    let workflows = eventually("the workflow of a good order", async || {
        let count = temporal::count(&address, "").await;
        (count > 0).then_some(count)
    })
    .await;
    assert_eq!(workflows, 1, "a refused request started a workflow");
}
