//! What only the store itself can show.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{
    Store, StoreError,
    list::{Filter, SortKey, Sorting},
    micros,
    open::OpenError,
    outbox::{Claim, Outcome::Delivered},
    overdue::Place,
    payment_journal::Outcome,
    samples::{open, screened, take_in},
};
use jiff::{SignedDuration, Timestamp};
use orders_domain::{
    effect::Effect,
    event::Change,
    movement::{Movement, MovementKind, Task},
    step::Step,
};
use orders_test_support::postgres;

#[tokio::test]
async fn two_that_open_a_new_file_at_once_both_find_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let opened = futures::future::join_all((0..4).map(|_| Store::open(&path))).await;
    for store in opened {
        store.unwrap().ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let store = Store::open(&path).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', 1, x'00', 0)",
    )
    .execute(&store.writer)
    .await
    .unwrap();
    store.close().await;
    let refused = Store::open(&path).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Newer { version: 9999, .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn a_workflow_that_knows_more_than_the_database_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    let tx = store.lock_order("order", now).await.unwrap();
    let refused = tx.commit(2, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
    let nobody = store.lock_order("nobody", now).await.err().unwrap();
    assert!(matches!(nobody, StoreError::NoOrder(_)), "{nobody}");
}

#[tokio::test]
async fn overdue_orders_are_found_page_by_page_and_a_broken_row_hides_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    for order_id in ["a", "b", "c", "d", "e"] {
        take_in(&store, order_id, now).await;
    }
    sqlx::query("UPDATE orders SET document = '{}' WHERE order_id = 'b'")
        .execute(&store.writer)
        .await
        .unwrap();
    let later = now + SignedDuration::from_secs(1);
    let mut place = Place::default();
    let mut found = Vec::new();
    loop {
        let page = store.overdue(later, &place, 2).await.unwrap();
        found.extend(
            page.orders
                .into_iter()
                .map(|overdue| overdue.order.order_id),
        );
        match page.next {
            Some(next) => place = next,
            None => break,
        }
    }
    assert_eq!(found, ["a", "c", "d", "e"]);
    let not_yet = store.overdue(now, &Place::default(), 10).await.unwrap();
    assert!(not_yet.orders.is_empty());
}

