//! The policy `pre-order`: charge, reserve, hold, pickup and delivery by confirmation.

use orders::v1::{
    CloseReason, Command, CompensationOutcome, CompensationStep, OrderState, PaymentState,
    ReservationState, ShipmentState,
};
use orders_test_support::{Placing, shared, sku};

#[tokio::test]
async fn it_goes_from_placing_to_completed() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let placing = Placing::pre_order(&sku, 90).quantity(2);
    let id = placing.id();

    let order = client.place(placing).await;
    assert_eq!(order.state(), OrderState::Placed);
    assert_eq!(order.revision, 1);

    let order = client.until(&id, OrderState::AwaitingRelease).await;
    let payment = order.payment.as_ref().unwrap();
    assert_eq!(payment.state(), PaymentState::Captured);
    assert_eq!(payment.captured_amount.as_ref().unwrap().units, 39);
    assert_eq!(payment.captured_amount.as_ref().unwrap().nanos, 980_000_000);
    assert_eq!(
        order.reservation.as_ref().unwrap().state(),
        ReservationState::Reserved
    );
    let left = order
        .deadline
        .as_ref()
        .unwrap()
        .remaining
        .as_ref()
        .unwrap()
        .seconds;
    assert!(
        (96 * 86_400..=97 * 86_400).contains(&left),
        "{left} s are not 97 days"
    );
    assert_eq!(client.stock_item(&sku).await.available, 8);

    let order = client.start_fulfillment(&id).await.unwrap();
    assert_eq!(order.state(), OrderState::InFulfillment);
    assert_eq!(client.get(&id).await.state(), OrderState::InFulfillment);

    let order = client.confirm_pickup(&id).await.unwrap();
    assert_eq!(order.state(), OrderState::InTransit);

    let order = client.confirm_delivery(&id).await.unwrap();
    assert_eq!(
        order.shipment.as_ref().unwrap().state(),
        ShipmentState::Delivered
    );

    let order = client.until(&id, OrderState::Completed).await;
    assert_eq!(order.close_reason(), CloseReason::Completed);
    assert_eq!(
        order.reservation.unwrap().state(),
        ReservationState::Committed
    );
    assert!(order.allowed_commands.is_empty());
    assert!(order.compensations.is_empty());
    let stock = client.stock_item(&sku).await;
    assert_eq!((stock.on_hand(), stock.reserved), (8, 0));
}

#[tokio::test]
async fn a_cancelled_one_is_released_and_refunded_in_reverse_order() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let id = client.held(&sku).await;

    let order = client.cancel(&id).await.unwrap();
    assert_eq!(order.state(), OrderState::Cancelling);
    assert_eq!(order.close_reason(), CloseReason::Unspecified);
    assert_eq!(order.cancel_reason, "changed my mind");

    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.close_reason(), CloseReason::CustomerCancelled);
    let steps: Vec<_> = order
        .compensations
        .iter()
        .map(|c| (c.step(), c.outcome()))
        .collect();
    let done = CompensationOutcome::Done;
    let expected = [
        (CompensationStep::ReleaseReservation, done),
        (CompensationStep::RefundPayment, done),
    ];
    assert_eq!(steps, expected);
    let payment = order.payment.unwrap();
    assert_eq!(payment.state(), PaymentState::Refunded);
    assert_eq!(payment.refunded_amount, payment.captured_amount);
    let stock = client.stock_item(&sku).await;
    assert_eq!((stock.on_hand(), stock.reserved), (5, 0));
    let owed = "SELECT captured - refunded FROM payments WHERE order_id = $1";
    assert_eq!(server.count(owed, &id).await, 0);
}

