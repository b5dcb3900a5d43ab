//! The policy `standard`: screen, reserve, authorize, review, capture, ship.

use orders::v1::{
    CloseReason, CompensationStep, OrderState, PaymentState, ReservationState, ReviewDecision,
    ShipmentState,
};
use orders_test_support::{Placing, eventually, shared, sku};

#[tokio::test]
async fn it_ships_and_completes_by_itself() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 3).await;
    let placing = Placing::new("quick-standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Completed).await;
    assert_eq!(order.payment.unwrap().state(), PaymentState::Captured);
    let shipment = order.shipment.unwrap();
    assert_eq!(shipment.state(), ShipmentState::Delivered);
    assert!(!shipment.tracking_number.is_empty());
    assert!(shipment.estimated_delivery_time.is_some());
    let types = client.event_types(&id).await;
    let expected = [
        "PLACED",
        "SCREENED",
        "INVENTORY_RESERVED",
        "PAYMENT_AUTHORIZED",
        "FULFILLMENT_STARTED",
        "PAYMENT_CAPTURED",
        "SHIPPED",
        "RESERVATION_COMMITTED",
        "DEADLINE_PASSED",
        "CLOSED",
    ];
    assert_eq!(types, expected);
    let stock = client.stock_item(&sku).await;
    assert_eq!((stock.on_hand(), stock.reserved), (2, 0));
}

#[tokio::test]
async fn the_preset_waits_for_its_delivery_and_can_be_confirmed_early() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 3).await;
    let placing = Placing::new("standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::InTransit).await;
    let left = order.deadline.unwrap().remaining.unwrap().seconds;
    assert!(
        (7 * 86_400 - 60..=7 * 86_400).contains(&left),
        "{left} s are not 7 days"
    );
    let refused = client.cancel(&id).await.unwrap_err();
    assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED");
    client.confirm_delivery(&id).await.unwrap();
    client.until(&id, OrderState::Completed).await;
}

#[tokio::test]
async fn fraud_is_refused_before_any_money_moves() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 3).await;
    let placing = Placing::new("standard", &sku).token("tok-fraud");
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::Fraud);
    assert_eq!(order.payment.unwrap().state(), PaymentState::None);
    assert_eq!(
        client.event_types(&id).await,
        ["PLACED", "FRAUD_DETECTED", "CLOSED"]
    );
}

#[tokio::test]
async fn a_declined_card_gives_the_stock_back() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 3).await;
    let placing = Placing::new("standard", &sku).token("tok-declined");
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentDeclined);
    assert_eq!(
        order.reservation.unwrap().state(),
        ReservationState::Released
    );
    let steps: Vec<_> = order.compensations.iter().map(|c| c.step()).collect();
    assert_eq!(steps, [CompensationStep::ReleaseReservation]);
    assert_eq!(client.stock_item(&sku).await.available, 3);
}

#[tokio::test]
async fn too_little_stock_moves_no_money() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku).quantity(2);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::OutOfStock);
    assert_eq!(order.payment.unwrap().state(), PaymentState::None);
    assert!(order.compensations.is_empty());
}

#[tokio::test]
async fn a_rejected_review_voids_and_releases_in_reverse_order() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku).price(5_000, 10_000_000);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::AwaitingApproval).await;
    let payment = order.payment.unwrap();
    assert_eq!(payment.state(), PaymentState::Authorized);
    assert!(payment.captured_amount.is_none());
    client.review(&id, ReviewDecision::Reject).await.unwrap();
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::ApprovalRejected);
    assert_eq!(order.payment.unwrap().state(), PaymentState::Voided);
    let steps: Vec<_> = order.compensations.iter().map(|c| c.step()).collect();
    let expected = [
        CompensationStep::VoidAuthorization,
        CompensationStep::ReleaseReservation,
    ];
    assert_eq!(steps, expected);
    let approval = order.approval.unwrap();
    assert_eq!(approval.decision(), ReviewDecision::Reject);
    assert_eq!(approval.reviewer, "admin@example.com");
}

