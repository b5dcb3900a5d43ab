//! What is refused instead of being acknowledged, and what must arrive once it was acknowledged.

use super::MOVEMENTS;
use futures::future::join_all;
use orders::v1::{CloseReason, OrderState};
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, eventually, order::dollars, shared, sku,
};
use std::time::{Duration, SystemTime};
use tonic::Code;

/// Seeds 001, 000 and 004: a cancellation at the wrong moment was acknowledged and ignored. Here it is
/// refused with the reason, also as a signal.
#[tokio::test]
async fn defect_03_a_cancel_that_comes_too_late_is_refused() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 3).await;
    tokio::join!(
        // 001: the parcel is under way.
        async {
            let placing = Placing::new("external-payment", &sku);
            let id = placing.id();
            client.place(placing).await;
            client.until(&id, OrderState::AwaitingPayment).await;
            let paid = client.confirm_payment(&id, dollars(19, 990_000_000)).await;
            paid.unwrap();
            too_late(&client, &id, OrderState::InTransit).await;
        },
        // 000: the fulfilment has begun.
        async {
            let id = client.held(&sku).await;
            client.start_fulfillment(&id).await.unwrap();
            client.until_pickup_requested(&id).await;
            too_late(&client, &id, OrderState::InFulfillment).await;
        },
        // 004: the order was approved and shipped.
        async {
            let placing = Placing::new("approval", &sku);
            let id = placing.id();
            client.place(placing).await;
            too_late(&client, &id, OrderState::InTransit).await;
        },
    );
}

async fn too_late(client: &Client, id: &str, state: OrderState) {
    // What still follows from shipping by itself is recorded first.
    let settled = |order: &orders::v1::Order| {
        order.state() == state && (state != OrderState::InTransit || order.deadline.is_some())
    };
    client.until_that(id, "the moment to come", settled).await;
    eventually("the stock to leave the books", async || {
        let reservation = client.get(id).await.reservation.unwrap();
        let left = reservation.state() == orders::v1::ReservationState::Committed;
        (left || state != OrderState::InTransit).then_some(())
    })
    .await;
    let before = client.get(id).await;
    let refused = client.cancel(id).await.unwrap_err();
    assert_eq!(refused.code, Code::FailedPrecondition);
    assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED");
    assert_eq!(refused.metadata("state"), state.as_str_name());
    let condition = refused.details.precondition_failure().unwrap();
    assert!(!condition.violations[0].description.is_empty());
    assert_eq!(client.get(id).await.revision, before.revision);

    let refused = client.signal_cancel(id).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let state_name = state.as_str_name().replace("ORDER_STATE_", "");
    assert!(refused.message().contains(&state_name), "{refused:?}");
    let after = client.get(id).await;
    assert_eq!(after.state(), state);
    assert_eq!(after.close_reason(), CloseReason::Unspecified);
    assert_eq!(after.cancel_reason, "");
}

/// Seed 000: a pre-order whose time was over was charged and refunded. Here it is refused at placing.
#[tokio::test]
async fn defect_09_a_pre_order_whose_time_is_over_is_refused_and_not_charged() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let released_ago = |days: u64| {
        let mut placing = Placing::pre_order(&sku, 0);
        let release = SystemTime::now() - Duration::from_secs(days * 24 * 3600 + 60);
        placing.0.release_time = Some(release.into());
        placing
    };
    // Seven days are the policy's grace.
    let late = released_ago(7);
    let id = late.id();
    let refused = client.try_place(late).await.unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgument);
    assert_eq!(refused.fields(), ["release_time"]);
    assert_eq!(client.try_get(&id).await.unwrap_err(), Code::NotFound);
    assert_eq!(server.count(MOVEMENTS, &id).await, 0);
    let rows = "SELECT count(*) FROM orders WHERE order_id = $1";
    assert_eq!(server.count(rows, &id).await, 0);
    assert_eq!(client.stock_item(&sku).await.reserved, 0);

    let in_time = released_ago(6);
    let id = in_time.id();
    client.place(in_time).await;
    client.until(&id, OrderState::AwaitingRelease).await;
}

/// Seed 003: the new address was acknowledged and never reached the carrier. Here the parcel leaves
/// with the newest one, also when its package was made ready with the old one.
#[tokio::test]
async fn defect_10_the_new_address_is_the_one_that_the_carrier_gets() {
    // So many attempts fail that there is time between the package and the dispatch.
    let options = ServerOptions::default()
        .policies()
        .arg("--simulate")
        .arg("shipping:error=0.9");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let moved = join_all((0..8).map(|_| moved_when_prepared(&client, &sku))).await;
    let moved: Vec<String> = moved.into_iter().flatten().collect();
    assert!(!moved.is_empty(), "no order could be moved in time");
    for id in &moved {
        let order = client.until(id, OrderState::Completed).await;
        assert_eq!(order.shipping_address.unwrap().line1, "2 New St");
        let told = "SELECT count(*) FROM shipments WHERE order_id = $1 AND state = 'DISPATCHED'
                    AND address LIKE '%\"2 New St\"%'";
        assert_eq!(server.count(told, id).await, 1, "{id}");
        let refused = client.move_to(id, "3 Late St").await.unwrap_err();
        assert_eq!(refused.code, Code::FailedPrecondition);
    }
}

/// Places an order and moves it once its package is ready; none when it was dispatched before.
async fn moved_when_prepared(client: &Client, sku: &str) -> Option<String> {
    let placing = Placing::new("patient-lane", sku);
    let id = placing.id();
    client.place(placing).await;
    eventually("the package to be ready", async || {
        let prepared = client.count_events(&id, "PACKAGE_PREPARED").await;
        (prepared > 0).then_some(())
    })
    .await;
    match client.move_to(&id, "2 New St").await {
        Ok(_) => Some(id),
        Err(refused) => {
            assert_eq!(refused.code, Code::FailedPrecondition);
            None
        }
    }
}
