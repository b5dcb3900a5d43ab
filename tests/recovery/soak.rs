//! A few hundred orders through the wire, under random policies, with random commands, failing
//! providers and a kill in the middle: every order ends, and every invariant of `checks` holds over all that
//! is left behind.
//!
//! What happens follows from a seed, but for the moments at which it happens: `ORDERS_SOAK_SEED=...`
//! plays the same orders, policies, failures and commands again, `ORDERS_SOAK_ORDERS=...` more or fewer.

pub mod books;
pub mod checks;
pub mod dice;
pub mod plan;
pub mod play;
pub mod policies;
mod reading;
pub mod send;

use books::{Books, Entry};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use orders::v1::{ListPoliciesRequest, Policy, SetStockItemRequest, StockItem};
use orders_domain::{event::Change, order::Order, state::OrderState};
use orders_test_support::{
    ServerOptions, TestServer, TestTemporal, eventually, postgres, temporal,
};
use plan::Plan;
use play::{Played, play};
use send::{Answer, Line};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant, SystemTime},
};

/// Orders of one run.
const ORDERS: u64 = 300;

/// Random policies of one run; with the presets, each gets about ten orders.
pub const POLICIES: u64 = 24;

/// Orders at the same time.
const AT_ONCE: usize = 16;

/// Of all attempts: some fail, some hang, and of some the answer is lost.
pub const FAILURES: &str = "all:error=0.15,hang=0.02,lost=0.15";

/// A number from the environment.
pub fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number")),
    )
}

pub fn random_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_micros() as u64
}

