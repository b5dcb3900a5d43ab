//! Requests that are never sent to their end.

use super::{PATIENT, Patience, SHORT, SOURCES, probe::beside, stranger::Stranger};
use bytes::Bytes;
use futures::{StreamExt, stream::FuturesUnordered};
use orders_test_support::{ServerOptions, TestServer};
use std::{net::IpAddr, time::Duration};
use tokio::time::{Instant, timeout};
use tonic::Code;

/// More than there are slots, on one connection.
const STREAMS: usize = 600;

const GET: &str = "/orders.v1.OrderService/GetOrder";

/// Begins requests, never ends one, and begins another for each that the server ends.
pub async fn attack(server: &TestServer, source: IpAddr, time: Duration, patience: Patience) {
    let ended = beside(server, patience, async {
        let mut stranger = Stranger::connect(&server.address, source, 65_535).await;
        let end = Instant::now() + time;
        let (mut ended, mut open) = (0, FuturesUnordered::new());
        while Instant::now() < end {
            while open.len() < STREAMS {
                let headers = [("grpc-timeout", "60S")];
                let (response, mut body) = stranger.begin(GET, &headers).await.unwrap();
                body.send_data(Bytes::from_static(&[0, 0, 0, 0, 9]), false)
                    .unwrap();
                open.push(async move { (response.await.is_ok(), body) });
            }
            if timeout(Duration::from_millis(100), open.next())
                .await
                .is_ok()
            {
                ended += 1;
            }
        }
        ended
    });
    println!("{} of the requests without an end were ended", ended.await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_without_an_end_take_no_slots() {
    let options = ServerOptions::default().arg("--max-request-time");
    let server = TestServer::start(options.arg("1s")).await;
    for source in SOURCES {
        attack(&server, source, SHORT, PATIENT).await;
    }
    // The caller is told.
    let mut stranger = Stranger::connect(&server.address, SOURCES[0], 65_535).await;
    let (response, _body) = stranger.begin(GET, &[]).await.unwrap();
    let answered = super::stranger::answered(response.await.unwrap()).await;
    assert_eq!(answered.code, Code::DeadlineExceeded);
    assert_eq!(answered.reason, "REQUEST_TOO_SLOW");
}
