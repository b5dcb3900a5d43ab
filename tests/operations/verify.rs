//! `orders verify`: says nothing of a store that is right, also while orders are in flight, and finds
//! each kind of damage, alone.

mod damage;
mod temporal;

use orders::v1::OrderState;
use orders_store::{Store, verify::Check};
use orders_test_support::{
    Cli, Client, PATIENCE, Placing, ServerOptions, TestServer, cli::Ran, order::dollars, sku,
};
use std::{collections::BTreeSet, path::Path, time::Duration};

/// `orders verify` on a data folder.
pub fn verify(data_dir: &Path, args: &[&str]) -> Ran {
    let data_dir = data_dir.to_str().unwrap();
    let mut all = vec!["verify", "--data-dir", data_dir, "--log-level", "warn"];
    all.extend(args);
    let mut cli = Cli::at("127.0.0.1:1");
    if let Some(tool) = orders_test_support::temporal::tool("temporal") {
        cli = cli.env("ORDERS_TEMPORAL_CLI", tool.to_str().unwrap());
    }
    if let Some((name, url)) = orders_test_support::server::database_env(Path::new(data_dir)) {
        cli = cli.env(name, &url);
    }
    cli.run(&all)
}

/// The names of the checks that found something, with the order or sku of each. Fails where nothing was
/// verified.
pub fn found(ran: &Ran) -> BTreeSet<(String, String)> {
    assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    let lines = ran.out.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        let of = text("order_id").or(text("sku")).unwrap_or_default();
        text("check").map(|check| (check, of))
    });
    lines.flatten().collect()
}

/// Orders of each kind: what is left of them is what damage is done to.
struct Orders {
    done: String,
    cancelled: String,
    held: String,
    /// It waits for the rest of its payment from outside.
    outside: String,
    sku: String,
}

async fn play(client: &Client) -> Orders {
    let sku = sku();
    client.reordered_stock(&sku, 10, 10, 20).await;
    let placing = Placing::new("standard", &sku);
    let done = placing.id();
    client.place(placing).await;
    client.until(&done, OrderState::InTransit).await;
    client.confirm_delivery(&done).await.unwrap();
    client.until(&done, OrderState::Completed).await;
    let cancelled = client.held(&sku).await;
    client.cancel(&cancelled).await.unwrap();
    client.until(&cancelled, OrderState::Cancelled).await;
    let held = client.held(&sku).await;
    client.until_delivered(&sku, 1).await;
    for token in ["tok-declined", "tok-fraud", "tok-lost-answer"] {
        let placing = Placing::new("standard", &sku).token(token);
        client.place(placing).await;
    }
    let waiting = Placing::new("external-payment", &sku);
    let id = waiting.id();
    client.place(waiting).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    let part = client.confirm_payment(&id, dollars(5, 0)).await.unwrap();
    assert_eq!(part.state(), OrderState::AwaitingPayment);
    Orders {
        done,
        cancelled,
        held,
        outside: id,
        sku,
    }
}

