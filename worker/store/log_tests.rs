//! The log, and what is read of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{
    Store,
    list::{Comparison, Equality, Filter, SortKey, Sorting, Term},
    samples::{open, screened, take_in},
};
use jiff::{SignedDuration, Timestamp};
use orders_domain::{
    event::Change,
    state::{CloseReason, OrderState},
};
use orders_test_support::postgres;
use std::time::Duration;
use tempfile::TempDir;

async fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    (folder, store)
}

async fn record(store: &Store, order_id: &str, changes: &[Change]) {
    let now = Timestamp::now();
    let mut tx = store.lock_order(order_id, now).await.unwrap();
    let known = tx.order().revision;
    for change in changes {
        tx.record(change.clone());
    }
    tx.commit(known, Some("run")).await.unwrap();
    final_log(store).await;
}

/// The log once it shows all that was committed. On PostgreSQL that takes as long as somebody else's
/// transaction, in whichever database of the server.
async fn final_log(store: &Store) {
    let written = "SELECT COALESCE(MAX(position), 0) FROM order_events";
    let end = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let written: i64 = sqlx::query_scalar(written)
            .fetch_one(&store.readers)
            .await
            .unwrap();
        if store.log_head().await.unwrap() == written {
            return;
        }
        assert!(std::time::Instant::now() < end, "the log is held back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Everything after a position: order, revision of the event, revision of the order with it.
async fn told(store: &Store, position: i64) -> Vec<(String, i64, i64)> {
    let mut told = Vec::new();
    for record in store.log(position, 100).await.unwrap() {
        let order_id = record.order_id.clone();
        let entry = record.entry(store, None).await.unwrap();
        told.push((order_id, entry.event.revision, entry.stored.order.revision));
    }
    told
}

#[tokio::test]
async fn all_events_of_all_orders_come_in_the_order_of_their_commits() {
    let (_folder, store) = store().await;
    assert_eq!(store.log_head().await.unwrap(), 0);
    take_in(&store, "b", Timestamp::now()).await;
    take_in(&store, "a", Timestamp::now()).await;
    let two = [screened(), Change::FulfillmentStarted];
    record(&store, "b", &two).await;
    record(&store, "a", &[screened()]).await;
    let all = [("b", 1), ("a", 1), ("b", 2), ("b", 3), ("a", 2)];
    let all = all.map(|(order_id, revision)| (order_id.to_owned(), revision, revision));
    assert_eq!(told(&store, 0).await, all);
    let head = store.log_head().await.unwrap();
    assert_eq!(told(&store, head).await, []);
    let records = store.log(0, 3).await.unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!(told(&store, records[2].position).await, all[3..]);
}

#[tokio::test]
async fn what_the_reader_knows_is_used_only_where_it_fits() {
    let (_folder, store) = store().await;
    take_in(&store, "order", Timestamp::now()).await;
    record(&store, "order", &[screened(), Change::FulfillmentStarted]).await;
    let at = async |revision| Some(store.order_at("order", revision).await.unwrap());
    let expected = store.order_at("order", 3).await.unwrap().order;
    for known in [None, at(1).await, at(2).await, at(3).await] {
        let record = store.log(0, 3).await.unwrap().remove(2);
        let entry = record.entry(&store, known).await.unwrap();
        assert_eq!(entry.stored.order, expected);
    }
}

#[tokio::test]
async fn a_history_comes_in_parts_and_says_how_far_it_goes() {
    let (_folder, store) = store().await;
    assert!(store.history("order", 0, 10).await.unwrap().is_none());
    take_in(&store, "order", Timestamp::now()).await;
    record(&store, "order", &[screened(), Change::FulfillmentStarted]).await;
    let read = async |revision, limit| {
        store
            .history("order", revision, limit)
            .await
            .unwrap()
            .unwrap()
    };
    let revisions = async |revision, limit| {
        let history = read(revision, limit).await;
        assert_eq!((history.newest, history.closed), (3, false));
        let entries = history.entries.iter();
        entries
            .map(|entry| {
                assert_eq!(entry.event.revision, entry.stored.order.revision);
                entry.event.revision
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(revisions(0, 10).await, [1, 2, 3]);
    assert_eq!(revisions(0, 2).await, [1, 2]);
    assert_eq!(revisions(2, 10).await, [3]);
    assert!(revisions(3, 10).await.is_empty());
    assert!(revisions(i64::MAX, i64::MAX).await.is_empty());
    let reason = CloseReason::Completed;
    record(&store, "order", &[Change::Closed { reason }]).await;
    assert!(read(4, 10).await.closed);
}

#[tokio::test]
async fn whoever_waits_hears_of_each_commit() {
    let (_folder, store) = store().await;
    let soon = Duration::from_secs(20);
    take_in(&store, "order", Timestamp::now()).await;
    tokio::time::timeout(soon, store.appended()).await.unwrap();
    record(&store, "order", &[screened()]).await;
    tokio::time::timeout(soon, store.appended()).await.unwrap();
}

/// Whatever the database lists, the filter lets pass, and nothing else.
#[tokio::test]
async fn a_filter_passes_what_the_database_finds() {
    let (_folder, store) = store().await;
    let now: Timestamp = "2026-11-21T10:00:00.123456789Z".parse().unwrap();
    let times = [-1, 0, 1].map(|microseconds| now + SignedDuration::from_micros(microseconds));
    for (order_id, time) in ["a", "b", "c"].into_iter().zip(times) {
        take_in(&store, order_id, time).await;
    }
    record(&store, "b", &[Change::FulfillmentStarted]).await;
    let customers = ["customer", "Customer", "nobody"];
    let mut terms: Vec<Term> = Vec::new();
    for equality in [Equality::Is, Equality::IsNot] {
        terms.extend(customers.map(|id| Term::Customer(equality, id.to_owned())));
        terms.extend(["standard", "stock"].map(|name| Term::Policy(equality, name.to_owned())));
        terms.extend(
            OrderState::ALL
                .iter()
                .map(|state| Term::State(equality, *state)),
        );
    }
    for comparison in [
        Comparison::Before,
        Comparison::NotAfter,
        Comparison::At,
        Comparison::NotBefore,
        Comparison::After,
    ] {
        terms.extend(times.map(|time| Term::PlaceTime(comparison, time)));
    }
    let sorting = Sorting {
        by: SortKey::PlaceTime,
        descending: false,
    };
    let all = store
        .orders(&Filter::default(), sorting, None, 10)
        .await
        .unwrap();
    assert_eq!(all.len(), 3);
    let mut pairs: Vec<Vec<Term>> = terms.iter().map(|term| vec![term.clone()]).collect();
    pairs.extend(terms.windows(2).map(<[Term]>::to_vec));
    let mut found_some = 0;
    for terms in pairs {
        let filter = Filter { terms };
        let found = store.orders(&filter, sorting, None, 10).await.unwrap();
        let found: Vec<String> = found
            .into_iter()
            .map(|(stored, _)| stored.order.order_id)
            .collect();
        let passing = all
            .iter()
            .filter(|(stored, _)| filter.passes(&stored.order));
        let passing: Vec<String> = passing
            .map(|(stored, _)| stored.order.order_id.clone())
            .collect();
        assert_eq!(passing, found, "{filter:?}");
        found_some += usize::from(!found.is_empty() && found.len() < 3);
    }
    assert!(found_some > 10, "{found_some}");
}

#[tokio::test]
async fn events_from_before_the_log_are_in_it_in_their_order() {
    if postgres::chosen() {
        return; // Older versions had SQLite only.
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let store = Store::open(&path).await.unwrap();
    for order_id in ["b", "a"] {
        take_in(&store, order_id, Timestamp::now()).await;
    }
    record(&store, "b", &[screened()]).await;
    let before = told(&store, 0).await;
    // The table as it was before.
    for back in [
        "DELETE FROM _sqlx_migrations WHERE version = 4",
        "CREATE TABLE old (order_id TEXT NOT NULL REFERENCES orders (order_id),
             revision BIGINT NOT NULL CHECK (revision >= 1), type TEXT NOT NULL, effect TEXT,
             time BIGINT NOT NULL, body TEXT NOT NULL,
             PRIMARY KEY (order_id, revision), UNIQUE (order_id, effect))",
        "INSERT INTO old SELECT order_id, revision, type, effect, time, body
             FROM order_events ORDER BY position",
        "DROP TABLE order_events",
        "ALTER TABLE old RENAME TO order_events",
    ] {
        sqlx::query(back).execute(&store.writer).await.unwrap();
    }
    store.close().await;

    let store = Store::open(&path).await.unwrap();
    assert_eq!(told(&store, 0).await, before);
    let head = store.log_head().await.unwrap();
    record(&store, "a", &[screened()]).await;
    assert_eq!(told(&store, head).await, [("a".to_owned(), 2, 2)]);
}