#[tokio::test]
async fn hundreds_of_random_orders_keep_every_invariant() {
    if postgres::chosen() {
        return; // Its books are read by SQLite's own functions.
    }
    let seed = setting("ORDERS_SOAK_SEED").unwrap_or_else(random_seed);
    let count = setting("ORDERS_SOAK_ORDERS").unwrap_or(ORDERS);
    println!("ORDERS_SOAK_SEED={seed} ORDERS_SOAK_ORDERS={count} plays this again");
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = options(&temporal, folder.path(), seed);
    let mut server = TestServer::start(options.clone()).await;
    let line = Line::new(server.client().await);
    fill_the_shelves(&line).await;
    let policies = policies_of(&line).await;

    let began = Instant::now();
    let ended = AtomicUsize::new(0);
    let plans = (0..count).map(|number| Plan::throw(seed, number, &policies));
    let playing = stream::iter(plans)
        .map(async |plan| {
            let played = play(&line, plan).await;
            ended.fetch_add(1, Ordering::Relaxed);
            played
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<Played>>();
    // I8: all that follows holds although the server is killed amid it.
    let killing = async {
        while ended.load(Ordering::Relaxed) < count as usize / 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let killed = Timestamp::now();
        server.process.kill();
        let again = TestServer::start(options).await;
        line.turn_to(again.client().await);
        (again, killed)
    };
    // Right also in every moment between, by the server's own check.
    let verifying = async {
        let mut runs = 0;
        while ended.load(Ordering::Relaxed) < count as usize {
            verified(&folder.path().join("data"), &temporal.address).await;
            runs += 1;
        }
        runs
    };
    let (played, (server, killed), runs) = futures::join!(playing, killing, verifying);
    let took = began.elapsed();
    println!("verified {runs} times while orders were in flight");

    let books = Books::open(&server.data_dir).await;
    checks::all(&books, &played).await;
    no_workflow_failed(&temporal, &played).await;
    verified(&server.data_dir, &temporal.address).await;
    reading::i10_reading_changes_nothing(&line.client(), &books, &played).await;
    let entries = books.entries().await;
    print_figures(&entries, &played, &line, took);
    it_was_worth_it(&entries, killed);
    books.close().await;
    assert_eq!(server.stop().await, Some(0));
}

/// `orders verify` finds nothing.
async fn verified(data_dir: &std::path::Path, temporal: &str) {
    let (data_dir, temporal) = (data_dir.to_owned(), temporal.to_owned());
    let verify =
        move || crate::operations::verify::verify(&data_dir, &["--temporal-address", &temporal]);
    let ran = tokio::task::spawn_blocking(verify).await.unwrap();
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
}

fn options(temporal: &TestTemporal, folder: &std::path::Path, seed: u64) -> ServerOptions {
    let file = folder.join("policies.toml");
    std::fs::write(&file, policies::file(seed, POLICIES)).unwrap();
    ServerOptions::with_temporal(&temporal.address)
        .data_dir(&folder.join("data"))
        .arg("--policies")
        .arg(file.to_str().unwrap())
        .arg("--simulate")
        .arg(FAILURES)
        .arg("--simulate-seed")
        .arg(&seed.to_string())
}

pub async fn fill_the_shelves(line: &Line) {
    for (sku, pieces) in plan::STOCK {
        let request = SetStockItemRequest {
            stock_item: Some(StockItem {
                sku: (*sku).to_owned(),
                on_hand: Some(*pieces),
                ..StockItem::default()
            }),
            request_id: format!("stock/{sku}"),
            actor: String::new(),
            expected_revision: None,
        };
        let mut inventory = line.client().inventory;
        inventory.set_stock_item(request).await.unwrap();
    }
}

pub async fn policies_of(line: &Line) -> Vec<Policy> {
    let listed = line
        .client()
        .orders
        .list_policies(ListPoliciesRequest {})
        .await;
    let policies = listed.unwrap().into_inner().policies;
    assert!(policies.len() > POLICIES as usize, "the presets, too");
    policies
}

/// A business refusal is a normal end, and a crash ends no workflow. Lanes are counted with their
/// orders.
async fn no_workflow_failed(temporal: &TestTemporal, played: &[Played]) {
    let address = &temporal.address;
    eventually("the end of every workflow", async || {
        let running = temporal::count(address, "ExecutionStatus = 'Running'").await;
        let orders = "ExecutionStatus = 'Completed' AND WorkflowType = 'OrderWorkflow'";
        let completed = temporal::count(address, orders).await;
        (running == 0 && completed == played.len()).then_some(())
    })
    .await;
    assert_eq!(
        temporal::count(address, temporal::BAD_END).await,
        0,
        "workflows that failed"
    );
}

fn print_figures(
    entries: &BTreeMap<String, Entry>,
    played: &[Played],
    line: &Line,
    took: Duration,
) {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries.values() {
        *reasons.entry(checks::reason(&entry.order)).or_default() += 1;
    }
    let events = || entries.values().flat_map(|entry| &entry.events);
    let count = |of: fn(&Change) -> bool| events().filter(|event| of(&event.change)).count();
    let asked = || played.iter().flat_map(|played| &played.asked);
    let answers = |by_signal: bool, heard: Answer| {
        let of = |(asked, answer): &&(send::Asked, Answer)| {
            asked.by_signal == by_signal && *answer == heard
        };
        asked().filter(of).count()
    };
    println!(
        "{} orders under {} policies in {took:.1?}: {reasons:?}",
        played.len(),
        entries
            .values()
            .map(|entry| &entry.order.policy.name)
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
    );
    println!(
        "{} events, {} failed attempts, {} compensations, {} deadlines passed; {} calls sent again",
        events().count(),
        count(|change| matches!(change, Change::AttemptFailed { .. })),
        count(|change| matches!(change, Change::Compensated { .. })),
        count(|change| matches!(change, Change::DeadlinePassed { .. })),
        line.again.load(Ordering::Relaxed),
    );
    let took = |order: &Order| {
        let closed = order.close_time.unwrap_or(order.place_time);
        closed.duration_since(order.place_time)
    };
    let orders = entries.values().map(|entry| &entry.order);
    if let Some(slowest) = orders.max_by_key(|order| took(order)) {
        let (id, policy) = (&slowest.order_id, &slowest.policy.name);
        println!("the slowest was {id} ({policy}): {:#}", took(slowest));
    }
    println!(
        "commands: {} done, {} refused; signals: {} taken in ({} refused in the log), {} turned away",
        answers(false, Answer::Done),
        answers(false, Answer::Refused),
        answers(true, Answer::Done),
        count(|change| matches!(change, Change::CommandRefused { .. })),
        answers(true, Answer::Refused),
    );
}

/// The chances came true: orders were in flight at the kill, and there was something to check.
fn it_was_worth_it(entries: &BTreeMap<String, Entry>, killed: Timestamp) {
    let orders = || entries.values().map(|entry| &entry.order);
    let in_flight = |order: &&Order| {
        order.place_time < killed && order.close_time.is_some_and(|time| time > killed)
    };
    let in_flight = orders().filter(in_flight).count();
    println!("{in_flight} orders were in flight when the server was killed");
    assert!(in_flight > 0, "the kill met no order");
    for state in [
        OrderState::Completed,
        OrderState::Cancelled,
        OrderState::Rejected,
    ] {
        let met = orders().any(|order| order.state == state);
        assert!(met, "no order ended {state}");
    }
}
