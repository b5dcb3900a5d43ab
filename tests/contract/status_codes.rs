//! Each RPC with each of its status codes, provoked through the wire on a real server.
//!
//! One server for all: first what is refused while everything works, then what is done, then the
//! worker is killed, the database locked, and Temporal killed.

mod cases;
mod check;
mod stage;
mod table;
mod watch;

use check::Covered;
use orders_server::error::Reason;
use orders_test_support::wire;
use stage::Stage;
use std::collections::BTreeSet;
use table::{NEVER, NOT_PROVOKED, Outcome, table};

#[test]
fn the_table_has_every_rpc_and_every_reason() {
    let methods = wire::methods(&wire::contract());
    let known: BTreeSet<&str> = methods.iter().map(|method| method.name()).collect();
    let table = table();
    let rows: BTreeSet<&str> = table.keys().copied().collect();
    assert_eq!(rows, known, "an RPC without a row, or a row without an RPC");
    assert_eq!(rows.len(), methods.len(), "two RPCs of one name");
    // Each reason that `docs/errors.md` explains is one that some RPC answers, or that none ever should.
    let mut answered: BTreeSet<Reason> = table.into_values().flatten().collect();
    assert!(NEVER.iter().all(|(reason, _)| answered.insert(*reason)));
    answered.extend(table::BEFORE_ANY.map(|(reason, _)| reason));
    assert_eq!(answered, BTreeSet::from(Reason::ALL));
}

#[tokio::test]
async fn each_rpc_answers_each_of_its_codes() {
    let mut stage = Stage::start().await;
    let mut covered = Covered::default();

    let before = stage.snapshot().await;
    for case in cases::refused(&stage) {
        covered.run(&stage.wire, case).await;
    }
    for case in watch::refused(&stage) {
        covered.run(&stage.wire, case).await;
    }
    watch::too_many(&stage, &mut covered).await;
    assert_eq!(
        stage.snapshot().await,
        before,
        "a refused request changed something"
    );

    for case in cases::done(&stage) {
        covered.run(&stage.wire, case).await;
    }
    for case in cases::refused_and_recorded(&stage) {
        covered.run(&stage.wire, case).await;
    }
    watch::done(&stage, &mut covered).await;

    let before = stage.rested().await;
    stage.kill_worker();
    covered.run_all(&stage.wire, cases::too_many(&stage)).await;
    let locked = stage.lock_database().await;
    covered.run_all(&stage.wire, cases::late(&stage)).await;
    covered
        .run_all(&stage.wire, cases::without_database(&stage))
        .await;
    drop(locked);
    stage.until_readable().await;
    assert_eq!(
        stage.snapshot().await,
        before,
        "what was not answered was done"
    );

    stage.kill_temporal();
    let (waiting, one_more, others) = cases::without_temporal(&stage);
    covered.run_all(&stage.wire, others).await;
    assert_eq!(
        stage.snapshot().await,
        before,
        "what was not answered was done"
    );
    // Orders are stored, to be started as soon as Temporal is back; as many as may wait.
    for request in waiting {
        let placed = stage.wire.call("PlaceOrder", &request, None).await.unwrap();
        assert_eq!(placed.body["order"]["state"], "ORDER_STATE_PLACED");
    }
    let before = stage.snapshot().await;
    covered.run(&stage.wire, one_more).await;
    assert_eq!(stage.snapshot().await, before, "a refused order was stored");
    watch::stopping(stage, &mut covered).await;

    assert_all_covered(&covered);
}

/// Everything that the table names was seen, and nothing else.
fn assert_all_covered(covered: &Covered) {
    let mut expected = BTreeSet::new();
    let mut count = 0;
    let table = table();
    for (rpc, row) in &table {
        let refused = row.iter().copied().map(Outcome::Refused);
        let all = std::iter::once(Outcome::Ok).chain(refused);
        expected.extend(all.map(|outcome| ((*rpc).to_owned(), outcome)));
    }
    for (rpc, reason, why) in NOT_PROVOKED {
        assert!(expected.remove(&(rpc.to_owned(), Outcome::Refused(reason))));
        println!(
            "{rpc:22} {:19} {reason}: not provoked: {why}",
            format!("{:?}", reason.code())
        );
    }
    for (rpc, outcome) in covered.seen() {
        println!("{rpc:22} {outcome}");
        count += 1;
    }
    let missing: Vec<_> = expected.difference(covered.seen()).collect();
    let unlisted: Vec<_> = covered.seen().difference(&expected).collect();
    assert!(
        missing.is_empty() && unlisted.is_empty(),
        "never answered: {missing:#?}; not in the table: {unlisted:#?}"
    );
    for (reason, test) in table::BEFORE_ANY {
        println!("{:22} {}: {test}", "any", Outcome::Refused(reason));
    }
    for (reason, why) in NEVER {
        println!(
            "{:22} {:19} {reason}: never: {why}",
            "any",
            format!("{:?}", reason.code())
        );
    }
    println!("{} RPCs, {count} outcomes", table.len());
}
