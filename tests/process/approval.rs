//! The policy `approval`: above 5,000 a person decides.

use orders::v1::{CloseReason, CompensationStep, OrderState, PaymentState, ReviewDecision};
use orders_test_support::{Placing, shared, sku};

#[tokio::test]
async fn below_the_threshold_nobody_is_asked() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("approval", &sku).price(1_359, 970_000_000);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::InTransit).await;
    let approval = order.approval.unwrap();
    assert!(!approval.required);
    assert_eq!(approval.decision(), ReviewDecision::Unspecified);
    assert!(
        !client
            .event_types(&id)
            .await
            .contains(&"APPROVAL_REQUESTED".to_owned())
    );
}

#[tokio::test]
async fn exactly_the_threshold_is_not_above_it() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("approval", &sku).price(5_000, 0);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::InTransit).await;
}

#[tokio::test]
async fn above_it_the_order_waits_and_goes_on_when_approved() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("approval", &sku).price(8_999, 900_000_000);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::AwaitingApproval).await;
    assert!(order.approval.unwrap().required);
    let left = order.deadline.unwrap().remaining.unwrap().seconds;
    assert!(
        (86_400 - 60..=86_400).contains(&left),
        "{left} s are not 24 h"
    );
    let order = client.review(&id, ReviewDecision::Approve).await.unwrap();
    let approval = order.approval.unwrap();
    assert_eq!(approval.reviewer, "admin@example.com");
    assert_eq!(approval.reason, "looked at it");
    client.until(&id, OrderState::InTransit).await;
    let refused = client
        .review(&id, ReviewDecision::Reject)
        .await
        .unwrap_err();
    assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED");
}

#[tokio::test]
async fn rejected_it_is_refunded_and_released() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("approval", &sku).price(8_999, 900_000_000);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingApproval).await;
    client.review(&id, ReviewDecision::Reject).await.unwrap();
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::ApprovalRejected);
    assert_eq!(order.payment.unwrap().state(), PaymentState::Refunded);
    let steps: Vec<_> = order.compensations.iter().map(|c| c.step()).collect();
    let expected = [
        CompensationStep::RefundPayment,
        CompensationStep::ReleaseReservation,
    ];
    assert_eq!(steps, expected);
}

#[tokio::test]
async fn not_reviewed_in_time_it_is_rejected() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("quick-approval", &sku).price(8_999, 900_000_000);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::ApprovalTimeout);
    assert_eq!(client.stock_item(&sku).await.available, 1);
}

#[tokio::test]
async fn of_two_reviewers_who_looked_at_the_same_the_second_is_told() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("approval", &sku).price(8_999, 900_000_000);
    let id = placing.id();
    client.place(placing).await;
    let seen = client
        .until(&id, OrderState::AwaitingApproval)
        .await
        .revision;
    let request = orders::v1::UpdateShippingAddressRequest {
        order_id: id.clone(),
        request_id: orders_test_support::unique("address"),
        shipping_address: Some(orders_test_support::order::address("2 Other St")),
        expected_revision: Some(seen),
        ..Default::default()
    };
    client
        .orders
        .clone()
        .update_shipping_address(request)
        .await
        .unwrap();
    let late = orders::v1::ReviewOrderRequest {
        order_id: id.clone(),
        request_id: orders_test_support::unique("review"),
        expected_revision: Some(seen),
        decision: ReviewDecision::Approve.into(),
        reviewer: "admin@example.com".to_owned(),
        ..Default::default()
    };
    let refused = client.orders.clone().review_order(late).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Aborted);
    assert_eq!(client.get(&id).await.state(), OrderState::AwaitingApproval);
}

/// An approval that nobody answers for is none: neither by its own call nor by a signal.
#[tokio::test]
async fn a_review_by_nobody_is_refused() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("approval", &sku).price(8_999, 900_000_000);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingApproval).await;
    for nobody in ["", "anonymous"] {
        let request = orders::v1::ReviewOrderRequest {
            order_id: id.clone(),
            request_id: orders_test_support::unique("review"),
            decision: ReviewDecision::Approve.into(),
            actor: nobody.to_owned(),
            ..Default::default()
        };
        let refused = client.orders.clone().review_order(request).await;
        let refused = orders_test_support::Refused::from(refused.unwrap_err());
        assert_eq!(refused.code, tonic::Code::InvalidArgument);
        assert_eq!(refused.fields(), ["reviewer"]);
        let review = orders::v1::signal_order_request::ReviewOrder {
            decision: ReviewDecision::Approve.into(),
            reviewer: nobody.to_owned(),
            reason: String::new(),
        };
        let signal = orders::v1::SignalOrderRequest {
            order_id: id.clone(),
            request_id: orders_test_support::unique("signal"),
            command: Some(orders::v1::signal_order_request::Command::ReviewOrder(
                review,
            )),
            ..Default::default()
        };
        let refused = client.orders.clone().signal_order(signal).await;
        let refused = orders_test_support::Refused::from(refused.unwrap_err());
        assert_eq!(refused.code, tonic::Code::InvalidArgument);
        assert_eq!(refused.fields(), ["review_order.reviewer"]);
    }
    assert_eq!(client.get(&id).await.state(), OrderState::AwaitingApproval);
}