#[tokio::test]
async fn after_fulfilment_began_a_cancel_is_refused_with_the_reason() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let id = client.held(&sku).await;
    client.start_fulfillment(&id).await.unwrap();

    let before = client
        .until_that(&id, "a requested pickup", |order| {
            order.shipment.as_ref().unwrap().state() == ShipmentState::Requested
        })
        .await;
    let refused = client.cancel(&id).await.unwrap_err();
    assert_eq!(refused.code, tonic::Code::FailedPrecondition);
    assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED");
    assert_eq!(refused.metadata("state"), "ORDER_STATE_IN_FULFILLMENT");
    let allowed = refused.metadata("allowed_commands");
    assert_eq!(
        allowed,
        "COMMAND_CONFIRM_PICKUP,COMMAND_UPDATE_SHIPPING_ADDRESS"
    );
    assert!(refused.details.precondition_failure().is_some());
    let after = client.get(&id).await;
    assert_eq!(
        after.revision, before.revision,
        "a refused command changes nothing"
    );
    let commands: Vec<Command> = after.allowed_commands().collect();
    assert_eq!(
        commands,
        [Command::ConfirmPickup, Command::UpdateShippingAddress]
    );
}

#[tokio::test]
async fn the_carrier_gets_the_newest_address() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let id = client.held(&sku).await;
    client.start_fulfillment(&id).await.unwrap();
    client
        .until_that(&id, "a requested pickup", |order| {
            order.shipment.as_ref().unwrap().state() == ShipmentState::Requested
        })
        .await;
    let request = orders::v1::UpdateShippingAddressRequest {
        order_id: id.clone(),
        request_id: orders_test_support::unique("address"),
        shipping_address: Some(orders_test_support::order::address("2 Other St")),
        ..Default::default()
    };
    client
        .orders
        .clone()
        .update_shipping_address(request)
        .await
        .unwrap();
    orders_test_support::eventually("the carrier to know the new address", async || {
        let told =
            "SELECT count(*) FROM shipments WHERE order_id = $1 AND address LIKE '%2 Other St%'";
        (server.count(told, &id).await == 1).then_some(())
    })
    .await;
    let request = orders::v1::UpdateShippingAddressRequest {
        order_id: id.clone(),
        request_id: orders_test_support::unique("address"),
        shipping_address: Some(orders_test_support::order::address("3 Third St")),
        ..Default::default()
    };
    client
        .orders
        .clone()
        .update_shipping_address(request)
        .await
        .unwrap();
    orders_test_support::eventually("the carrier to know the third address", async || {
        let told =
            "SELECT count(*) FROM shipments WHERE order_id = $1 AND address LIKE '%3 Third St%'";
        (server.count(told, &id).await == 1).then_some(())
    })
    .await;
    client.confirm_pickup(&id).await.unwrap();
    let request = orders::v1::UpdateShippingAddressRequest {
        order_id: id.clone(),
        request_id: orders_test_support::unique("address"),
        shipping_address: Some(orders_test_support::order::address("4 Late St")),
        ..Default::default()
    };
    let refused = client
        .orders
        .clone()
        .update_shipping_address(request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
}

#[tokio::test]
async fn declined_and_out_of_stock_close_it_with_nothing_owed() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;

    let declined = Placing::pre_order(&sku, 30).token("tok-declined");
    let id = declined.id();
    client.place(declined).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentDeclined);
    assert_eq!(order.payment.unwrap().state(), PaymentState::Declined);
    let types = client.event_types(&id).await;
    assert_eq!(
        types,
        ["PLACED", "PAYMENT_DECLINED", "CLOSED"],
        "refused, and not tried again"
    );

    let too_much = Placing::pre_order(&sku, 30).quantity(2);
    let id = too_much.id();
    client.place(too_much).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::OutOfStock);
    assert_eq!(order.payment.unwrap().state(), PaymentState::Refunded);
    assert_eq!(
        order.reservation.unwrap().state(),
        ReservationState::Unavailable
    );
    let types = client.event_types(&id).await;
    let expected = [
        "PLACED",
        "PAYMENT_CAPTURED",
        "OUT_OF_STOCK",
        "COMPENSATED",
        "CLOSED",
    ];
    assert_eq!(types, expected);
    assert_eq!(client.stock_item(&sku).await.reserved, 0);
}
