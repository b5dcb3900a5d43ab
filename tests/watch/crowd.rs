//! Thousands of watches at once: each gets the close, and what one costs is printed.

use crate::harness::{
    Client, Placing, ServerOptions, TestServer, sku,
    watch::{after, next},
};
use futures::{StreamExt, TryStreamExt, stream};
use orders::v1::{CancelOrderRequest, OrderState, WatchOrderResponse};
use std::time::Instant;
use tonic::Streaming;

const WATCHES: usize = 5_000;

/// Watches of one connection: below what a server allows.
const OF_ONE_CONNECTION: usize = 500;

/// The resident memory of a process, in bytes.
fn memory(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<usize>().unwrap() * 1024
}

async fn open(server: &TestServer, ids: &[String]) -> Vec<Streaming<WatchOrderResponse>> {
    let mut streams = Vec::new();
    for part in ids.chunks(OF_ONE_CONNECTION) {
        let client = server.client().await;
        let opening = stream::iter(part).map(|id| {
            let mut orders = client.orders.clone();
            async move { orders.watch_order(after(id, 0)).await }
        });
        let opened = opening.buffer_unordered(50);
        let opened: Vec<_> = opened.try_collect().await.unwrap();
        streams.extend(opened.into_iter().map(|response| response.into_inner()));
    }
    streams
}

/// Reads a watch to its end; gives the state it ended in and how many events it told.
async fn to_the_end(mut stream: Streaming<WatchOrderResponse>) -> (OrderState, i64) {
    let (mut state, mut revision) = (OrderState::Unspecified, 0);
    while let Some(answer) = next(&mut stream).await.unwrap() {
        let order = answer.order.unwrap();
        assert_eq!(order.revision, revision + 1);
        (state, revision) = (order.state(), order.revision);
    }
    (state, revision)
}

fn print(what: &str, before: usize, server: &TestServer, watches: usize) {
    let each = memory(server.process.pid()).saturating_sub(before) / watches / 1024;
    println!("{watches} watches {what}: {each} KiB of the server's memory each");
}

async fn place_held(client: &Client, sku: &str) -> String {
    let placing = Placing::pre_order(sku, 30);
    let id = placing.id();
    client.place(placing).await;
    id
}

async fn cancel(client: &Client, id: &str) {
    let request = CancelOrderRequest {
        order_id: id.to_owned(),
        request_id: format!("cancel-{id}"),
        ..CancelOrderRequest::default()
    };
    client.orders.clone().cancel_order(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute: make test-all"]
async fn five_thousand_on_one_order_and_on_five_thousand_orders_all_get_the_close() {
    let server = TestServer::start(ServerOptions::default()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, WATCHES as i64 + 1).await;

    let one = client.held(&sku).await;
    let before = memory(server.process.pid());
    let streams = open(&server, &vec![one.clone(); WATCHES]).await;
    print("on one order", before, &server, WATCHES);
    let reading: Vec<_> = streams
        .into_iter()
        .map(to_the_end)
        .map(tokio::spawn)
        .collect();
    let begun = Instant::now();
    cancel(&client, &one).await;
    let mut ends = Vec::new();
    for reader in reading {
        ends.push(reader.await.unwrap());
    }
    let took = begun.elapsed();
    let closed = client.get(&one).await;
    assert!(
        ends.iter()
            .all(|end| *end == (OrderState::Cancelled, closed.revision))
    );
    assert_eq!(ends.len(), WATCHES);
    println!("all of them had the close {took:?} after the cancel was sent");

    let placing = stream::iter(0..WATCHES).map(|_| place_held(&client, &sku));
    let ids: Vec<String> = placing.buffer_unordered(50).collect().await;
    for id in &ids {
        client.until(id, OrderState::AwaitingRelease).await;
    }
    let before = memory(server.process.pid());
    let streams = open(&server, &ids).await;
    print("on as many orders", before, &server, WATCHES);
    let reading: Vec<_> = streams
        .into_iter()
        .map(to_the_end)
        .map(tokio::spawn)
        .collect();
    let begun = Instant::now();
    let cancelling = stream::iter(&ids).map(|id| cancel(&client, id));
    cancelling.buffer_unordered(20).collect::<Vec<()>>().await;
    let mut closes = 0;
    for reader in reading {
        let (state, _) = reader.await.unwrap();
        assert_eq!(state, OrderState::Cancelled);
        closes += 1;
    }
    assert_eq!(closes, WATCHES);
    println!(
        "{closes} orders were cancelled, and all their watches ended, in {:?}",
        begun.elapsed()
    );
}
