//! A server that is started with another task queue than before: the workflows that wait on the old one are not
//! its own to serve, and not somebody else's either.

use orders::v1::{OrderState, WaitsFor};
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, TestTemporal, order::dollars, sku, temporal, unique,
};
use std::path::Path;
use tonic::Code;

async fn start(temporal: &TestTemporal, data: &Path, args: &[&str]) -> (TestServer, Client) {
    let mut options = ServerOptions::with_temporal(&temporal.address).data_dir(data);
    for arg in args {
        options = options.arg(arg);
    }
    let server = TestServer::start(options).await;
    let client = server.client().await;
    (server, client)
}

#[tokio::test]
async fn a_workflow_on_another_task_queue_is_left_alone_and_keeps_its_signals() {
    let (temporal, folder) = (TestTemporal::start().await, tempfile::tempdir().unwrap());
    let (server, client) = start(&temporal, folder.path(), &[]).await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let mut placing = Placing::new("external-payment", &sku);
    placing.0.payment_method = None;
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    assert_eq!(server.stop().await, Some(0));

    // Acknowledged, and read by nobody yet.
    let (server, client) = start(&temporal, folder.path(), &["--no-worker"]).await;
    let bank = unique("bank");
    let total = dollars(19, 990_000_000);
    client.signal_payment(&id, &bank, total).await.unwrap();
    assert_eq!(server.stop().await, Some(0));

    let (server, client) = start(&temporal, folder.path(), &["--task-queue", "orders2"]).await;
    // Brings back a workflow that is gone; this one is not.
    let refused = client.retry(&id).await.unwrap_err();
    assert_eq!(refused.code, Code::FailedPrecondition, "{refused:?}");
    let said = server.process.line_with("wait on another task queue");
    let said = said.expect("a line about the other task queue");
    assert!(said.contains("orders worker --task-queue"), "{said}");
    let told = client.explain(&id).await;
    assert_eq!(told.workflow.unwrap().status, "RUNNING");
    assert_eq!(told.waits_for, i32::from(WaitsFor::Command));
    let workflow = format!("order/{id}");
    let queue = temporal::task_queue_of(&temporal.address, &workflow).await;
    assert_eq!(queue, "orders");
    // A new order runs on the new one.
    let other = client.held(&sku).await;
    let queue = temporal::task_queue_of(&temporal.address, &format!("order/{other}")).await;
    assert_eq!(queue, "orders2");
    assert_eq!(server.stop().await, Some(0));

    let (server, client) = start(&temporal, folder.path(), &[]).await;
    client.until(&id, OrderState::InTransit).await;
    assert_eq!(client.count_events(&id, "PAYMENT_CONFIRMED").await, 1);
    let history = temporal::history(&temporal.address, &id).await;
    let ended = history.iter().find(|name| name.contains("TERMINATED"));
    assert_eq!(ended, None, "{history:?}");
    assert_eq!(server.stop().await, Some(0));
}