#[tokio::test]
async fn an_approved_one_is_captured_and_shipped() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("quick-standard", &sku).price(6_000, 0);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingApproval).await;
    client.review(&id, ReviewDecision::Approve).await.unwrap();
    let order = client.until(&id, OrderState::Completed).await;
    assert_eq!(order.payment.unwrap().captured_amount.unwrap().units, 6_000);
}

#[tokio::test]
async fn each_lost_answer_is_asked_for_again_and_charges_once() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("quick-standard", &sku).token("tok-lost-answer");
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::Completed).await;
    let types = client.event_types(&id).await;
    let failed = types
        .iter()
        .filter(|name| *name == "ATTEMPT_FAILED")
        .count();
    assert_eq!(
        failed, 2,
        "one lost answer each for authorize and capture: {types:?}"
    );
    let captures = "SELECT count(*) FROM payment_entries e JOIN payments p USING (payment_id)
                    WHERE p.order_id = $1 AND e.kind = 'CAPTURE'";
    assert_eq!(server.count(captures, &id).await, 1);
    let captured = "SELECT captured FROM payments WHERE order_id = $1";
    assert_eq!(server.count(captured, &id).await, 1999);
}

#[tokio::test]
async fn attempts_used_up_with_the_answer_lost_still_give_the_money_back() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("one-attempt", &sku).token("tok-lost-answer");
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentFailed);
    assert_eq!(order.payment.unwrap().state(), PaymentState::Refunded);
    let owed = "SELECT captured - refunded FROM payments WHERE order_id = $1";
    assert_eq!(server.count(owed, &id).await, 0);
    let captured = "SELECT captured FROM payments WHERE order_id = $1";
    assert_eq!(
        server.count(captured, &id).await,
        1999,
        "the charge had happened"
    );
    assert_eq!(client.stock_item(&sku).await.available, 1);
}

#[tokio::test]
async fn a_slow_provider_holds_nobody_up() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let slow = Placing::new("standard", &sku).token("tok-slow");
    let slow_id = slow.id();
    client.place(slow).await;
    let quick = Placing::new("standard", &sku);
    let quick_id = quick.id();
    client.place(quick).await;
    client.until(&quick_id, OrderState::InTransit).await;
    assert_ne!(client.get(&slow_id).await.state(), OrderState::InTransit);
    client.until(&slow_id, OrderState::InTransit).await;
}

#[tokio::test]
async fn a_command_does_not_wait_for_a_provider() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30).token("tok-slow");
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    // The refund takes a second; the answer does not.
    let order = client.cancel(&id).await.unwrap();
    assert_eq!(order.state(), OrderState::Cancelling);
    assert_eq!(client.get(&id).await.state(), OrderState::Cancelling);
    client.until(&id, OrderState::Cancelled).await;
}

/// Intents without an outcome: of them nobody would know what became, should the order be cancelled now.
const ALONE: &str = "SELECT count(*) FROM payment_journal intent
    JOIN payments ON payments.payment_id = intent.payment_id
    WHERE payments.order_id = $1 AND intent.phase = 'INTENT' AND NOT EXISTS (
        SELECT 1 FROM payment_journal outcome
        WHERE outcome.key = intent.key AND outcome.entry > intent.entry)";

#[tokio::test]
async fn who_asks_for_time_has_not_been_asked_for_money() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku).token("tok-slow");
    let id = placing.id();
    client.place(placing).await;
    // It takes a second to authorize, and another one to capture.
    eventually("the order to be paid and shipped", async || {
        assert_eq!(server.count(ALONE, &id).await, 0);
        (client.get(&id).await.state() == OrderState::InTransit).then_some(())
    })
    .await;
    let authorized = "SELECT authorized FROM payments WHERE order_id = $1";
    assert_eq!(server.count(authorized, &id).await, 1999);
}

#[tokio::test]
async fn steps_scheduled_by_temporal_come_to_the_same_end() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("regular-lane", &sku).token("tok-lost-answer");
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::Completed).await;
    let captured = "SELECT captured FROM payments WHERE order_id = $1";
    assert_eq!(server.count(captured, &id).await, 1999);
    let history = orders_test_support::temporal::history(&server.temporal_address(), &id).await;
    let scheduled = history
        .iter()
        .filter(|name| *name == "ACTIVITY_TASK_SCHEDULED")
        .count();
    assert!(scheduled >= 5, "{history:?}");
}
