//! Answers that are never read.

use super::{
    PATIENT, Patience, SOURCES,
    probe::beside,
    stranger::{Stranger, large_order},
};
use http::Response;
use orders::v1::{ListOrdersRequest, WatchOrdersRequest};
use orders_test_support::{PATIENCE, ServerOptions, TestServer, sku, unique};
use std::{net::IpAddr, time::Duration};
use tokio::{task::JoinHandle, time::timeout};

/// Lists that are asked for on each connection.
const LISTS: usize = 300;

/// Connections on which they are.
const CONNECTIONS: usize = 2;

/// Orders of about 120 KiB.
const ORDERS: usize = 12;

/// An answer of which only the headers are read.
type Answer = JoinHandle<Result<Response<::h2::RecvStream>, ::h2::Error>>;

/// Asks for lists of large orders, and for watches of all that has ever happened, and reads nothing.
/// Gives the connections and the answers.
async fn ask(
    server: &TestServer,
    source: IpAddr,
    time: Duration,
    patience: Patience,
) -> (Vec<Stranger>, Vec<Answer>) {
    let client = server.client().await;
    let (customer, sku) = (unique("large"), sku());
    client.stock(&sku, 100_000).await;
    let (position, _watch) = client.watch_many("", "").await.unwrap();
    for _ in 0..ORDERS {
        client.place(large_order(&customer, &sku).0).await;
    }
    let list = ListOrdersRequest {
        filter: format!("customer_id = \"{customer}\""),
        page_size: 1_000,
        ..ListOrdersRequest::default()
    };
    let watch = WatchOrdersRequest {
        filter: list.filter.clone(),
        after: position,
        until_now: false,
    };
    let before = server.process.memory();
    let held = beside(server, patience, async {
        let mut strangers = Vec::new();
        let mut answers = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stranger = Stranger::connect(&server.address, source, 0).await;
            for index in 0..LISTS {
                let service = "/orders.v1.OrderService";
                let called = match index % 4 {
                    0 => {
                        let path = format!("{service}/WatchOrders");
                        stranger.call(&path, &[], &watch).await
                    }
                    _ => {
                        let path = format!("{service}/ListOrders");
                        stranger.call(&path, &[], &list).await
                    }
                };
                answers.extend(called.ok().map(tokio::spawn));
            }
            strangers.push(stranger);
        }
        // Nothing is read of the answers. They are kept: a dropped one is cancelled.
        tokio::time::sleep(time).await;
        (strangers, answers)
    });
    let held = held.await;
    let after = server.process.memory();
    println!("{} MiB before, {} MiB under it", before >> 20, after >> 20);
    held
}

/// See [`ask`].
pub async fn attack(server: &TestServer, source: IpAddr, time: Duration, patience: Patience) {
    ask(server, source, time, patience).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_are_bounded_and_end_with_their_connection() {
    let options = ServerOptions::default().arg("--write-timeout").arg("2s");
    let server = TestServer::start(options).await;
    for source in SOURCES {
        let (strangers, _answers) = ask(&server, source, super::SHORT, PATIENT).await;
        for mut stranger in strangers {
            let ended = timeout(PATIENCE, &mut stranger.ended).await;
            assert!(ended.is_ok(), "the connection is still open");
        }
    }
    let why = server.process.line_with("an answer is not taken");
    assert!(why.is_some(), "the log says why");
}
