//! The caller's time, all the way down.

use orders::v1::{CancelOrderRequest, Consistency, GetOrderRequest};
use orders_test_support::{
    Placing, Refused, ServerOptions, StandIn, TestServer, again::refused_by_server, eventually,
    sku, unique,
};
use std::time::{Duration, Instant};
use tonic::{Code, Request};

async fn server(stand_in: &StandIn) -> TestServer {
    let options = ServerOptions::with_temporal(&stand_in.address).arg("--no-worker");
    TestServer::start(options.arg("--max-call-time").arg("2s")).await
}

fn within<T>(request: T, time: Duration) -> Request<T> {
    let mut request = Request::new(request);
    request.set_timeout(time);
    request
}

/// An order that Temporal has, as far as the server knows.
async fn started(server: &TestServer) -> String {
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let order_id = client.place(Placing::new("standard", &sku)).await.order_id;
    let mut database = server.database().await;
    sqlx::query("UPDATE orders SET workflow_started = 1 WHERE order_id = $1")
        .bind(&order_id)
        .execute(&mut database)
        .await
        .unwrap();
    sqlx::Connection::close(database).await.unwrap();
    order_id
}

#[tokio::test]
async fn temporal_is_told_how_long_the_caller_waits_and_nothing_waits_longer() {
    let stand_in = StandIn::start().await;
    let server = server(&stand_in).await;
    let client = server.client().await;
    let order_id = started(&server).await;
    // The caller's time; beyond the cap, the cap.
    for (asked, least, most) in [(1_500, 300, 1_600), (30_000, 300, 2_100)] {
        let (mut before, mut begun) = (0, Instant::now());
        let status = refused_by_server(async || {
            before = stand_in.calls("UpdateWorkflowExecution").len();
            begun = Instant::now();
            let cancel = CancelOrderRequest {
                order_id: order_id.clone(),
                request_id: unique("cancel"),
                ..CancelOrderRequest::default()
            };
            let request = within(cancel, Duration::from_millis(asked));
            client.orders.clone().cancel_order(request).await
        })
        .await;
        let took = begun.elapsed();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
        assert_eq!(Refused::from(status).reason, "DEADLINE_EXCEEDED");
        assert!(took < Duration::from_millis(most + 5_000), "{took:?}");

        let (least, most) = (Duration::from_millis(least), Duration::from_millis(most));
        let mut told = stand_in.calls("UpdateWorkflowExecution").split_off(before);
        told.retain(|call| {
            let told = call.timeout.expect("a grpc-timeout");
            println!("caller {asked} ms, Temporal {told:?}, answered after {took:?}");
            least < told && told <= most
        });
        assert_eq!(told.len(), 1, "{told:?}");
        eventually("nobody to wait any more", async || {
            (stand_in.open("UpdateWorkflowExecution") == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_strong_read_is_bounded_also_for_a_caller_without_a_deadline() {
    let stand_in = StandIn::start().await;
    let server = server(&stand_in).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku);
    let order_id = placing.id();
    let request = within(placing.0, Duration::from_millis(1_500));
    client.orders.clone().place_order(request).await.unwrap();
    let strong = GetOrderRequest {
        order_id,
        consistency: Consistency::Strong.into(),
    };
    let begun = Instant::now();
    let status = client.orders.clone().get_order(strong).await.unwrap_err();
    let took = begun.elapsed();
    println!("a strong read ended after {took:?}: {:?}", status.code());
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(Refused::from(status).reason, "TEMPORAL_UNAVAILABLE");
    let call = stand_in.calls("StartWorkflowExecution").pop().unwrap();
    let told = call.timeout.expect("a grpc-timeout");
    assert!(told <= Duration::from_secs(2), "{told:?}");
}
