//! Health: what can be done, and that those who watch it are told.

use nix::sys::signal::Signal;
use orders::v1::{CancelOrderRequest, OrderState};
use orders_test_support::{
    Placing, Refused, ServerOptions, TestServer, TestTemporal, beside_shared, eventually,
    process::Process, sku, unique,
};
use std::{
    process::Command,
    time::{Duration, Instant},
};
use tonic::{
    Code, Streaming,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};
use tonic_types::StatusExt;

const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;
const COMMANDS: &str = "orders.v1.OrderService";
const STOCK: &str = "orders.v1.InventoryService";
/// The same for what operators ask.
const OPERATORS: &str = "orders.v1.OperatorService";

struct Health(HealthClient<Channel>);

impl Health {
    async fn of(server: &TestServer) -> Health {
        let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        Health(HealthClient::new(endpoint.connect().await.unwrap()))
    }

    async fn check(&self, service: &str) -> i32 {
        let service = service.to_owned();
        let checked = self.0.clone().check(HealthCheckRequest { service }).await;
        checked.unwrap().into_inner().status
    }

    async fn watch(&self, service: &str) -> Streaming<HealthCheckResponse> {
        let service = service.to_owned();
        let watch = self.0.clone().watch(HealthCheckRequest { service }).await;
        watch.unwrap().into_inner()
    }
}

async fn next(watch: &mut Streaming<HealthCheckResponse>) -> i32 {
    let next = tokio::time::timeout(Duration::from_secs(30), watch.message()).await;
    next.expect("in time").unwrap().expect("a status").status
}

#[tokio::test]
async fn temporal_goes_away_and_comes_back() {
    let mut temporal = TestTemporal::start().await;
    let server = TestServer::start(ServerOptions::with_temporal(&temporal.address)).await;
    let client = server.client().await;
    let health = Health::of(&server).await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let mut watch = health.watch(COMMANDS).await;
    assert_eq!(next(&mut watch).await, SERVING);

    temporal.process.kill();
    let begun = Instant::now();
    assert_eq!(next(&mut watch).await, NOT_SERVING);
    println!("NOT_SERVING {:?} after Temporal's end", begun.elapsed());
    assert_eq!(health.check("").await, SERVING);
    assert_eq!(health.check(STOCK).await, SERVING);
    assert_eq!(client.get(&id).await.state(), OrderState::AwaitingRelease);
    let cancel = CancelOrderRequest {
        order_id: id.clone(),
        request_id: unique("cancel"),
        ..CancelOrderRequest::default()
    };
    let begun = Instant::now();
    let status = client
        .orders
        .clone()
        .cancel_order(cancel.clone())
        .await
        .unwrap_err();
    println!("a command is refused after {:?}", begun.elapsed());
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.get_details_retry_info().is_some(), "{status:?}");
    assert_eq!(Refused::from(status).reason, "TEMPORAL_UNAVAILABLE");

    let port = temporal
        .address
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let _temporal = TestTemporal::start_at(port).await;
    let begun = Instant::now();
    assert_eq!(next(&mut watch).await, SERVING);
    println!("SERVING {:?} after Temporal's return", begun.elapsed());
    // The very same request is now done.
    eventually("the command to be done", async || {
        let sent = client.orders.clone().cancel_order(cancel.clone()).await;
        sent.is_ok().then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_watches_is_told_of_changes_only_and_does_not_hold_up_the_stop() {
    let mut server = beside_shared(ServerOptions::default()).await;
    let health = Health::of(&server).await;
    let mut watches = Vec::new();
    for service in ["", COMMANDS, STOCK, OPERATORS] {
        let mut watch = health.watch(service).await;
        assert_eq!(next(&mut watch).await, SERVING);
        watches.push(watch);
    }
    // Three looks later nothing was said, since nothing has changed.
    let silent = tokio::time::timeout(Duration::from_secs(6), watches[0].message()).await;
    assert!(silent.is_err(), "{silent:?}");

    server.process.signal(Signal::SIGTERM);
    let begun = Instant::now();
    for mut watch in watches {
        assert_eq!(next(&mut watch).await, NOT_SERVING);
        let end = watch.message().await.unwrap_err();
        assert_eq!(end.code(), Code::Unavailable, "{end:?}");
    }
    assert_eq!(server.ended().await, Some(0));
    let took = begun.elapsed();
    println!("stopped after {took:?} with three watches open");
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test]
async fn a_service_that_there_is_not_is_not_found() {
    let server = orders_test_support::shared().await;
    let health = Health::of(server).await;
    let service = "orders.v9.Nonsense".to_owned();
    let checked = health.0.clone().check(HealthCheckRequest { service }).await;
    assert_eq!(checked.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
#[ignore = "more than a minute: Temporal itself notices the end of a worker by its silence"]
async fn the_last_worker_goes() {
    let temporal = TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address).arg("--no-worker");
    let server = TestServer::start(options).await;
    let mut worker = Command::new(env!("CARGO_BIN_EXE_orders"));
    worker
        .args(["worker", "--temporal-address", &temporal.address])
        .arg("--data-dir")
        .arg(&server.data_dir)
        .envs(orders_test_support::server::database_env(&server.data_dir));
    let worker = Process::spawn(worker);
    let health = Health::of(&server).await;
    eventually("commands to be possible", async || {
        (health.check(COMMANDS).await == SERVING).then_some(())
    })
    .await;
    let sku = sku();
    let client = server.client().await;
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;

    drop(worker);
    let begun = Instant::now();
    let bound = Duration::from_secs(80);
    while health.check(COMMANDS).await != NOT_SERVING {
        assert!(begun.elapsed() < bound, "still SERVING");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!(
        "NOT_SERVING {:?} after the last worker's end",
        begun.elapsed()
    );
    assert_eq!(health.check("").await, SERVING);
    assert_eq!(client.get(&id).await.state(), OrderState::AwaitingRelease);
}
