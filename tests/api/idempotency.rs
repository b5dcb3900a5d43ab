//! The same again is the same once.

mod at_once;
mod corrected;
mod forgotten;

use orders::v1::{OrderState, StartFulfillmentRequest};
use orders_test_support::{Placing, shared, sku, unique};
use tonic::Code;

#[tokio::test]
async fn the_same_order_placed_twice_is_there_once() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let placing = Placing::pre_order(&sku, 30);
    let first = client.place(placing.clone()).await;
    let again = client
        .orders
        .clone()
        .place_order(placing.0.clone())
        .await
        .unwrap();
    let replayed = again.metadata().get("orders-replayed").cloned();
    assert_eq!(replayed.unwrap(), "true");
    assert_eq!(again.into_inner().order.unwrap().order_id, first.order_id);

    let mut other_request = placing.clone();
    other_request.0.request_id = unique("place");
    client.place(other_request).await;

    let mut other_content = placing.clone().quantity(2);
    let refused = client.try_place(other_content.clone()).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::AlreadyExists, "REQUEST_ID_REUSED")
    );
    other_content.0.request_id = unique("place");
    let refused = client.try_place(other_content).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::AlreadyExists, "ORDER_ID_EXISTS")
    );
    assert!(refused.details.resource_info().is_some());
}

#[tokio::test]
async fn without_an_order_id_the_request_id_finds_the_order_again() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let mut placing = Placing::pre_order(&sku, 30);
    placing.0.order_id = String::new();
    let first = client.place(placing.clone()).await;
    let second = client.place(placing).await;
    assert_eq!(first.order_id, second.order_id);
    assert_eq!(first.order_id.len(), 36, "a UUID: {}", first.order_id);
}

#[tokio::test]
async fn a_payment_id_belongs_to_one_order() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let payment_id = unique("payment");
    let mut first = Placing::pre_order(&sku, 30);
    first.0.payment_id = payment_id.clone();
    client.place(first).await;
    let mut second = Placing::pre_order(&sku, 30);
    second.0.payment_id = payment_id;
    let refused = client.try_place(second).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::AlreadyExists, "PAYMENT_ID_EXISTS")
    );
}

/// The id that an order has when none is given cannot be taken by another order, before or after.
#[tokio::test]
async fn the_payment_id_made_from_an_order_id_is_that_orders_own() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let victim = Placing::pre_order(&sku, 30);
    let mut thief = Placing::pre_order(&sku, 30);
    thief.0.payment_id = format!("pay-{}", victim.id());
    let refused = client.try_place(thief).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgument);
    assert_eq!(refused.fields(), ["payment_id"]);
    let id = victim.id();
    client.place(victim).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    let mut own = Placing::pre_order(&sku, 30);
    own.0.payment_id = format!("pay-{}", own.id());
    client.place(own).await;
}

#[tokio::test]
async fn a_hundred_placings_at_once_are_one_order_and_one_charge() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1_000).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    let calls = (0..100).map(|_| {
        let (client, placing) = (client.clone(), placing.clone());
        tokio::spawn(async move { client.try_place(placing).await })
    });
    let calls: Vec<_> = calls.collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().order_id, id);
    }
    client.until(&id, OrderState::AwaitingRelease).await;
    let orders = "SELECT count(*) FROM orders WHERE order_id = $1";
    assert_eq!(server.count(orders, &id).await, 1);
    let charges = "SELECT count(*) FROM payment_entries e JOIN payments p USING (payment_id)
                   WHERE p.order_id = $1";
    assert_eq!(server.count(charges, &id).await, 1);
    assert_eq!(client.stock_item(&sku).await.reserved, 1);
}

#[tokio::test]
async fn a_command_repeated_has_one_effect() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let id = client.held(&sku).await;
    let request = StartFulfillmentRequest {
        order_id: id.clone(),
        request_id: unique("start"),
        ..StartFulfillmentRequest::default()
    };
    let calls = (0..8).map(|_| {
        let (mut orders, request) = (client.orders.clone(), request.clone());
        tokio::spawn(async move { orders.start_fulfillment(request).await })
    });
    let calls: Vec<_> = calls.collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let again = client
        .orders
        .clone()
        .start_fulfillment(request.clone())
        .await
        .unwrap();
    assert_eq!(again.metadata().get("orders-replayed").unwrap(), "true");
    let types = client.event_types(&id).await;
    let started = types
        .iter()
        .filter(|name| *name == "FULFILLMENT_STARTED")
        .count();
    assert_eq!(started, 1, "{types:?}");

    let other = orders::v1::ConfirmDeliveryRequest {
        order_id: id.clone(),
        request_id: request.request_id,
        ..Default::default()
    };
    let refused = client
        .orders
        .clone()
        .confirm_delivery(other)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let id = client.held(&sku).await;
    let request = orders::v1::ConfirmPickupRequest {
        order_id: id.clone(),
        request_id: unique("pickup"),
        ..Default::default()
    };
    let refused = client
        .orders
        .clone()
        .confirm_pickup(request.clone())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    client.start_fulfillment(&id).await.unwrap();
    client.until_pickup_requested(&id).await;
    let order = client
        .orders
        .clone()
        .confirm_pickup(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(order.order.unwrap().state(), OrderState::InTransit);
}

#[tokio::test]
async fn the_same_placing_is_answered_the_same_when_its_time_has_passed() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let mut placing = Placing::pre_order(&sku, 0).policy("quick-hold");
    let release = std::time::SystemTime::now() + std::time::Duration::from_secs(1);
    placing.0.release_time = Some(release.into());
    let id = placing.id();
    client.place(placing.clone()).await;
    client.until(&id, OrderState::Cancelled).await;
    let again = client.place(placing.clone()).await;
    assert_eq!(again.order_id, id);
    assert_eq!(again.state(), OrderState::Cancelled);
    // A new one of that kind is refused.
    placing.0.order_id = unique("order");
    placing.0.request_id = unique("place");
    let refused = client.try_place(placing).await.unwrap_err();
    assert_eq!(refused.fields(), ["release_time"]);
}
