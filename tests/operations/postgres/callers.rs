//! Callers that stop waiting, at a server whose database is far away, hold up nobody.

use nix::sys::signal::Signal;
use orders::v1::WatchOrdersResponse;
use orders_test_support::{
    Client, Delay, Placing, Postgres, ServerOptions, TestServer, TestTemporal, eventually, sku,
    watch::next,
};
use sqlx::{AnyConnection, Connection};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tonic::{Request, Streaming};

/// A session of somebody else.
async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.unwrap()
}

/// Servers as they grow: one far from its database that runs no orders, and one near it that does.
struct Shop {
    temporal: TestTemporal,
    postgres: Postgres,
    url: String,
    far: TestServer,
    near: TestServer,
    _delay: Delay,
}

impl Shop {
    async fn open(delay: Duration) -> Shop {
        let (temporal, postgres) = tokio::join!(
            TestTemporal::start(),
            tokio::task::spawn_blocking(|| Postgres::start(false)),
        );
        let postgres = postgres.unwrap();
        let url = postgres.database(Path::new("orders"));
        let (delayed, far_url) = Delay::before(&url, delay).await;
        let options = ServerOptions::with_temporal(&temporal.address);
        let near = TestServer::start(options.clone().database_url(&url)).await;
        let far = options.arg("--no-worker").database_url(&far_url);
        let far = TestServer::start(far).await;
        Shop {
            temporal,
            postgres,
            url,
            far,
            near,
            _delay: delayed,
        }
    }

    /// The sessions that are idle in a transaction.
    async fn idle(&self) -> i64 {
        let mut session = connect(&self.url).await;
        let idle = sqlx::query_scalar(
            "SELECT COUNT(*) FROM pg_stat_activity
             WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
        );
        let idle = idle.fetch_one(&mut session).await.unwrap();
        session.close().await.unwrap();
        idle
    }

    /// Nothing is left of the callers, and nothing of them was ended by force.
    async fn is_clean(&self) {
        eventually("all transactions to end", async || {
            (self.idle().await == 0).then_some(())
        })
        .await;
        for wrong in [
            "already a transaction in progress",
            "idle-in-transaction timeout",
        ] {
            assert_eq!(self.postgres.count_in_log(wrong), 0, "{wrong}");
        }
    }
}

/// Places orders with deadlines that pass in the middle of it, `at_once` at a time.
async fn impatient(server: &TestServer, sku: &str, at_once: usize, deadlines: &[u64]) {
    let loops = (0..at_once).map(async |_| {
        let client = server.client().await;
        for milliseconds in deadlines {
            let mut request = Request::new(Placing::new("standard", sku).0);
            request.set_timeout(Duration::from_millis(*milliseconds));
            // Whatever becomes of it.
            let _ = client.orders.clone().place_order(request).await;
        }
    });
    futures::future::join_all(loops).await;
}

/// Places orders one after the other, each once the event of the one before has come over the watch; gives
/// the longest time that one took.
async fn placed_and_seen(
    client: &Client,
    watch: &mut Streaming<WatchOrdersResponse>,
    sku: &str,
    orders: usize,
) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..orders {
        let begun = Instant::now();
        let placing = Placing::new("standard", sku);
        let id = placing.id();
        client.place(placing).await;
        loop {
            let told = next(watch).await.unwrap().expect("it has no end");
            if told.event.is_some_and(|event| event.order_id == id) {
                break;
            }
        }
        longest = longest.max(begun.elapsed());
    }
    longest
}

#[tokio::test(flavor = "multi_thread")]
async fn short_deadlines_leave_no_transaction_and_no_watch_behind() {
    let shop = Shop::open(Duration::from_millis(10)).await;
    let client = shop.near.client().await;
    let sku = sku();
    client.stock(&sku, 10_000).await;
    let (_, mut watch) = client.watch_many("", "").await.unwrap();
    let deadlines: Vec<u64> = (0..40).map(|round| 1 + round * 13 % 240).collect();
    let (longest, ()) = tokio::join!(
        placed_and_seen(&client, &mut watch, &sku, 20),
        impatient(&shop.far, &sku, 8, &deadlines),
    );
    println!("an order was seen by the watch {longest:?} after its call at most");
    shop.is_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make test-all"]
async fn short_deadlines_while_temporal_is_frozen_hold_up_nobody() {
    let shop = Shop::open(Duration::from_millis(10)).await;
    let client = shop.near.client().await;
    let sku = sku();
    client.stock(&sku, 10_000).await;
    for round in 0..3 {
        shop.temporal.process.signal(Signal::SIGSTOP);
        let frozen = Instant::now();
        // Stored, and not started: the sweep does so at once when Temporal is back.
        impatient(&shop.far, &sku, 24, &[400]).await;
        tokio::time::sleep_until((frozen + Duration::from_secs(9)).into()).await;
        shop.temporal.process.signal(Signal::SIGCONT);
        let deadlines: Vec<u64> = (0..4).map(|call| 60 + call * 55).collect();
        impatient(&shop.far, &sku, 24, &deadlines).await;
        let (_, mut watch) = client.watch_many("", "").await.unwrap();
        let longest = placed_and_seen(&client, &mut watch, &sku, 60).await;
        println!("round {round}: seen {longest:?} after the call at most");
        shop.is_clean().await;
    }
}

/// A session of somebody else, in another database, holds the event log back: that is said, and that it is
/// over.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_held_back_is_said() {
    let (temporal, postgres) = tokio::join!(
        TestTemporal::start(),
        tokio::task::spawn_blocking(|| Postgres::start(false)),
    );
    let postgres = postgres.unwrap();
    let url = postgres.database(Path::new("orders"));
    let options = ServerOptions::with_temporal(&temporal.address).database_url(&url);
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let (_, mut watch) = client.watch_many("", "").await.unwrap();
    let elsewhere = postgres.database(Path::new("elsewhere"));
    let elsewhere = format!("{elsewhere}?application_name=nightly");
    let mut session = connect(&elsewhere).await;
    for statement in ["BEGIN", "SELECT pg_current_xact_id()::text"] {
        sqlx::query(statement).execute(&mut session).await.unwrap();
    }
    let placing = Placing::new("standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    let said = eventually("a log line on who holds the log back", async || {
        server.process.line_with("the event log is held back by")
    })
    .await;
    assert!(said.contains("nightly"), "{said}");
    println!("{said}");
    sqlx::query("ROLLBACK").execute(&mut session).await.unwrap();
    session.close().await.unwrap();
    let told = next(&mut watch).await.unwrap().expect("it has no end");
    assert_eq!(told.event.unwrap().order_id, id);
    eventually("a log line on its end", async || {
        server.process.line_with("the event log moves again")
    })
    .await;
    let said = server.process.output();
    assert_eq!(said.matches("held back by").count(), 1, "{said}");
}
