//! Reads do not need Temporal: the same answers without a worker, and without Temporal at all. A
//! STRONG read does, and says so in time.

use orders::v1::OrderState;
use orders_test_support::{
    Client, Placing, Refused, ServerOptions, TestServer, TestTemporal, Wire, sku, unique,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tonic::Code;

/// Of an order that waits, and of one that is closed.
struct Known {
    open: String,
    closed: String,
    requests: Vec<(&'static str, Value)>,
}

impl Known {
    async fn prepare(client: &Client) -> Known {
        let (sku, customer) = (sku(), unique("customer"));
        client.stock(&sku, 9).await;
        let placings = [(); 2].map(|()| {
            let mut placing = Placing::pre_order(&sku, 30);
            placing.0.customer_id.clone_from(&customer);
            placing
        });
        let [open, closed] = placings.each_ref().map(Placing::id);
        for placing in placings {
            client.place(placing).await;
        }
        for id in [&open, &closed] {
            client.until(id, OrderState::AwaitingRelease).await;
        }
        client.cancel(&closed).await.unwrap();
        client.until(&closed, OrderState::Cancelled).await;
        let filter = format!("customer_id = \"{customer}\"");
        let requests = vec![
            ("GetOrder", json!({"order_id": open})),
            ("GetOrder", json!({"order_id": closed})),
            (
                "GetOrder",
                json!({"order_id": closed, "consistency": "CONSISTENCY_STRONG"}),
            ),
            ("ListOrderEvents", json!({"order_id": open})),
            ("ListOrderEvents", json!({"order_id": closed})),
            ("ListOrders", json!({"filter": filter})),
            ("GetStockItem", json!({"sku": sku})),
            ("ListStockItems", json!({})),
            ("ListSupplierOrders", json!({})),
            ("ListPolicies", json!({})),
        ];
        Known {
            open,
            closed,
            requests,
        }
    }

    /// Every answer, but for how long the open order still waits: that is another one each time.
    async fn read(&self, wire: &Wire) -> Vec<Value> {
        let mut answers = Vec::new();
        for (rpc, request) in &self.requests {
            let began = Instant::now();
            let mut body = wire.call(rpc, request, None).await.unwrap().body;
            let took = began.elapsed();
            assert!(
                took < Duration::from_secs(5),
                "{rpc} {request} took {took:?}"
            );
            forget_remaining(&mut body);
            answers.push(body);
        }
        answers
    }

    /// A STRONG read of the open order is refused in time, whatever time the caller has.
    async fn assert_no_strong_read(&self, wire: &Wire, why: &str) {
        let request = json!({"order_id": self.open, "consistency": "CONSISTENCY_STRONG"});
        for (timeout, most) in [(None, 9), (Some("60S"), 9), (Some("4S"), 4)] {
            let began = Instant::now();
            let status = wire.call("GetOrder", &request, timeout).await.unwrap_err();
            let took = began.elapsed();
            println!("{why}, {timeout:?}: refused after {took:?}");
            let refused = Refused::from(status);
            let expected = (Code::Unavailable, "TEMPORAL_UNAVAILABLE");
            assert_eq!(
                (refused.code, refused.reason.as_str()),
                expected,
                "{why} {timeout:?}"
            );
            assert!(refused.details.retry_info().is_some());
            assert!(
                took < Duration::from_secs(most),
                "{why} {timeout:?}: {took:?}"
            );
        }
    }
}

fn forget_remaining(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("remaining");
            fields.values_mut().for_each(forget_remaining);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_remaining),
        _ => {}
    }
}

#[tokio::test]
async fn without_a_worker_and_without_temporal_the_answers_are_the_same() {
    let mut temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address).data_dir(folder.path());
    let server = TestServer::start(options.clone()).await;
    let known = Known::prepare(&server.client().await).await;
    let before = known.read(&Wire::connect(&server.address).await).await;
    assert_eq!(before[1]["order"]["orderId"], known.closed);
    assert_eq!(before[5]["orders"].as_array().map(Vec::len), Some(2));
    // Its worker must be gone before the next one is asked.
    assert_eq!(server.stop().await, Some(0));

    let server = TestServer::start(options.arg("--no-worker")).await;
    let wire = Wire::connect(&server.address).await;
    assert_eq!(known.read(&wire).await, before, "without a worker");
    known.assert_no_strong_read(&wire, "without a worker").await;

    temporal.process.kill();
    assert_eq!(known.read(&wire).await, before, "without Temporal");
    known.assert_no_strong_read(&wire, "without Temporal").await;
    assert_eq!(known.read(&wire).await, before, "after the strong reads");
}
