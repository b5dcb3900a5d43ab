//! Thousands of watches at once: each gets the close, and what one costs is printed.

use futures::{StreamExt, stream};
use orders::v1::{
    CancelOrderRequest, OrderState, WatchOrderRequest, WatchOrderResponse,
    order_service_client::OrderServiceClient,
};
use orders_test_support::{
    Client, PATIENCE, Placing, ServerOptions, TestServer, TestTemporal,
    again::{is_of_connection, until_answered},
    eventually, sku,
    watch::after,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tonic::{Code, Status, Streaming, transport::Channel};

const WATCHES: usize = 5_000;

/// Watches of one connection: below what a server allows.
const OF_ONE_CONNECTION: usize = 500;

/// How often the connection of one watch may break, where thousands of them keep a slow machine busy.
/// That those of clients who answer are kept is shown in `edge::connections`.
const BROKEN: usize = 3;

/// For all of them to be told: a slow machine that does other things beside this closes a dozen
/// orders in a second.
const LONG: Duration = Duration::from_secs(900);

/// A watch of one order, and the connection that it came over.
struct Watch {
    orders: OrderServiceClient<Channel>,
    order_id: String,
    stream: Streaming<WatchOrderResponse>,
}

async fn open(server: &TestServer, ids: &[String]) -> Vec<Watch> {
    let mut watches = Vec::new();
    for part in ids.chunks(OF_ONE_CONNECTION) {
        let client = server.client().await;
        let opening = stream::iter(part).map(|id| watch(client.orders.clone(), id));
        let opened = opening.buffered(50);
        watches.extend(opened.collect::<Vec<_>>().await);
    }
    watches
}

/// Opens a watch whose connection broke once more. Hundreds do at the same time, so that some are
/// refused at first.
async fn again(
    orders: OrderServiceClient<Channel>,
    request: WatchOrderRequest,
) -> Streaming<WatchOrderResponse> {
    let end = Instant::now() + PATIENCE;
    loop {
        let opened = orders.clone().watch_order(request.clone()).await;
        let refused =
            |status: &Status| is_of_connection(status) || status.code() == Code::ResourceExhausted;
        if opened.as_ref().is_err_and(refused) && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(200)).await;
        } else {
            return opened.unwrap().into_inner();
        }
    }
}

async fn watch(orders: OrderServiceClient<Channel>, id: &str) -> Watch {
    let opened = orders.clone().watch_order(after(id, 0)).await;
    Watch {
        stream: opened.unwrap().into_inner(),
        order_id: id.to_owned(),
        orders,
    }
}

/// How a watch ended.
struct Ended {
    state: OrderState,
    /// How many events it told.
    revision: i64,
    /// How often its connection broke.
    broken: usize,
}

/// Reads a watch to its end, as clients do: when its connection breaks (a machine on which either
/// side is not heard for many seconds), it goes on over another one with what it was not told yet.
async fn to_the_end(mut watch: Watch) -> Ended {
    let mut ended = Ended {
        state: OrderState::Unspecified,
        revision: 0,
        broken: 0,
    };
    loop {
        // Thousands of orders take longer than what one may wait for.
        let next = tokio::time::timeout(LONG, watch.stream.message()).await;
        match next.expect("the close to come in time") {
            Ok(Some(answer)) if answer.heartbeat => {}
            Ok(Some(answer)) => {
                let order = answer.order.unwrap();
                assert_eq!(order.revision, ended.revision + 1);
                (ended.state, ended.revision) = (order.state(), order.revision);
            }
            Ok(None) => return ended,
            Err(status) => {
                ended.broken += 1;
                let may_break = is_of_connection(&status) && ended.broken <= BROKEN;
                assert!(may_break, "{status:?}");
                let request = after(&watch.order_id, ended.revision);
                watch.stream = again(watch.orders.clone(), request).await;
            }
        }
    }
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
    let send = |request: CancelOrderRequest| {
        let mut service = client.orders.clone();
        async move { service.cancel_order(request).await }
    };
    eventually("the answer to a cancel", async || {
        match until_answered(request.clone(), send).await {
            Err(status) if is_of_connection(&status) => None,
            answered => Some(answered.unwrap()),
        }
    })
    .await;
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
    let before = server.process.memory();
    let streams = open(server, watched).await;
    let each = server.process.memory().saturating_sub(before) / watched.len() / 1024;
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
    let mut broken = 0;
    for (reader, id) in reading.into_iter().zip(watched) {
        let ended = reader.await.unwrap();
        assert_eq!(ended.state, OrderState::Cancelled, "{id}");
        let revision = *ends.entry(id).or_insert(ended.revision);
        assert_eq!(ended.revision, revision, "{id}");
        broken += ended.broken;
    }
    let took = begun.elapsed();
    println!("{broken} times a connection broke under a watch");
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
        streams.push(watch(lazy.clone(), &id).await);
    }
    let before = server.process.memory();
    for number in 0..400 {
        super::change(&client, &id, number).await;
    }
    let each = server.process.memory().saturating_sub(before) / STALLED / 1024;
    println!("{STALLED} watches that do not read cost {each} KiB each after 400 changes");
    assert!(each < 200, "{each} KiB");
    cancel(&client, &id).await;
    let closed = client.until(&id, OrderState::Cancelled).await.revision;
    for stream in streams {
        let ended = to_the_end(stream).await;
        // A connection that was closed would cost little, too.
        assert_eq!(
            (ended.state, ended.revision, ended.broken),
            (OrderState::Cancelled, closed, 0)
        );
    }
}
