//! Transactions end, whoever stops waiting and whatever the database does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{Store, probe::AS_AN_ORDER, samples::open};
use orders_test_support::postgres;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    (folder, store)
}

/// Adds a sku in a transaction of its own.
async fn add(store: &Store, sku: &str) {
    let mut tx = store.write().await.unwrap();
    insert(&mut tx, sku).await;
    tx.commit().await.unwrap();
}

async fn insert(connection: &mut super::Connection, sku: &str) {
    sqlx::query("INSERT INTO stock (sku, on_hand) VALUES ($1, 0)")
        .bind(sku)
        .execute(connection)
        .await
        .unwrap();
}

async fn has(store: &Store, sku: &str) -> bool {
    store.stock_item(sku).await.unwrap().is_some()
}

#[tokio::test]
async fn a_connection_whose_commit_failed_is_replaced() {
    if postgres::chosen() {
        return println!("about the one writer of a SQLite file");
    }
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    for statement in [
        "PRAGMA defer_foreign_keys = ON",
        "INSERT INTO payments (payment_id, order_id, currency) VALUES ('p', 'nobody', 'USD')",
    ] {
        sqlx::query(statement).execute(&mut *tx).await.unwrap();
    }
    // It fails, and SQLite leaves the transaction open.
    tx.commit().await.unwrap_err();
    add(&store, "after").await;
    assert!(has(&store, "after").await);
}

#[tokio::test]
async fn a_transaction_that_the_database_has_ended_stops_no_other() {
    if postgres::chosen() {
        return println!("PostgreSQL ends transactions with their connections");
    }
    let (_folder, store) = store().await;
    for (number, commits) in [false, true].into_iter().enumerate() {
        let mut tx = store.write().await.unwrap();
        insert(&mut tx, "lost").await;
        // As SQLite does by itself when the disk is full.
        sqlx::query("ROLLBACK").execute(&mut *tx).await.unwrap();
        if commits {
            tx.commit().await.unwrap_err();
        } else {
            drop(tx);
        }
        assert!(!has(&store, "lost").await);
        let sku = format!("after-{number}");
        add(&store, &sku).await;
        assert!(has(&store, &sku).await);
    }
}

#[tokio::test]
async fn what_does_not_fit_fails_alone_and_the_probe_says_so() {
    if postgres::chosen() {
        return println!("about the pages of a SQLite file");
    }
    let (_folder, store) = store().await;
    let mut probe = store.write_probe();
    probe.check().await.unwrap();
    // No page more than there are: of this connection only, so the one that replaces it has room again.
    sqlx::query("PRAGMA max_page_count = 1")
        .execute(&store.writer)
        .await
        .unwrap();
    let mut tx = store.write().await.unwrap();
    let full = sqlx::query("UPDATE write_probe SET body = $1")
        .bind("x".repeat(1024 * 1024))
        .execute(&mut *tx)
        .await;
    assert!(full.unwrap_err().to_string().contains("full"));
    drop(tx);
    add(&store, "after").await;
    probe.check().await.unwrap();
}

#[tokio::test]
async fn every_try_of_the_probe_writes_all_its_bytes() {
    if postgres::chosen() {
        return println!("about the log of a SQLite file");
    }
    let (folder, store) = store().await;
    let log = || {
        std::fs::metadata(folder.path().join("orders.db-wal"))
            .unwrap()
            .len()
    };
    for _ in 0..3 {
        let before = log();
        store.try_write(AS_AN_ORDER).await.unwrap();
        assert!(
            log() - before >= AS_AN_ORDER as u64,
            "from {before} to {}",
            log()
        );
    }
}

#[tokio::test]
async fn the_probe_sees_a_database_that_takes_no_writes_and_that_it_does_again() {
    if postgres::chosen() {
        return println!("about the lock of a SQLite file");
    }
    let (folder, store) = store().await;
    let mut probe = store.write_probe();
    probe.check().await.unwrap();
    let other = Store::open(&folder.path().join("orders.db")).await.unwrap();
    let held = other.write().await.unwrap();
    // Nothing was tried since, and a moment ago all was well.
    probe.check().await.unwrap();
    store.write().await.err().expect("the lock is held");
    probe.check().await.unwrap_err();
    drop(held);
    probe.check().await.unwrap();
    assert!(probe.check().await.is_ok());
}

#[tokio::test]
async fn a_commit_goes_on_without_its_caller_and_tells_those_who_wait() {
    let (_folder, store) = store().await;
    let mut tx = store.write().await.unwrap();
    insert(&mut tx, "kept").await;
    let told = Arc::new(AtomicBool::new(false));
    let tell = told.clone();
    let mut commit = Box::pin(tx.commit_then(move || tell.store(true, Ordering::SeqCst)));
    // Asked once, and given up.
    let pending = futures::poll!(&mut commit);
    assert!(pending.is_pending());
    drop(commit);
    while !told.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(has(&store, "kept").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_may_stop_at_any_moment() {
    let (_folder, store) = store().await;
    let mut done = Vec::new();
    for round in 0..300_u64 {
        let sku = format!("sku-{round}");
        let add = async {
            let mut tx = store.write().await?;
            insert(&mut tx, &sku).await;
            tx.commit().await
        };
        let patience = Duration::from_micros(round * 7 % 1500);
        match tokio::time::timeout(patience, add).await {
            Ok(added) => {
                added.unwrap();
                done.push(sku);
            }
            // What was given up may be there or not.
            Err(_) => continue,
        }
    }
    add(&store, "last").await;
    for sku in done.iter().map(String::as_str).chain(["last"]) {
        assert!(has(&store, sku).await, "{sku}");
    }
}
