//! A hundred at once: one effect, every answer right, and all but one told that it was not theirs.

use futures::future::join_all;
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, TestTemporal, Wire, process::Process, shared, sku,
    unique, wire::Answer,
};
use serde_json::{Value, json};
use std::process::Command;

const CALLS: usize = 100;

/// The answers to the same request, sent to these servers in turn.
async fn at_once(wires: &[Wire], rpc: &str, request: &Value) -> Vec<Answer> {
    let calls = (0..CALLS).map(|number| wires[number % wires.len()].call(rpc, request, None));
    let answers = join_all(calls).await;
    let answers: Vec<Answer> = answers.into_iter().map(Result::unwrap).collect();
    let own = answers.iter().filter(|answer| !answer.is_replayed());
    assert_eq!(
        own.count(),
        1,
        "{rpc}: one of {CALLS} was not answered before"
    );
    answers
}

async fn start_at_once(server: &TestServer, client: &Client, wires: &[Wire]) {
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let before = client.get(&id).await.revision;
    let request = json!({"order_id": id, "request_id": unique("start"), "actor": "grace"});
    for answer in at_once(wires, "StartFulfillment", &request).await {
        let order = &answer.body["order"];
        assert_eq!(
            order["order_id"].as_str().or(order["orderId"].as_str()),
            Some(id.as_str())
        );
        assert_eq!(order["state"], "ORDER_STATE_IN_FULFILLMENT");
        let revision = order["revision"].as_str().unwrap().parse::<i64>().unwrap();
        assert!(revision > before);
    }
    assert_eq!(client.count_events(&id, "FULFILLMENT_STARTED").await, 1);
    let requests = "SELECT count(*) FROM requests WHERE request_id = $1";
    let request_id = request["request_id"].as_str().unwrap();
    assert_eq!(server.count(requests, request_id).await, 1);
}

#[tokio::test]
async fn a_hundred_times_the_same_command() {
    let server = shared().await;
    let wire = Wire::connect(&server.address).await;
    start_at_once(server, &server.client().await, &[wire]).await;
}

/// Two servers, and the orders are run by a third process: what was committed is only found in the
/// database.
#[tokio::test]
async fn a_hundred_times_the_same_command_to_two_servers() {
    let temporal = TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address).arg("--no-worker");
    let folder = tempfile::tempdir().unwrap();
    let mut worker = Command::new(env!("CARGO_BIN_EXE_orders"));
    worker
        .args([
            "worker",
            "--temporal-address",
            &temporal.address,
            "--data-dir",
        ])
        .arg(folder.path());
    worker.envs(orders_test_support::server::database_env(folder.path()));
    let _worker = Process::spawn(worker);
    let options = options.data_dir(folder.path());
    let (first, second) = tokio::join!(
        TestServer::start(options.clone()),
        TestServer::start(options.clone())
    );
    let wires = [
        Wire::connect(&first.address).await,
        Wire::connect(&second.address).await,
    ];
    start_at_once(&first, &first.client().await, &wires).await;
}

#[tokio::test]
async fn a_hundred_times_the_same_placing() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let order = Placing::new("external-payment", &sku).0;
    let request = json!({
        "request_id": order.request_id,
        "order_id": order.order_id,
        "customer_id": "ada",
        "policy": "external-payment",
        "line_items": [{
            "sku": sku, "quantity": 1, "unit_price": {"currency_code": "USD", "units": 1},
        }],
        "shipping_address":
            {"line1": "1 Main St", "city": "Boston", "postal_code": "02101", "country_code": "US"},
    });
    let wire = Wire::connect(&server.address).await;
    at_once(&[wire], "PlaceOrder", &request).await;
    assert_eq!(client.count_events(&order.order_id, "PLACED").await, 1);
}

#[tokio::test]
async fn a_hundred_times_the_same_count() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let request = json!({
        "request_id": unique("stock"), "stock_item": {"sku": sku, "on_hand": 7, "reorder_point": 1},
    });
    let wire = Wire::connect(&server.address).await;
    for answer in at_once(&[wire], "SetStockItem", &request).await {
        assert_eq!(answer.body["stockItem"]["onHand"], "7");
    }
    let item = client.stock_item(&sku).await;
    assert_eq!((item.on_hand(), item.reorder_point()), (7, 1));
}

#[tokio::test]
async fn a_hundred_times_the_same_difference() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let request = json!({
        "request_id": unique("adjust"), "sku": sku, "delta": 3, "reason": "goods received",
    });
    let wire = Wire::connect(&server.address).await;
    for answer in at_once(&[wire], "AdjustStock", &request).await {
        assert_eq!(answer.body["stockItem"]["onHand"], "8");
    }
    assert_eq!(client.stock_item(&sku).await.on_hand(), 8);
}
