//! Calls that are cancelled as soon as they are sent.

use super::{PATIENT, Patience, SHORT, SOURCES, probe::beside, stranger::Stranger};
use crate::harness::{ServerOptions, TestServer, beside_shared};
use ::h2::Reason;
use orders::v1::{ListPoliciesRequest, WatchOrdersRequest};
use std::{net::IpAddr, time::Duration};
use tokio::time::{Instant, timeout};
use tonic::Code;

const PLACE: &str = "/orders.v1.OrderService/PlaceOrder";

/// Cancelled calls, a hundred and fifty at a time. Gives how many there were until the connection ended.
async fn cancel(stranger: &mut Stranger, rounds: usize) -> usize {
    let mut count = 0;
    for _ in 0..rounds {
        for _ in 0..150 {
            let Ok((_, mut body)) = stranger.begin(PLACE, &[]).await else {
                return count;
            };
            body.send_reset(Reason::CANCEL);
            count += 1;
        }
        tokio::task::yield_now().await;
    }
    count
}

/// Cancels calls as fast as it can, connecting anew whenever it is put off.
pub async fn attack(server: &TestServer, source: IpAddr, time: Duration, patience: Patience) {
    let cancelled = beside(server, patience, async {
        let end = Instant::now() + time;
        let mut count = 0;
        while Instant::now() < end {
            let mut stranger = Stranger::connect(&server.address, source, 65_535).await;
            while Instant::now() < end && !stranger.ended.is_finished() {
                count += cancel(&mut stranger, 10).await;
            }
        }
        count
    });
    println!("{} calls were cancelled", cancelled.await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_cancelled_disturb_nobody() {
    let server = TestServer::start(ServerOptions::default()).await;
    for source in SOURCES {
        attack(&server, source, SHORT, PATIENT).await;
    }
}

#[tokio::test]
async fn a_connection_survives_its_cancelled_calls() {
    let server = beside_shared(ServerOptions::default()).await;
    let mut stranger = Stranger::connect(&server.address, SOURCES[0], 65_535).await;
    let watch = WatchOrdersRequest::default();
    let path = "/orders.v1.OrderService/WatchOrders";
    let watching = stranger.call(path, &[], &watch).await.unwrap();
    let mut watching = watching.await.unwrap().into_body();
    assert_eq!(cancel(&mut stranger, 8).await, 1_200);
    let path = "/orders.v1.OrderService/ListPolicies";
    let answered = stranger.ask(path, &[], &ListPoliciesRequest {}).await;
    assert_eq!(answered.code, Code::Ok);
    let told = timeout(Duration::from_millis(100), watching.data()).await;
    assert!(told.is_err(), "the watch goes on: {told:?}");
}

#[tokio::test]
async fn how_many_may_wait_is_a_setting() {
    let options = ServerOptions::default()
        .arg("--max-pending-resets")
        .arg("0");
    let server = beside_shared(options).await;
    let mut stranger = Stranger::connect(&server.address, SOURCES[0], 65_535).await;
    cancel(&mut stranger, 8).await;
    let ended = timeout(crate::harness::PATIENCE, &mut stranger.ended).await;
    let ended = ended.expect("it ends").unwrap().unwrap_err();
    assert_eq!(ended.reason(), Some(Reason::ENHANCE_YOUR_CALM), "{ended:?}");
}
