//! Stopping under load, and starting with much to do.

use crate::operations::verify::verify;
use futures::{StreamExt, future::join_all, stream};
use nix::sys::signal::Signal;
use orders::v1::{OrderState, StartFulfillmentRequest};
use orders_test_support::{Client, PATIENCE, Placing, ServerOptions, TestServer, eventually, sku};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};
use tonic::Code;

/// Clients at once, half of them placing and half of them commanding.
const CLIENTS: usize = 8;

/// The calls under way, the worker and the embedded Temporal have ten seconds each.
const GRACE: Duration = Duration::from_secs(30);

/// What clients were told, and what they do not know.
#[derive(Default)]
struct Told {
    placed: Vec<String>,
    started: Vec<String>,
    unsure: Vec<Unsure>,
}

enum Unsure {
    Place(Box<Placing>),
    Start(StartFulfillmentRequest),
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load_loses_no_acknowledged_call() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default().data_dir(&folder.path().join("data"));
    let mut server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 100_000).await;
    let held: Vec<String> = stream::iter(0..60)
        .map(|_| client.held(&sku))
        .buffer_unordered(8)
        .collect()
        .await;
    let told = Mutex::new(Told::default());
    let waiting = Mutex::new(held);
    let clients = (0..CLIENTS).map(|number| {
        let (client, told, waiting, sku) = (client.clone(), &told, &waiting, &sku);
        async move {
            match number % 2 {
                0 => place_until_stopped(client, sku, told).await,
                _ => start_until_stopped(client, waiting, told).await,
            }
        }
    });
    let stopping = async {
        eventually("some load", async || {
            let told = told.lock().unwrap();
            (told.placed.len() >= 20 && told.started.len() >= 10).then_some(())
        })
        .await;
        server.process.signal(Signal::SIGTERM);
        let asked = Instant::now();
        let code = server.ended().await;
        (code, asked.elapsed())
    };
    let (_, (code, took)) = futures::join!(join_all(clients), stopping);
    assert_eq!(code, Some(0));
    assert!(took < GRACE, "{took:?}");
    let told = told.into_inner().unwrap();
    println!(
        "stopped within {took:?}: {} placed, {} commanded, {} without an answer",
        told.placed.len(),
        told.started.len(),
        told.unsure.len()
    );

    let server = TestServer::start(options).await;
    let client = server.client().await;
    for id in &told.placed {
        let known = client.try_get(id).await;
        assert!(known.is_ok(), "{id} was acknowledged and is lost");
    }
    for id in &told.started {
        let types = client.event_types(id).await;
        let started = types.iter().any(|name| name == "FULFILLMENT_STARTED");
        assert!(started, "a command to {id} was acknowledged and is lost");
    }
    // Those without an answer may be sent again, and happen once.
    for unsure in told.unsure {
        match unsure {
            Unsure::Place(placing) => {
                client.place((*placing).clone()).await;
                client
                    .until(&placing.id(), OrderState::AwaitingRelease)
                    .await;
            }
            Unsure::Start(request) => {
                let id = request.order_id.clone();
                client
                    .orders
                    .clone()
                    .start_fulfillment(request)
                    .await
                    .unwrap();
                assert_eq!(client.count_events(&id, "FULFILLMENT_STARTED").await, 1);
            }
        }
    }
    for id in &told.placed {
        client.until(id, OrderState::AwaitingRelease).await;
    }
    let ran = tokio::task::block_in_place(|| verify(&server.data_dir, &[]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(server.stop().await, Some(0));
}

async fn place_until_stopped(client: Client, sku: &str, told: &Mutex<Told>) {
    loop {
        let placing = Placing::pre_order(sku, 30);
        let placed = client.try_place_unchecked(placing.clone()).await;
        let mut told = told.lock().unwrap();
        match placed {
            Ok(()) => told.placed.push(placing.id()),
            Err(_) => return told.unsure.push(Unsure::Place(Box::new(placing))),
        }
    }
}

async fn start_until_stopped(client: Client, waiting: &Mutex<Vec<String>>, told: &Mutex<Told>) {
    loop {
        let next = waiting.lock().unwrap().pop();
        let Some(order_id) = next else { return };
        let request = StartFulfillmentRequest {
            request_id: format!("start/{order_id}"),
            order_id,
            ..StartFulfillmentRequest::default()
        };
        let mut orders = client.orders.clone();
        let done = orders.start_fulfillment(request.clone()).await;
        {
            let mut told = told.lock().unwrap();
            match done {
                Ok(_) => told.started.push(request.order_id),
                Err(_) => return told.unsure.push(Unsure::Start(request)),
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let mut server = TestServer::start(ServerOptions::default()).await;
    let client = server.client().await;
    // A watch would be given its ten seconds.
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30).token("tok-slow");
    client.place(placing).await;
    server.process.signal(Signal::SIGTERM);
    eventually("the first signal to be seen", async || {
        server.process.line_with("stopping")
    })
    .await;
    // One that comes within half a second is the same request.
    tokio::time::sleep(Duration::from_millis(600)).await;
    server.process.signal(Signal::SIGTERM);
    let code = server.ended().await;
    // It may have been at its end already.
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    let said = server.process.line_with("asked twice").is_some();
    assert_eq!(said, code == Some(1), "{}", server.process.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_with_many_open_orders_is_quick() {
    start_with(100, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make test-all"]
async fn starting_with_thousands_of_open_orders_is_quick_and_bounded_in_memory() {
    start_with(5_000, 1_000).await;
}

/// So many pre-orders are held, and so many orders were just placed, when the server is killed.
async fn start_with(held: usize, interrupted: usize) {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default().data_dir(&folder.path().join("data"));
    let server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1_000_000).await;
    let ids = place_many(&client, held, || Placing::pre_order(&sku, 30)).await;
    for id in &ids {
        client.until(id, OrderState::AwaitingRelease).await;
    }
    assert_eq!(server.stop().await, Some(0));
    // Nobody runs these before the kill.
    let idle = options.clone().arg("--no-worker");
    let mut server = TestServer::start(idle).await;
    let client = server.client().await;
    let cut = place_many(&client, interrupted, || Placing::new("standard", &sku)).await;
    server.process.kill();

    let began = Instant::now();
    let server = TestServer::start(options).await;
    let ready = began.elapsed();
    let client = server.client().await;
    let began = Instant::now();
    let request = StartFulfillmentRequest {
        order_id: ids[0].clone(),
        request_id: "first".to_owned(),
        ..StartFulfillmentRequest::default()
    };
    // What was interrupted goes first: Temporal hands out workflow tasks in the order in which they came,
    // and a debug build on two busy cores takes some ten in a second.
    let behind = Duration::from_millis(100) * interrupted as u32;
    loop {
        // As a client does whose time is up: the same again.
        let mut orders = client.orders.clone();
        match orders.start_fulfillment(request.clone()).await {
            Ok(_) => break,
            Err(status) => {
                let again = [Code::Unavailable, Code::DeadlineExceeded].contains(&status.code());
                assert!(again && began.elapsed() < behind + PATIENCE, "{status}");
            }
        }
    }
    let first = began.elapsed();
    let mut most = server.process.memory();
    for id in &cut {
        client.until(id, OrderState::InTransit).await;
        most = most.max(server.process.memory());
    }
    let caught_up = began.elapsed();
    let most = most / 1024 / 1024;
    println!(
        "{held} held and {interrupted} interrupted orders: ready after {ready:?}, first command \
         {first:?}, all went on within {caught_up:?}, at most {most} MiB"
    );
    // Far from what is quick, which is printed above: machines are noisy.
    assert!(ready < Duration::from_secs(60), "{ready:?}");
    assert!(most < 500, "{most} MiB");
    let began = Instant::now();
    let ran = tokio::task::block_in_place(|| verify(&server.data_dir, &[]));
    println!("verify took {:?}:\n{}", began.elapsed(), ran.out);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(server.stop().await, Some(0));
}

async fn place_many(client: &Client, count: usize, placing: impl Fn() -> Placing) -> Vec<String> {
    let place = async |placing: Placing| {
        let id = placing.id();
        client.place(placing).await;
        id
    };
    let all: Vec<Placing> = (0..count).map(|_| placing()).collect();
    stream::iter(all)
        .map(place)
        .buffer_unordered(16)
        .collect()
        .await
}
