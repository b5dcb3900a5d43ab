//! ConfirmPickup against what the carrier is still to be asked: the second of the two is refused, or has
//! no further effect on the carrier.

use futures::future::join_all;
use orders::v1::{OrderState, ShipmentState};
use orders_test_support::{Client, Placing, ServerOptions, TestServer, eventually, shared, sku};
use std::time::Duration;
use tonic::Code;

/// What the carrier was asked, and did, after the pickup was confirmed.
async fn after_pickup(client: &Client, id: &str) -> Vec<String> {
    let types = client.event_types(id).await;
    let picked_up = types.iter().position(|name| name == "PICKED_UP").unwrap();
    types[picked_up + 1..].to_vec()
}

async fn held(client: &Client, policy: &str) -> String {
    let sku = sku();
    client.stock(&sku, 5).await;
    let placing = Placing::pre_order(&sku, 30).policy(policy);
    let id = client.place(placing).await.order_id;
    client.until(&id, OrderState::AwaitingRelease).await;
    id
}

/// To the end, with nothing asked of the carrier after the pickup.
async fn deliver(client: &Client, id: &str) {
    client.confirm_delivery(id).await.unwrap();
    client.until(id, OrderState::Completed).await;
    let mut after = after_pickup(client, id).await;
    // The stock is taken before or after the customer has said that the parcel arrived.
    after.sort();
    assert_eq!(after, ["CLOSED", "DELIVERED", "RESERVATION_COMMITTED"]);
}

#[tokio::test]
async fn a_pickup_that_nobody_asked_for_is_refused_with_the_reason() {
    let options = ServerOptions::default().policies().arg("--simulate");
    let server = TestServer::start(options.arg("shipping:latency=1500ms")).await;
    let client = server.client().await;
    let id = held(&client, "patient-pickup").await;
    client.start_fulfillment(&id).await.unwrap();
    let refused = client.try_confirm_pickup(&id).await.unwrap_err();
    assert_eq!(refused.code, Code::FailedPrecondition);
    assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED");
    let said = "the carrier was not asked for the pickup yet; send it again in a moment";
    assert!(refused.message.contains(said), "{refused:?}");
    client.until_pickup_requested(&id).await;
    client.try_confirm_pickup(&id).await.unwrap();
    deliver(&client, &id).await;
    assert_eq!(client.count_events(&id, "PICKUP_REQUESTED").await, 1);
}

#[tokio::test]
async fn a_failing_request_ends_with_the_pickup_that_was_confirmed() {
    let options = ServerOptions::default().policies().arg("--simulate");
    let server = TestServer::start(options.arg("shipping:error=1,only=request_pickup")).await;
    let client = server.client().await;
    let id = held(&client, "patient-pickup").await;
    client.start_fulfillment(&id).await.unwrap();
    eventually("the request to fail", async || {
        let failed = client.count_events(&id, "ATTEMPT_FAILED").await;
        (failed > 0).then_some(())
    })
    .await;
    let order = client.try_confirm_pickup(&id).await.unwrap();
    assert_eq!(order.state(), OrderState::InTransit);
    // Longer than the wait before the next attempt would have been.
    tokio::time::sleep(Duration::from_millis(300)).await;
    deliver(&client, &id).await;
    assert_eq!(client.count_events(&id, "PICKUP_REQUESTED").await, 0);
    let data_dir = server.data_dir.clone();
    let verified = crate::operations::verify::verify(&data_dir, &["--no-temporal"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[tokio::test]
async fn an_address_that_races_the_pickup_is_known_to_the_carrier_or_refused() {
    let server = shared().await;
    let client = server.client().await;
    let ids = join_all((0..20).map(|_| held(&client, "pre-order"))).await;
    let mut refused = (0, 0);
    for (number, id) in ids.iter().enumerate() {
        client.start_fulfillment(id).await.unwrap();
        client.until_pickup_requested(id).await;
        let pickup = async {
            // Earlier and later than the other one.
            tokio::time::sleep(Duration::from_millis(number as u64)).await;
            client.try_confirm_pickup(id).await
        };
        let (moved, picked_up) = tokio::join!(client.move_to(id, "9 New St"), pickup);
        let line1 = if moved.is_ok() {
            "9 New St"
        } else {
            "1 Main St"
        };
        for failed in [moved.err(), picked_up.as_ref().err().cloned()]
            .iter()
            .flatten()
        {
            assert_eq!(failed.code, Code::FailedPrecondition, "{failed:?}");
        }
        refused.0 += usize::from(line1 == "1 Main St");
        if let Err(failed) = picked_up {
            refused.1 += 1;
            assert!(line1 == "9 New St", "both were refused: {failed:?}");
            let said = "the carrier is still being told the new address; send it again";
            assert!(failed.message.contains(said), "{failed:?}");
            client.confirm_pickup(id).await.unwrap();
        }
        let order = client.get(id).await;
        assert_eq!(order.shipping_address.as_ref().unwrap().line1, line1);
        assert_ne!(order.shipment.unwrap().state(), ShipmentState::Requested);
        deliver(&client, id).await;
        let told = match line1 {
            "9 New St" => {
                "SELECT count(*) FROM shipments WHERE order_id = $1 AND address LIKE '%9 New%'"
            }
            _ => "SELECT count(*) FROM shipments WHERE order_id = $1 AND address LIKE '%1 Main%'",
        };
        assert_eq!(
            server.count(told, id).await,
            1,
            "the carrier has another address"
        );
    }
    println!("refused: {} addresses, {} pickups", refused.0, refused.1);
}

/// A request for the pickup that failed may have been heard all the same, so a new address is told as well before the
/// pickup can be confirmed.
#[tokio::test]
async fn an_address_that_changes_after_a_failed_request_reaches_the_carrier() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default()
        .policies()
        .data_dir(&folder.path().join("data"));
    let broken = options.clone().arg("--simulate");
    let server = TestServer::start(broken.arg("shipping:error=1,only=request_pickup")).await;
    let client = server.client().await;
    let id = held(&client, "patient-pickup").await;
    client.start_fulfillment(&id).await.unwrap();
    eventually("the request to fail", async || {
        let failed = client.count_events(&id, "ATTEMPT_FAILED").await;
        (failed > 0).then_some(())
    })
    .await;
    client.move_to(&id, "9 New St").await.unwrap();
    let refused = client.try_confirm_pickup(&id).await.unwrap_err();
    assert_eq!(refused.code, Code::FailedPrecondition);
    let said = "the carrier is still being told the new address; send it again in a moment";
    assert!(refused.message.contains(said), "{refused:?}");
    assert_eq!(server.stop().await, Some(0));

    let server = TestServer::start(options).await;
    let client = server.client().await;
    client.confirm_pickup(&id).await.unwrap();
    deliver(&client, &id).await;
    let told = "SELECT count(*) FROM shipments WHERE order_id = $1 AND address LIKE '%9 New%'";
    assert_eq!(server.count(told, &id).await, 1);
}
