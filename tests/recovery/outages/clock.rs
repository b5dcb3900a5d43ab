//! The clock of the machine jumps.

use super::shipped;
use orders::v1::{CloseReason, OrderState};
use orders_test_support::{Placing, ServerOptions, TestServer, TestTemporal, sku};
use std::{
    path::Path,
    time::{Duration, Instant},
};

fn set(file: &Path, offset: i64) {
    let millis = Duration::from_secs(3600).as_millis() as i64 * offset;
    std::fs::write(file, millis.to_string()).unwrap();
}

/// Two days ahead, two days behind, and back: no wait ends early, no order's time runs backwards, and
/// commands go on. (What waits by itself waits longer in an order that was placed ahead of time.)
#[tokio::test]
async fn orders_live_by_temporals_clock() {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clock");
    let options = ServerOptions::with_temporal(&temporal.address)
        .policies()
        .env("ORDERS_TEST_CLOCK", file.to_str().unwrap());
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 50).await;

    // It waits 24 h for its review.
    let waiting = Placing::new("approval", &sku).price(6_000, 0);
    let waiting_id = waiting.id();
    client.place(waiting).await;
    let before = client
        .until(&waiting_id, OrderState::AwaitingApproval)
        .await;
    let mut ids = Vec::new();
    for hours in [48, -48, 1, 0] {
        set(&file, hours);
        let order = shipped(&client, "standard", &sku).await;
        ids.push(order.order_id);
        assert_eq!(
            client.get(&waiting_id).await.state(),
            OrderState::AwaitingApproval
        );
    }
    let after = client.get(&waiting_id).await;
    let expires = |order: &orders::v1::Order| order.deadline.unwrap().expire_time;
    assert_eq!(expires(&after), expires(&before), "the deadline moved");
    for id in &ids {
        client.confirm_delivery(id).await.unwrap();
        client.until(id, OrderState::Completed).await;
        let events = client.events(id).await;
        let times = events.iter().map(|event| {
            let time = event.time.unwrap();
            (time.seconds, time.nanos)
        });
        assert!(
            times.is_sorted(),
            "{id}: its time runs backwards: {events:#?}"
        );
    }
    set(&file, 48);
    client
        .review(&waiting_id, orders::v1::ReviewDecision::Reject)
        .await
        .unwrap();
    let order = client.until(&waiting_id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::ApprovalRejected);
}

/// A server whose clock is an hour ahead still sees that somebody runs orders.
#[tokio::test]
#[ignore = "more than a minute: an idle worker gives a sign of life once a minute"]
async fn health_does_not_trust_the_clock() {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clock");
    set(&file, 1);
    let options = ServerOptions::with_temporal(&temporal.address)
        .env("ORDERS_TEST_CLOCK", file.to_str().unwrap());
    let server = TestServer::start(options).await;
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", server.address));
    let channel = channel.unwrap().connect().await.unwrap();
    let health = tonic_health::pb::health_client::HealthClient::new(channel);
    let end = Instant::now() + Duration::from_secs(100);
    loop {
        let request = tonic_health::pb::HealthCheckRequest {
            service: "orders.v1.OrderService".to_owned(),
        };
        let response = health.clone().check(request).await.unwrap();
        if response.into_inner().status == 1 {
            break;
        }
        assert!(Instant::now() < end, "commands are never healthy");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
