//! Stock that must come back, and answers that are refusals and no failures.

use super::{CAPTURED, CHARGES, MOVEMENTS};
use orders::v1::{CloseReason, Order, OrderState};
use orders_test_support::{Placing, ServerOptions, TestServer, shared, sku};

/// Seed 001: when nobody paid in time, the stock stayed reserved for ever. Here it is free again.
#[tokio::test]
async fn defect_05_when_nobody_pays_the_stock_is_free_again() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let placing = Placing::new("quick-external", &sku).quantity(2);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    assert_eq!(client.stock_item(&sku).await.available, 0);
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentTimeout);
    let stock = client.stock_item(&sku).await;
    assert_eq!(
        (stock.on_hand(), stock.reserved, stock.available),
        (2, 0, 2)
    );
    let held = "SELECT count(*) FROM reservations WHERE order_id = $1 AND state = 'RESERVED'";
    assert_eq!(server.count(held, &id).await, 0);
    // Somebody else can have them.
    let next = Placing::new("standard", &sku).quantity(2);
    let id = next.id();
    client.place(next).await;
    client.until(&id, OrderState::InTransit).await;
}

/// Seed 002: after a lost answer the retry took its own order for a duplicate: the stock was taken,
/// nothing charged or shipped. Here the retry finds what the first attempt did, and goes on.
#[tokio::test]
async fn defect_06_a_retry_after_a_lost_answer_is_no_duplicate() {
    let options = ServerOptions::default()
        .policies()
        .arg("--simulate")
        .arg("inventory:lost=0.4");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    // With given ids the same answers are lost in every run.
    let ids: Vec<String> = (0..6).map(|n| format!("lost-{n}")).collect();
    for id in &ids {
        let mut placing = Placing::new("quick-approval", &sku).token("tok-lost-answer");
        placing.0.order_id.clone_from(id);
        client.place(placing).await;
    }
    let mut lost_reservations = 0;
    for id in &ids {
        let order = client.until(id, OrderState::Completed).await;
        assert_eq!(order.close_reason(), CloseReason::Completed);
        assert_eq!(server.count(CHARGES, id).await, 1);
        assert_eq!(server.count(CAPTURED, id).await, 1_999);
        let shipped = "SELECT count(*) FROM shipments WHERE order_id = $1 AND state = 'DISPATCHED'";
        assert_eq!(server.count(shipped, id).await, 1);
        let reserved = "SELECT CAST(sum(quantity) AS BIGINT) FROM reservations WHERE order_id = $1";
        assert_eq!(server.count(reserved, id).await, 1);
        let lost = "SELECT count(*) FROM order_events WHERE order_id = $1
                    AND type = 'ATTEMPT_FAILED' AND body LIKE '%reserve_inventory%'";
        lost_reservations += server.count(lost, id).await;
    }
    assert!(lost_reservations > 0, "the simulation lost no answer");
    let stock = client.stock_item(&sku).await;
    assert_eq!((stock.on_hand(), stock.reserved), (4, 0));
}

/// Seed 004: a declined card and missing stock were tried again like failures that pass. Here each is
/// asked for once.
#[tokio::test]
async fn defect_13_a_refusal_is_asked_for_once() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let declined = Placing::new("approval", &sku).token("tok-declined");
    let id = declined.id();
    client.place(declined).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentDeclined);
    let story = [
        "PLACED",
        "INVENTORY_RESERVED",
        "PAYMENT_DECLINED",
        "COMPENSATED",
        "CLOSED",
    ];
    assert_eq!(client.event_types(&id).await, story);
    assert_eq!(server.count(MOVEMENTS, &id).await, 0);
    assert_no_second_attempt(&order);

    let too_many = Placing::new("approval", &sku).quantity(2);
    let id = too_many.id();
    client.place(too_many).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::OutOfStock);
    let story = ["PLACED", "OUT_OF_STOCK", "CLOSED"];
    assert_eq!(client.event_types(&id).await, story);
    let reserved = "SELECT count(*) FROM reservations WHERE order_id = $1";
    assert_eq!(server.count(reserved, &id).await, 0);
    assert_no_second_attempt(&order);
}

/// A second attempt would have shown as the attention's step, or as a failed attempt of the undo.
fn assert_no_second_attempt(order: &Order) {
    assert!(order.attention.is_none());
    for compensation in &order.compensations {
        assert_eq!(compensation.attempts, 1, "{compensation:?}");
    }
}
