//! Long waits, on the Temporal that skips time: days pass in milliseconds.

use orders::v1::{CloseReason, OrderState, PaymentState, ReviewDecision};
use orders_test_support::{Placing, ServerOptions, TestServer, TimeSkipping, sku};
use std::time::{Duration, Instant};

async fn start() -> (TimeSkipping, TestServer) {
    let temporal = TimeSkipping::start().await;
    let server = TestServer::start(ServerOptions::with_temporal(&temporal.address)).await;
    (temporal, server)
}

#[tokio::test]
async fn ninety_seven_days_without_fulfilment_cancel_and_refund() {
    let (temporal, server) = start().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 90);
    let id = placing.id();
    client.place(placing).await;
    let held = client.until(&id, OrderState::AwaitingRelease).await;
    let began = Instant::now();
    temporal.skip().await;
    let order = client.until(&id, OrderState::Cancelled).await;
    println!("97 days passed in {:?}", began.elapsed());
    assert_eq!(order.close_reason(), CloseReason::ReleaseDeadlinePassed);
    assert_eq!(order.payment.unwrap().state(), PaymentState::Refunded);
    assert_eq!(client.stock_item(&sku).await.available, 1);
    let closed = order.close_time.unwrap().seconds;
    assert!(closed >= held.deadline.unwrap().expire_time.unwrap().seconds);
}

#[tokio::test]
async fn a_pickup_that_is_late_is_reminded_of_every_day() {
    let (temporal, server) = start().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 90);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    client.start_fulfillment(&id).await.unwrap();
    let mut reminded = 0;
    for day in 1..=3 {
        temporal.pass(Duration::from_secs(24 * 3600 + 60)).await;
        orders_test_support::eventually("a reminder", async || {
            let types = client.event_types(&id).await;
            reminded = types
                .iter()
                .filter(|name| *name == "PICKUP_REMINDED")
                .count();
            (reminded >= day).then_some(())
        })
        .await;
    }
    let told = "SELECT count(*) FROM notifications WHERE order_id = $1 AND milestone LIKE 'pickup_reminder/%'";
    assert_eq!(server.count(told, &id).await, reminded as i64);
    client.confirm_pickup(&id).await.unwrap();
    client.confirm_delivery(&id).await.unwrap();
    client.until(&id, OrderState::Completed).await;
}

#[tokio::test]
async fn the_presets_complete_seven_days_after_shipping() {
    let (temporal, server) = start().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    for policy in ["standard", "approval"] {
        let placing = Placing::new(policy, &sku);
        let id = placing.id();
        client.place(placing).await;
        let shipped = client.until(&id, OrderState::InTransit).await;
        temporal
            .pass(Duration::from_secs(7 * 24 * 3600 - 3600))
            .await;
        assert_eq!(client.get(&id).await.state(), OrderState::InTransit);
        temporal.pass(Duration::from_secs(2 * 3600)).await;
        let order = client.until(&id, OrderState::Completed).await;
        let shipped = shipped.shipment.unwrap().ship_time.unwrap().seconds;
        let days = (order.close_time.unwrap().seconds - shipped) / 86_400;
        assert_eq!(days, 7, "{policy}");
    }
}

#[tokio::test]
async fn nobody_reviews_for_a_day() {
    let (temporal, server) = start().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    for policy in ["standard", "approval"] {
        let placing = Placing::new(policy, &sku).price(6_000, 0);
        let id = placing.id();
        client.place(placing).await;
        client.until(&id, OrderState::AwaitingApproval).await;
        temporal.pass(Duration::from_secs(25 * 3600)).await;
        let order = client.until(&id, OrderState::Rejected).await;
        assert_eq!(
            order.close_reason(),
            CloseReason::ApprovalTimeout,
            "{policy}"
        );
        let refused = client
            .review(&id, ReviewDecision::Approve)
            .await
            .unwrap_err();
        assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED");
        assert_eq!(client.stock_item(&sku).await.available, 1);
    }
}

#[tokio::test]
async fn a_release_taken_in_time_never_meets_its_deadline() {
    let (temporal, server) = start().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 1);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    client.start_fulfillment(&id).await.unwrap();
    client.confirm_pickup(&id).await.unwrap();
    temporal.pass(Duration::from_secs(30 * 24 * 3600)).await;
    assert_eq!(client.get(&id).await.state(), OrderState::InTransit);
    let types = client.event_types(&id).await;
    assert!(!types.contains(&"DEADLINE_PASSED".to_owned()), "{types:?}");
}
