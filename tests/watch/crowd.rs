//! Thousands of watches at once: each gets the close, and what one costs is printed.

use crate::harness::{
    Client, Placing, ServerOptions, TestServer, TestTemporal, again::until_answered, sku,
    watch::after,
};
use futures::{StreamExt, TryStreamExt, stream};
use orders::v1::{
    CancelOrderRequest, OrderState, WatchOrderResponse, order_service_client::OrderServiceClient,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tonic::Streaming;

const WATCHES: usize = 5_000;

/// Watches of one connection: below what a server allows.
const OF_ONE_CONNECTION: usize = 500;

/// For all of them to be told: a slow machine that does other things beside this closes a dozen
/// orders in a second.
const LONG: Duration = Duration::from_secs(900);

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
        let opened = opening.buffered(50);
        let opened: Vec<_> = opened.try_collect().await.unwrap();
        streams.extend(opened.into_iter().map(|response| response.into_inner()));
    }
    streams
}

/// Reads a watch to its end; gives the state it ended in and how many events it told.
async fn to_the_end(mut stream: Streaming<WatchOrderResponse>) -> (OrderState, i64) {
    let (mut state, mut revision) = (OrderState::Unspecified, 0);
    // Thousands of orders take longer than what one may wait for.
    let read = async |stream: &mut Streaming<_>| {
        let next = tokio::time::timeout(LONG, stream.message()).await;
        next.expect("the close to come in time").unwrap()
    };
    while let Some(answer) = read(&mut stream).await {
        let answer: WatchOrderResponse = answer;
        let order = answer.order.unwrap();
        assert_eq!(order.revision, revision + 1);
        (state, revision) = (order.state(), order.revision);
    }
    (state, revision)
}

async fn place(client: &Client, sku: &str) -> String {
    let mut placing = Placing::new("external-payment", sku);
    placing.0.payment_method = None;
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
    let send = |request| {
        let mut service = client.orders.clone();
        async move { service.cancel_order(request).await }
    };
    until_answered(request, send).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: make test-all"]
async fn five_thousand_on_one_order_and_on_five_thousand_orders_all_get_the_close() {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address).data_dir(folder.path());
    let server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, WATCHES as i64 + 1).await;
    let one = place(&client, &sku).await;
    let begun = Instant::now();
    let placing = stream::iter(0..WATCHES).map(|_| place(&client, &sku));
    let ids: Vec<String> = placing.buffer_unordered(20).collect().await;
    for id in ids.iter().chain([&one]) {
        client.until(id, OrderState::AwaitingPayment).await;
    }
    println!("{WATCHES} orders were placed in {:?}", begun.elapsed());
    assert_eq!(server.stop().await, Some(0));

    // A new process each time, so that what it holds is for the watches.
    let server = TestServer::start(options.clone()).await;
    let same = vec![one; WATCHES];
    let took = watch_all(&server, "on one order", &same, &same[..1]).await;
    println!("all of them had the close {took:?} after the cancel was sent");
    assert_eq!(server.stop().await, Some(0));

    let server = TestServer::start(options).await;
    let took = watch_all(&server, "on as many orders", &ids, &ids).await;
    println!("as many orders were cancelled, and all their watches ended, in {took:?}");
}

/// Watches these orders, cancels those, and reads every watch to its end; gives the time from the
/// first cancel to the last end.
async fn watch_all(
    server: &TestServer,
    what: &str,
    watched: &[String],
    cancelled: &[String],
) -> Duration {
    let client = server.client().await;
    let before = memory(server.process.pid());
    let streams = open(server, watched).await;
    let each = memory(server.process.pid()).saturating_sub(before) / watched.len() / 1024;
    println!(
        "{} watches {what}: {each} KiB of the server's memory each",
        watched.len()
    );
    let reading = streams.into_iter().map(to_the_end).map(tokio::spawn);
    let reading: Vec<_> = reading.collect();
    let begun = Instant::now();
    let cancelling = stream::iter(cancelled).map(|id| cancel(&client, id));
    cancelling.buffer_unordered(20).collect::<Vec<()>>().await;
    let mut ends = HashMap::new();
    for (reader, id) in reading.into_iter().zip(watched) {
        let (state, revision) = reader.await.unwrap();
        assert_eq!(state, OrderState::Cancelled, "{id}");
        assert_eq!(revision, *ends.entry(id).or_insert(revision), "{id}");
    }
    let took = begun.elapsed();
    for (id, revision) in ends {
        assert_eq!(client.get(id).await.revision, revision);
    }
    took
}

const STALLED: usize = 300;

/// Buffered without end, each would cost what was told meanwhile: more than half a megabyte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a while: make test-all"]
async fn hundreds_that_do_not_read_cost_little_and_miss_nothing() {
    let server = TestServer::start(ServerOptions::default()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let address = format!("http://{}", server.address);
    let endpoint = tonic::transport::Endpoint::from_shared(address).unwrap();
    let endpoint = endpoint.initial_stream_window_size(1024);
    let lazy = OrderServiceClient::new(endpoint.connect().await.unwrap());
    let mut streams = Vec::new();
    for _ in 0..STALLED {
        let opened = lazy.clone().watch_order(after(&id, 0)).await;
        streams.push(opened.unwrap().into_inner());
    }
    let before = memory(server.process.pid());
    for number in 0..400 {
        super::change(&client, &id, number).await;
    }
    let each = memory(server.process.pid()).saturating_sub(before) / STALLED / 1024;
    println!("{STALLED} watches that do not read cost {each} KiB each after 400 changes");
    assert!(each < 200, "{each} KiB");
    cancel(&client, &id).await;
    let closed = client.until(&id, OrderState::Cancelled).await.revision;
    for stream in streams {
        assert_eq!(to_the_end(stream).await, (OrderState::Cancelled, closed));
    }
}
