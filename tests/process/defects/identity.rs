//! Ids, and a log that cannot disagree with its order.

use super::{CHARGES, KEPT, assert_row_and_log_agree};
use futures::future::join_all;
use orders::v1::{OrderState, PlaceOrderRequest};
use orders_test_support::{Placing, ServerOptions, TestServer, TestTemporal, shared, sku, unique};
use std::collections::BTreeSet;
use tonic::Code;

/// Seed 002: only the id of the last order was remembered. Here an order is known for ever: after many
/// others, and after a restart.
#[tokio::test]
async fn defect_07_an_order_is_known_again_after_many_others_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default().data_dir(&folder.path().join("data"));
    let server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 100).await;
    let first = Placing::new("standard", &sku);
    client.place(first.clone()).await;
    let others = (0..20).map(|_| client.place(Placing::new("standard", &sku)));
    join_all(others).await;
    client.until(&first.id(), OrderState::InTransit).await;
    assert_known(&server, &first).await;
    assert_eq!(server.stop().await, Some(0));

    let server = TestServer::start(options).await;
    assert_known(&server, &first).await;
    assert_eq!(server.count(CHARGES, &first.id()).await, 1);
}

async fn assert_known(server: &TestServer, first: &Placing) {
    let client = server.client().await;
    let again = client.orders.clone().place_order(first.0.clone()).await;
    let again = again.unwrap();
    assert_eq!(again.metadata().get("orders-replayed").unwrap(), "true");
    assert_eq!(again.into_inner().order.unwrap().order_id, first.id());
    // The same order, asked for by somebody who has lost the request's id.
    let mut other_request = first.clone();
    other_request.0.request_id = unique("place");
    assert_eq!(client.place(other_request).await.order_id, first.id());
    let mut other_content = first.clone().quantity(7);
    other_content.0.request_id = unique("place");
    let refused = client.try_place(other_content).await.unwrap_err();
    let expected = (Code::AlreadyExists, "ORDER_ID_EXISTS");
    assert_eq!((refused.code, refused.reason.as_str()), expected);
    let rows = "SELECT count(*) FROM orders WHERE order_id = $1";
    assert_eq!(server.count(rows, &first.id()).await, 1);
}

/// Seed 003: the order's row and its event were two transactions, and a cancel had no event. Here they
/// are one: killed right after any commit, row and log agree, and the cancel is in both.
#[tokio::test]
async fn defect_15_the_row_and_its_log_agree_whenever_the_process_dies() {
    let temporal = TestTemporal::start().await;
    let points = ["record_command", "release_reservation", "refund_payment"];
    join_all(points.map(|point| killed_after(&temporal, point))).await;
}

async fn killed_after(temporal: &TestTemporal, point: &str) {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address)
        .data_dir(folder.path())
        .arg("--task-queue")
        .arg(&unique(point));
    // Providers that ask for a moment have each step committed for itself.
    let options = options.arg("--simulate").arg("all:latency=1ms");
    let doomed = options.clone().env("ORDERS_TEST_ABORT_AFTER", point);
    let mut server = TestServer::start(doomed).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    // The server may die before it answers.
    let request = orders::v1::CancelOrderRequest {
        order_id: id.clone(),
        request_id: unique("cancel"),
        reason: "changed my mind".to_owned(),
        ..Default::default()
    };
    let _ = client.orders.clone().cancel_order(request).await;
    assert_eq!(server.ended().await, None, "{point}: aborted, not ended");
    let cancels = "SELECT count(*) FROM order_events
                   WHERE order_id = $1 AND type = 'CANCEL_REQUESTED'";
    assert_eq!(server.count(cancels, &id).await, 1, "{point}");
    assert_row_and_log_agree(&server, &id).await;

    let server = TestServer::start(options).await;
    let client = server.client().await;
    client.until(&id, OrderState::Cancelled).await;
    assert_row_and_log_agree(&server, &id).await;
    assert_eq!(server.count(cancels, &id).await, 1, "{point}");
    assert_eq!(server.count(KEPT, &id).await, 0, "{point}");
}

/// Seed 001: an order's id was the second of its placing, so two orders in one second were one. Here
/// fifty orders of the same moment are fifty.
#[tokio::test]
async fn defect_16_orders_of_the_same_moment_have_ids_of_their_own() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 50).await;
    let placing = || PlaceOrderRequest {
        order_id: String::new(),
        ..Placing::new("external-payment", &sku).0
    };
    let orders = join_all((0..50).map(|_| client.place(placing()))).await;
    let ids: BTreeSet<&str> = orders.iter().map(|order| order.order_id.as_str()).collect();
    assert_eq!(ids.len(), 50);
    let payments = orders.iter().map(|order| order.payment.as_ref().unwrap());
    let payments: BTreeSet<&str> = payments.map(|p| p.payment_id.as_str()).collect();
    assert_eq!(payments.len(), 50);
    for id in ids {
        client.until(id, OrderState::AwaitingPayment).await;
    }
    assert_eq!(client.stock_item(&sku).await.reserved, 50);
}