#[tokio::test]
async fn orders_without_a_workflow_are_found_and_counted_by_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    for order_id in ["a", "b", "c", "d", "e"] {
        take_in(&store, order_id, now).await;
    }
    store.confirm_start("c").await.unwrap();
    let later = now + SignedDuration::from_secs(1);
    let mut found = Vec::new();
    loop {
        let last = found.last();
        let page = store.unstarted(later, last, 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    let found: Vec<&str> = found.iter().map(|order| order.order_id.as_str()).collect();
    assert_eq!(found, ["a", "b", "d", "e"]);
    assert_eq!(store.unstarted(now, None, 3).await.unwrap(), []);
    for (before, most, count) in [(later, 10, 4), (later, 3, 3), (now, 10, 0)] {
        assert_eq!(store.count_unstarted(before, most).await.unwrap(), count);
    }
    if store.dialect == super::dialect::Dialect::Sqlite {
        for query in [super::unstarted::FIND, super::unstarted::COUNT] {
            let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")))
                .fetch_all(&store.readers)
                .await
                .unwrap();
            let plan: Vec<String> = plan
                .iter()
                .map(|row| sqlx::Row::get(row, "detail"))
                .collect();
            let plan = plan.join("; ");
            assert!(plan.contains("orders_unstarted"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}

#[tokio::test]
async fn an_order_can_be_read_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    let mut tx = store.lock_order("order", now).await.unwrap();
    tx.record(screened());
    let events = tx.commit(1, Some("run")).await.unwrap();
    assert_eq!(events.len(), 1);
    let first = store.order_at("order", 1).await.unwrap().order;
    let second = store.order_at("order", 2).await.unwrap().order;
    assert!(!first.screened && second.screened);
    // A second outcome of the same effect is refused by the database itself.
    let mut tx = store.lock_order("order", now).await.unwrap();
    tx.record(screened());
    tx.commit(2, Some("run")).await.unwrap_err();
    assert_eq!(store.order("order").await.unwrap().unwrap().order, second);
}

#[tokio::test]
async fn what_was_told_before_the_outbox_is_not_told_again() {
    if postgres::chosen() {
        return; // Older versions had SQLite only.
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let store = Store::open(&path).await.unwrap();
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    // The tables as they were before, with a message that an older version wrote.
    for back in [
        "DROP TABLE notifications",
        "DELETE FROM _sqlx_migrations WHERE version = 2",
        "CREATE TABLE notifications (order_id TEXT NOT NULL REFERENCES orders (order_id),
             milestone TEXT NOT NULL, recipient TEXT NOT NULL, time BIGINT NOT NULL,
             PRIMARY KEY (order_id, milestone))",
        "INSERT INTO notifications VALUES ('order', 'received', 'customer', 1700000000000000)",
    ] {
        sqlx::query(back).execute(&store.writer).await.unwrap();
    }
    store.close().await;

    let store = Store::open(&path).await.unwrap();
    let due = store.claim_messages(now, now, 10).await.unwrap();
    assert!(due.is_empty(), "{due:?}");
    let delivered = ("DELIVERED".to_owned(), 0, None);
    assert_eq!(store.message_state("order", "received").await, delivered);
}

/// Between the look and the taking of a process, another one may have taken what comes first.
#[tokio::test]
async fn a_message_is_not_taken_when_another_process_has_the_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    let soon = now + SignedDuration::from_secs(10);
    let lease = soon + SignedDuration::from_secs(60);
    let milestones = |claims: &[Vec<Claim>]| {
        let claims = claims.iter().flatten();
        let names: Vec<_> = claims
            .map(|claim| claim.message.milestone.clone())
            .collect();
        names.join(" ")
    };
    let lease = micros(lease);
    let seen_first = store.due_messages(soon, lease, 10).await.unwrap();
    let mut tx = store.lock_order("order", now).await.unwrap();
    tx.record(Change::FulfillmentStarted);
    tx.commit(1, None).await.unwrap();
    let seen_later = store.due_messages(soon, lease, 10).await.unwrap();
    assert_eq!(milestones(&seen_later), "received fulfillment_started");

    let first = store.claim_due(seen_first, soon, lease).await.unwrap();
    assert_eq!(milestones(&first), "received");
    let later = store.claim_due(seen_later, soon, lease).await.unwrap();
    assert_eq!(milestones(&later), "");
    // It was not taken: once the one before it is done, it is due.
    let done = first.into_iter().flatten();
    let done: Vec<_> = done.map(|claim| (claim, Delivered)).collect();
    store.settle_messages(soon, &done).await.unwrap();
    let next = store.claim_messages(soon, soon, 10).await.unwrap();
    assert_eq!(milestones(&next), "fulfillment_started");
}

/// I10: whatever is read, and a lock that finds nothing to do, leaves the database as it is.
#[tokio::test]
async fn reading_changes_nothing() {
    if postgres::chosen() {
        return; // It is SQLite that counts its changes.
    }
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    store.confirm_start("order").await.unwrap();
    let mut tx = store.lock_order("order", now).await.unwrap();
    tx.record(screened());
    tx.commit(1, Some("run")).await.unwrap();
    // Changes when anybody else commits anything, in whichever process.
    let mut watcher = store.readers.acquire().await.unwrap();
    let version = "PRAGMA data_version";
    let before: i64 = sqlx::query_scalar(version)
        .fetch_one(&mut *watcher)
        .await
        .unwrap();

    let order = store.order("order").await.unwrap().unwrap().order;
    assert_eq!(order.revision, 2);
    assert_eq!(store.order_at("order", 1).await.unwrap().order.revision, 1);
    let history = store.history("order", 0, 10).await.unwrap().unwrap();
    assert_eq!(history.entries.len(), 2);
    let head = store.log_head().await.unwrap();
    assert_eq!(store.log(head - 1, 10).await.unwrap().len(), 1);
    assert!(store.request("order").await.unwrap().is_some());
    let again = store.placed_before("order", "order", "order").await;
    assert!(again.unwrap().is_some());
    let sorting = Sorting {
        by: SortKey::UpdateTime,
        descending: true,
    };
    let listed = store.orders(&Filter::default(), sorting, None, 10).await;
    assert_eq!(listed.unwrap().len(), 1);
    let soon = now + SignedDuration::from_secs(60);
    let overdue = store.overdue(soon, &Place::default(), 10).await.unwrap();
    assert_eq!(overdue.orders.len(), 1);
    assert!(store.stock_item("sku").await.unwrap().is_none());
    store.ping().await.unwrap();
    // An effect that is not next, or a wake of an order that has nothing to settle.
    let mut tx = store.lock_order("order", soon).await.unwrap();
    tx.settle().unwrap();
    assert!(tx.commit(2, Some("another run")).await.unwrap().is_empty());
    // An effect that was given up before its commit.
    let mut tx = store.lock_order("order", soon).await.unwrap();
    tx.record(Change::FulfillmentStarted);
    drop(tx);

    assert_eq!(store.order("order").await.unwrap().unwrap().order, order);
    let after: i64 = sqlx::query_scalar(version)
        .fetch_one(&mut *watcher)
        .await
        .unwrap();
    assert_eq!(after, before);
}

/// A payload out of Temporal's UI, sent again under another request id, carries the same attempt.
#[tokio::test]
async fn a_copied_attempt_stops_nothing_and_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    for request_id in ["first", "copy"] {
        let mut tx = store.lock_order("order", now).await.unwrap();
        let known = tx.order().revision;
        let reason = request_id.to_owned();
        let change = Change::CancelRequested { reason };
        tx.record_command(change, "me", request_id, "attempt");
        tx.commit(known, None).await.unwrap();
    }
    let applied = async |attempt, request_id| {
        let applied = store.was_applied_by("order", attempt, request_id).await;
        applied.unwrap()
    };
    assert!(applied("attempt", "first").await && applied("attempt", "copy").await);
    assert!(!applied("attempt", "third").await && !applied("another", "first").await);
}

/// One transaction may record many signals: it knows those that it has recorded itself.
#[tokio::test]
async fn a_transaction_knows_the_requests_and_events_that_it_adds() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    let mut tx = store.lock_order("order", now).await.unwrap();
    assert_eq!(tx.request("first").await.unwrap(), None);
    let reason = "first".to_owned();
    tx.record_command(Change::CancelRequested { reason }, "me", "first", "");
    tx.remember_request("first", "content");
    let known = tx.request("first").await.unwrap().unwrap();
    assert_eq!((known.revision, known.fingerprint.as_str()), (2, "content"));
    let refused = Change::CommandRefused {
        command: "CANCEL_ORDER".to_owned(),
        reason: "too late".to_owned(),
    };
    assert!(!tx.has_key("refused/x").await.unwrap());
    tx.record_refusal(refused, "me", None, "refused/x".to_owned());
    assert!(tx.has_key("refused/x").await.unwrap());
    tx.count_refused();
    tx.commit(1, None).await.unwrap();
    assert_eq!(store.refused_signals("order").await.unwrap(), 1);
    let stored = store.request("first").await.unwrap().unwrap();
    assert_eq!(stored, known);

    // What is only counted is no event, and is kept all the same.
    let mut tx = store.lock_order("order", now).await.unwrap();
    tx.count_refused();
    tx.count_refused();
    assert_eq!(tx.commit(3, None).await.unwrap(), []);
    assert_eq!(store.refused_signals("order").await.unwrap(), 3);
    let order = store.order("order").await.unwrap().unwrap().order;
    assert_eq!(order.revision, 3);
}

/// An order may have more news for its workflow than one answer holds.
#[tokio::test]
async fn what_others_added_comes_in_answers_of_a_bounded_size() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    let add = async |events: usize, bytes: usize| {
        let mut tx = store.lock_order("order", now).await.unwrap();
        let known = tx.order().revision;
        for _ in 0..events {
            let refused = Change::CommandRefused {
                command: "CANCEL_ORDER".to_owned(),
                reason: "x".repeat(bytes),
            };
            tx.record(refused);
        }
        tx.commit(known, None).await.unwrap();
    };
    let missed = async |known| {
        let tx = store.lock_order("order", now).await.unwrap();
        let events = tx.commit(known, None).await.unwrap();
        let revisions: Vec<i64> = events.iter().map(|event| event.revision).collect();
        let follows = (known + 1..).take(revisions.len()).eq(revisions.clone());
        assert!(follows, "without gaps: {revisions:?}");
        revisions.len()
    };
    add(600, 1).await;
    assert_eq!(missed(1).await, 500);
    assert_eq!(missed(501).await, 100);
    assert_eq!(missed(601).await, 0);
    add(5, 100_000).await;
    assert_eq!(missed(601).await, 2);
    // One that is larger than any answer is brought alone.
    add(1, 400_000).await;
    assert_eq!(missed(606).await, 1);
}