#[tokio::test]
async fn a_store_that_is_right_gives_no_finding_and_each_damage_its_own() {
    if orders_test_support::postgres::chosen() {
        return println!("about a SQLite file");
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = TestServer::start(ServerOptions::default().data_dir(&data)).await;
    let orders = play(&server.client().await).await;

    // Beside the server, whose Temporal it finds by itself.
    let ran = verify(&data, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("0 findings, 0 warnings"), "{}", ran.out);
    assert!(ran.out.contains("running workflows"), "{}", ran.out);
    println!("{}", ran.out);
    assert_eq!(server.stop().await, Some(0));
    // And without one.
    let ran = verify(&data, &["--json"]);
    assert_eq!(
        (ran.code, found(&ran)),
        (Some(0), BTreeSet::new()),
        "{ran:?}"
    );

    // What no damage to a SQLite file can show; `postgres` has its test.
    let mut fired = BTreeSet::from([Check::LogHeld]);
    for damage in damage::TABLE {
        let copy = folder.path().join(damage.check.as_str());
        std::fs::create_dir(&copy).unwrap();
        let file = copy.join("orders.db");
        orders_store::copy::copy(&data.join("orders.db"), &file)
            .await
            .unwrap();
        damage::apply(&file, damage.sql, &orders).await;
        let store = Store::open(&file).await.unwrap();
        let mut found = BTreeSet::new();
        let mut list = Vec::new();
        let verified = store.verify(jiff::Timestamp::now(), |finding| {
            found.insert(finding.check);
            list.push(finding);
        });
        verified.await.unwrap();
        store.close().await;
        let expected = damage.also.iter().chain([&damage.check]);
        let expected: BTreeSet<&str> = expected.map(|check| check.as_str()).collect();
        assert_eq!(found, expected, "{}: {list:#?}", damage.check);
        fired.insert(damage.check);
        if damage.check == Check::PaymentBalance {
            let ran = verify(&copy, &["--no-temporal"]);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            assert!(ran.out.contains(&orders.cancelled), "{}", ran.out);
            println!("{}", ran.out);
        }
    }
    let all: BTreeSet<Check> = Check::ALL.iter().copied().collect();
    assert_eq!(fired, all, "checks that nothing fires");
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_apart_from_findings() {
    if orders_test_support::postgres::chosen() {
        return println!("about a SQLite file");
    }
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    let ran = verify(&nothing, &[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("--data-dir"), "{}", ran.err);
    assert!(!nothing.exists(), "it made what it was to look at");
    let store = Store::open(&folder.path().join("orders.db")).await.unwrap();
    store.close().await;
    let ran = verify(folder.path(), &["--temporal-address", "127.0.0.1:1"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("127.0.0.1:1"), "{}", ran.err);
    let ran = verify(folder.path(), &["--no-temporal"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// An empty Temporal that is started for a database server would have no workflow of any order, and a repair
/// would start them all in it.
#[test]
fn a_database_server_without_its_temporal_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cli =
        Cli::at("127.0.0.1:1").env("ORDERS_DATABASE_URL", "postgres://a:b@127.0.0.1:1/orders");
    let data_dir = data.to_str().unwrap();
    for more in [&[][..], &["--repair"]] {
        let ran = cli.run(&[&["verify", "--data-dir", data_dir][..], more].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        for way in ["--temporal-address", "--data-dir", "--no-temporal"] {
            assert!(ran.err.contains(way), "{way}: {}", ran.err);
        }
        assert!(!data.exists(), "it made what it was to look at");
    }
    // With Temporal named, or left out, the database is asked.
    for more in [
        &["--no-temporal"][..],
        &["--temporal-address", "127.0.0.1:1"],
    ] {
        let ran = cli.run(&[&["verify", "--data-dir", data_dir][..], more].concat());
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.err.contains("the database"), "{}", ran.err);
    }
}

/// Beside a running server its Temporal is used, and nothing is started.
#[tokio::test]
async fn beside_a_server_no_temporal_cli_is_needed() {
    if orders_test_support::postgres::chosen() {
        return println!("about a SQLite file");
    }
    let server = TestServer::start(ServerOptions::default()).await;
    let data_dir = server.data_dir.to_str().unwrap();
    let cli = Cli::at("127.0.0.1:1")
        .env("PATH", "")
        .env("ORDERS_TEMPORAL_CLI", "/nothing");
    let ran = cli.run(&["verify", "--data-dir", data_dir, "--log-level", "warn"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("compared with Temporal"), "{}", ran.out);
    server.stop().await;
}

/// Runs `orders verify` until it finds these: what happened just now is not said yet.
pub async fn until_found(data: &Path, args: &[&str], expected: &[(&str, &str)]) -> Ran {
    let expected: BTreeSet<(String, String)> = expected
        .iter()
        .map(|(check, of)| ((*check).to_owned(), (*of).to_owned()))
        .collect();
    let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    let end = tokio::time::Instant::now() + 2 * PATIENCE;
    loop {
        let ran = tokio::task::block_in_place(|| verify(data, &args));
        let found = found(&ran);
        if found == expected {
            return ran;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "found {found:?} and not {expected:?}: {}",
            ran.err
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
