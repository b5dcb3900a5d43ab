//! Failures that go on: the order ends right all the same.

use super::{CAPTURED, CHARGES, KEPT, REFUNDS};
use orders::v1::{CompensationOutcome, CompensationStep, Order, OrderState, PaymentState, Step};
use orders_test_support::{Placing, ServerOptions, TestServer, TestTemporal, sku};
use std::time::{Duration, SystemTime};

/// Seed 003: half of the orders missed its own 15 seconds, when a third of all attempts fail and a third
/// hang. Here all are in time. (A hundred of them are in `shipping_lane`.)
#[tokio::test]
async fn defect_11_every_order_ends_within_fifteen_seconds() {
    let options = ServerOptions::default()
        .arg("--simulate")
        .arg("all:error=0.33,hang=0.33");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placings: Vec<Placing> = (0..10)
        .map(|_| Placing::new("shipping-lane", &sku))
        .collect();
    for placing in &placings {
        client.place(placing.clone()).await;
    }
    for placing in &placings {
        let id = placing.id();
        let order = client.until(&id, OrderState::Completed).await;
        assert!(took(&order) < Duration::from_secs(15), "{:?}", took(&order));
        assert_eq!(server.count(CHARGES, &id).await, 1);
        assert_eq!(server.count(CAPTURED, &id).await, 1_999);
    }
}

fn took(order: &Order) -> Duration {
    let at = |time: Option<prost_types::Timestamp>| SystemTime::try_from(time.unwrap()).unwrap();
    let (placed, closed) = (at(order.place_time), at(order.close_time));
    closed.duration_since(placed).unwrap()
}

/// Seed 004: compensation gave up after five attempts and called the order consistent. Here it asks for
/// a person's attention and goes on until the money is back.
#[tokio::test]
async fn defect_12_a_compensation_never_gives_up() {
    let temporal = TestTemporal::start().await;
    let data = tempfile::TempDir::new().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address)
        .data_dir(data.path())
        .policies();
    let server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30).policy("quick-hold");
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    assert_eq!(server.stop().await, Some(0));

    let failing = options.clone().arg("--simulate").arg("payment:error=1");
    let server = TestServer::start(failing).await;
    let client = server.client().await;
    client.cancel(&id).await.unwrap();
    let often = |order: &Order| order.attention.as_ref().is_some_and(|a| a.attempts > 5);
    let order = client.until_that(&id, "more than 5 attempts", often).await;
    assert_eq!(order.state(), OrderState::Cancelling);
    assert!(order.close_time.is_none(), "owing money, it is not closed");
    let attention = order.attention.unwrap();
    assert_eq!(attention.step(), Step::RefundPayment);
    assert!(attention.last_error.contains("simulated"));
    assert!(attention.since.is_some());
    let refund = &order.compensations[1];
    assert_eq!(refund.outcome(), CompensationOutcome::Pending);
    assert_eq!(server.count(KEPT, &id).await, 1_999);
    assert_eq!(server.stop().await, Some(0));

    let server = TestServer::start(options).await;
    let client = server.client().await;
    let order = client.until(&id, OrderState::Cancelled).await;
    assert!(order.attention.is_none());
    let refund = &order.compensations[1];
    assert_eq!(refund.step(), CompensationStep::RefundPayment);
    assert_eq!(refund.outcome(), CompensationOutcome::Done);
    assert!(refund.attempts > 6, "{refund:?}");
    assert_eq!(order.payment.unwrap().state(), PaymentState::Refunded);
    assert_eq!(server.count(REFUNDS, &id).await, 1);
    assert_eq!(server.count(KEPT, &id).await, 0);
}