#[tokio::test]
async fn payments_from_before_the_journal_are_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let store = Store::open(&path).await.unwrap();
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    // The tables as an older version left them: authorized, captured, nothing in a journal.
    for back in [
        "DELETE FROM _sqlx_migrations WHERE version = 5",
        "DROP TABLE payment_journal",
        "INSERT INTO payment_entries (key, payment_id, kind, amount, transaction_id, time)
             VALUES ('order/capture_payment', 'pay-order', 'CAPTURE', 100, 'second', 2),
                    ('order/authorize_payment', 'pay-order', 'AUTHORIZE', 100, 'first', 1)",
        "UPDATE payments SET authorized = 100, captured = 100",
    ] {
        sqlx::query(back).execute(&store.writer).await.unwrap();
    }
    store.close().await;

    let store = Store::open(&path).await.unwrap();
    let mut tx = store.lock_order("order", now).await.unwrap();
    let journal = tx.journal().await.unwrap();
    let kinds: Vec<_> = journal.entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [MovementKind::Authorize, MovementKind::Capture]);
    let moved = journal.moved("order/capture_payment").unwrap();
    assert_eq!(moved.transaction_id.as_deref(), Some("second"));
    assert_eq!(journal.open().count(), 0);
}

#[tokio::test]
async fn the_books_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    let mut tx = store.lock_order("order", now).await.unwrap();
    let order = tx.order().clone();
    let effect = Effect::first(Step::AuthorizePayment);
    let authorized = |amount| Change::PaymentAuthorized {
        effect,
        transaction_id: "txn".to_owned(),
        amount,
    };
    // The order's log says that it is paid, and the journal knows nothing of it.
    tx.record(authorized(100));
    let refused = tx.commit(1, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");

    let mut tx = store.lock_order("order", now).await.unwrap();
    let journal = tx.journal().await.unwrap();
    let task = journal.task(&order, effect).unwrap();
    let Some(Task::Move(movement)) = task else {
        panic!("{task:?}");
    };
    tx.intend(&movement).await.unwrap();
    // An intent is kept although nothing happened to the order.
    assert_eq!(tx.commit(1, None).await.unwrap(), []);
    let mut tx = store.lock_order("order", now).await.unwrap();
    assert!(tx.journal().await.unwrap().is_open(&movement.key));
    let moved = Outcome::moved("txn");
    for _ in 0..2 {
        tx.book(&movement, &moved, "orders").await.unwrap();
    }
    let journal = tx.journal().await.unwrap();
    assert_eq!(journal.entries.len(), 2, "booked once");
    tx.record(authorized(movement.amount));
    tx.commit(1, None).await.unwrap();
    // More than was authorized cannot be captured, nor more than was captured be refunded.
    let mut tx = store.lock_order("order", now).await.unwrap();
    let too_much = Movement {
        key: "order/capture_payment".to_owned(),
        kind: MovementKind::Capture,
        amount: movement.amount + 1,
        ..movement
    };
    let refused = tx.book(&too_much, &moved, "orders").await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))));
    drop(tx);
    // Sums that are not those of the journal are noticed before anything is written.
    sqlx::query("UPDATE payments SET authorized = 1")
        .execute(&store.writer)
        .await
        .unwrap();
    let mut tx = store.lock_order("order", now).await.unwrap();
    assert!(matches!(tx.journal().await, Err(StoreError::Corrupt(_))));
}
