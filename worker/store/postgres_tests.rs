//! What only PostgreSQL can get wrong: many writers at once, and a log without one writer's order.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{
    Store, StoreError,
    append::{Appended, insert_events},
    batch::Batch,
    database::Database,
    dialect::Dialect,
    migrate::{Migrations, migrate},
    open::OpenError,
    place::Placing,
    samples::{self, open_postgres, placed, screened, take_in},
    stock_command::{StockOutcome, StockRefusal},
};
use futures::future::join_all;
use jiff::Timestamp;
use orders_domain::event::Change;
use orders_test_support::{Delay, Postgres};
use sqlx::{AnyConnection, Connection as _};
use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

async fn store() -> Store {
    let folder = tempfile::tempdir().unwrap();
    open_postgres(folder.path()).await
}

async fn count(store: &Store, query: &'static str) -> i64 {
    let count = sqlx::query_scalar(query).fetch_one(&store.readers);
    count.await.unwrap()
}

async fn positions_after(store: &Store, position: i64) -> Vec<(i64, String)> {
    let records = store.log(position, 1000).await.unwrap();
    let position = |record: super::log::Record| (record.position, record.order_id);
    records.into_iter().map(position).collect()
}

#[tokio::test]
async fn a_slow_transaction_holds_the_log_back_and_nobody_misses_its_events() {
    let store = store().await;
    let now = Timestamp::now();
    for order_id in ["before", "slow", "quick"] {
        take_in(&store, order_id, now).await;
    }
    let head = loop {
        // Other tests' transactions in the same server hold it back, too.
        if let [.., (head, _)] = positions_after(&store, 0).await[..]
            && store.log_head().await.unwrap() == head
            && positions_after(&store, 0).await.len() == 3
        {
            break head;
        }
    };
    let mut slow = store.lock_order("slow", now).await.unwrap();
    slow.record(screened());
    let mut quick = store.lock_order("quick", now).await.unwrap();
    quick.record(screened());
    quick.commit(1, None).await.unwrap();
    // Committed, and read as an order, but its position is not final.
    assert_eq!(
        store.order("quick").await.unwrap().unwrap().order.revision,
        2
    );
    assert_eq!(positions_after(&store, head).await, []);
    assert_eq!(store.log_head().await.unwrap(), head);
    slow.commit(1, None).await.unwrap();
    let mut seen = Vec::new();
    let mut position = head;
    while seen.len() < 2 {
        let new = positions_after(&store, position).await;
        position = new.last().map_or(position, |(position, _)| *position);
        seen.extend(new.into_iter().map(|(_, order_id)| order_id));
    }
    assert_eq!(seen, ["slow", "quick"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_give_each_order_growing_positions_and_a_reader_misses_none() {
    const WRITERS: usize = 8;
    const ROUNDS: usize = 12;
    let store = store().await;
    let now = Timestamp::now();
    let orders = ["a", "b", "c"];
    for order_id in orders {
        take_in(&store, order_id, now).await;
    }
    let writers = (0..WRITERS).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                let order_id = orders[(writer + round) % orders.len()];
                let mut tx = store.lock_order(order_id, now).await.unwrap();
                let known = tx.order().revision;
                tx.record(Change::PickupReminded);
                tx.record(Change::PickupReminded);
                tx.commit(known, None).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let all = orders.len() + WRITERS * ROUNDS * 2;
    let mut seen = Vec::new();
    while seen.len() < all {
        let after = seen.last().map_or(0, |(position, _)| *position);
        seen.extend(positions_after(&store, after).await);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let different: BTreeSet<i64> = seen.iter().map(|(position, _)| *position).collect();
    assert_eq!((different.len(), seen.len()), (all, all));
    let backwards = "SELECT COUNT(*) FROM order_events a JOIN order_events b
         ON a.order_id = b.order_id AND a.revision < b.revision AND a.position > b.position";
    assert_eq!(count(&store, backwards).await, 0);
}

#[tokio::test]
async fn a_dump_in_a_new_server_goes_on_after_its_newest_position() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_postgres(folder.path()).await;
    let now = Timestamp::now();
    take_in(&store, "old", now).await;
    // As if the server that it came from had had many more transactions.
    sqlx::query("UPDATE order_events SET position = position + 4096000000000")
        .execute(&store.writer)
        .await
        .unwrap();
    let newest = count(&store, "SELECT MAX(position) FROM order_events").await;
    store.close().await;
    let store = open_postgres(folder.path()).await;
    take_in(&store, "new", now).await;
    let all = until_two(&store).await;
    assert_eq!(all[0], (newest, "old".to_owned()));
    assert!(all[1].0 > newest && all[1].1 == "new", "{all:?}");
}

async fn until_two(store: &Store) -> Vec<(i64, String)> {
    loop {
        let all = positions_after(store, 0).await;
        if all.len() == 2 {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_ids_at_once_give_one_order() {
    let store = store().await;
    let now = Timestamp::now();
    for round in 0..5 {
        let order_id = format!("order-{round}");
        // The same request again and again: one places, the others are told of it.
        let same = join_all((0..8).map(|_| {
            let (store, order_id) = (store.clone(), order_id.clone());
            tokio::spawn(async move {
                let event = placed(&order_id, now);
                store
                    .place(&event, &order_id, "content", None)
                    .await
                    .unwrap()
            })
        }));
        let placed_now = same.await.into_iter().map(Result::unwrap);
        let placed_now = placed_now.filter(|placing| match placing {
            Placing::Placed(_) => true,
            Placing::Replayed(stored) => {
                assert_eq!(stored.order.order_id, order_id);
                false
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(placed_now.count(), 1);
    }
    // Different orders under one request id, and by one payment id.
    let place = |order_id: String, request_id: String, payment_id: Option<&str>| {
        let mut event = placed(&order_id, now);
        if let (Change::Placed { order, .. }, Some(id)) = (&mut event.change, payment_id) {
            order.payment.payment_id = id.to_owned();
        }
        let store = store.clone();
        tokio::spawn(async move {
            let placing = store.place(&event, &request_id, &order_id, None);
            placing.await.unwrap()
        })
    };
    let one_request = (0..8).map(|n| place(format!("request-{n}"), "one".to_owned(), None));
    let outcomes = join_all(one_request).await;
    let outcomes = outcomes.into_iter().map(Result::unwrap);
    let reused = outcomes.filter(|outcome| matches!(outcome, Placing::RequestReused));
    assert_eq!(reused.count(), 7);
    let one_payment = (0..8).map(|n| {
        let id = format!("payment-{n}");
        place(id.clone(), id, Some("one payment"))
    });
    let outcomes = join_all(one_payment).await;
    let outcomes = outcomes.into_iter().map(Result::unwrap);
    let taken = outcomes.filter(|outcome| matches!(outcome, Placing::PaymentExists));
    assert_eq!(taken.count(), 7);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM orders").await, 7);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM requests").await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_that_is_set_at_once_balances() {
    let store = store().await;
    let now = Timestamp::now();
    let set = |sku: &str, request_id: String, on_hand| {
        let asked = samples::set_stock(sku, on_hand, &request_id);
        let store = store.clone();
        tokio::spawn(async move { store.change_stock(&asked, now).await.unwrap() })
    };
    let different = join_all((0..8).map(|n| set("new", format!("set-{n}"), n))).await;
    for setting in different {
        assert!(matches!(
            setting.unwrap(),
            StockOutcome::Done {
                replayed: false,
                ..
            }
        ));
    }
    let same = join_all((0..8).map(|_| set("same", "one".to_owned(), 5))).await;
    let first = same.into_iter().filter(|setting| {
        matches!(
            setting,
            Ok(StockOutcome::Done {
                replayed: false,
                ..
            })
        )
    });
    assert_eq!(first.count(), 1);
    let other = join_all((0..8).map(|n| set(&format!("sku-{n}"), "two".to_owned(), 5))).await;
    let reused = other.into_iter().filter(|setting| {
        matches!(
            setting,
            Ok(StockOutcome::Refused(StockRefusal::RequestReused))
        )
    });
    assert_eq!(reused.count(), 7);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM stock").await, 3);
}

#[tokio::test]
async fn tables_are_made_once_and_not_without_leave() {
    let folder = tempfile::tempdir().unwrap();
    let url = Postgres::shared().database(folder.path());
    let database = Database::server(&url, 4).unwrap();
    let refused = Store::connect(&database, Migrations::Require).await;
    let refused = refused.unwrap_err();
    assert!(
        refused.to_string().contains("`orders migrate`"),
        "{refused}"
    );
    assert!(!refused.to_string().contains("s3cret"), "{refused}");
    // At once, as several processes do that start together.
    let applied = join_all((0..4).map(|_| migrate(&database))).await;
    let mut counts: Vec<usize> = applied.into_iter().map(|a| a.unwrap().len()).collect();
    counts.sort_unstable();
    assert!(counts[..3] == [0, 0, 0] && counts[3] >= 4, "{counts:?}");
    let store = Store::connect(&database, Migrations::Require)
        .await
        .unwrap();
    let setting = "SELECT current_setting('synchronous_commit')";
    let on: String = sqlx::query_scalar(setting)
        .fetch_one(&store.writer)
        .await
        .unwrap();
    assert_eq!(on, "on");
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', TRUE, '', 0)",
    )
    .execute(&store.writer)
    .await
    .unwrap();
    for migrations in [Migrations::Apply, Migrations::Require] {
        let newer = Store::connect(&database, migrations).await.unwrap_err();
        let is_newer = matches!(newer, OpenError::Newer { version: 9999, .. });
        assert!(is_newer, "{newer}");
    }
}

#[tokio::test]
async fn a_batch_counts_the_rows_of_each_here_too() {
    crate::batch::tests::counts_and_insists(&store().await).await;
}

#[tokio::test]
async fn a_token_belongs_to_its_customer_and_is_forgotten_here_too() {
    let store = store().await;
    crate::payment_tokens::tests::belongs_to_its_customer_and_is_forgotten(&store).await;
}

#[tokio::test]
async fn what_the_database_refuses_is_told_apart() {
    let store = store().await;
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    let broken = "UPDATE orders SET revision = 0";
    let broken = sqlx::query(broken).execute(&store.writer).await;
    let broken = StoreError::from(broken.unwrap_err());
    assert!(matches!(broken, StoreError::Corrupt(_)), "{broken}");
    let mut tx = store.write().await.unwrap();
    let event = placed("nobody", now);
    let appended = Appended {
        event,
        effect: None,
    };
    let mut batch = Batch::new(Dialect::Postgres);
    insert_events(&mut batch, "nobody", &[appended]).unwrap();
    let nobody = batch.run(&mut tx).await;
    assert!(matches!(nobody, Err(StoreError::Corrupt(_))), "{nobody:?}");
    drop(tx);
    // A lock that is held for too long is waited for no longer than an attempt lasts.
    let held = store.lock_order("order", now).await.unwrap();
    let began = std::time::Instant::now();
    let waited = store.lock_order("order", now).await.err().unwrap();
    assert!(matches!(waited, StoreError::Unavailable(_)), "{waited}");
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());
    drop(held);
}

#[tokio::test]
async fn a_database_that_is_missing_is_named_with_the_way_to_make_it() {
    let url = Postgres::shared().database(Path::new("some"));
    let (server, _) = url.rsplit_once('/').unwrap();
    let database = Database::server(&format!("{server}/nowhere"), 4).unwrap();
    let refused = Store::connect(&database, Migrations::Apply).await;
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("`createdb nowhere`"), "{refused}");
    assert!(!refused.contains("at line"), "{refused}");
}

#[tokio::test]
async fn connections_that_died_are_replaced() {
    let postgres = Postgres::start(true);
    let url = postgres.database(Path::new("orders"));
    let database = Database::server(&url, 4).unwrap();
    let store = Store::connect(&database, Migrations::Apply).await.unwrap();
    take_in(&store, "before", Timestamp::now()).await;
    postgres.kill();
    let away = store.order("before").await.unwrap_err();
    assert!(matches!(away, StoreError::Unavailable(_)), "{away}");
    assert!(!format!("{away} {away:?}").contains("s3cret"), "{away:?}");
    let refused = Store::connect(&database, Migrations::Apply).await;
    assert!(matches!(refused, Err(OpenError::Connect { .. })));
    postgres.restart();
    assert!(store.order("before").await.unwrap().is_some());
    take_in(&store, "after", Timestamp::now()).await;
}

async fn own_postgres() -> Postgres {
    let started = tokio::task::spawn_blocking(|| Postgres::start(false));
    started.await.unwrap()
}

async fn connect(url: &str) -> Store {
    let database = Database::server(url, 8).unwrap();
    Store::connect(&database, Migrations::Apply).await.unwrap()
}

/// Waits, with a bound that proves nothing.
async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !look().await {
        assert!(begun.elapsed().as_secs() < 60, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Callers whose deadlines pass in the middle of anything leave no open transaction in a connection that
/// others are given, and hold up no reader of the log.
#[tokio::test(flavor = "multi_thread")]
async fn callers_that_stop_waiting_leave_no_transaction_behind() {
    let postgres = own_postgres().await;
    let url = postgres.database(Path::new("orders"));
    let near = connect(&url).await;
    let now = Timestamp::now();
    for number in 0..4 {
        take_in(&near, &format!("order-{number}"), now).await;
    }
    // A round trip takes 10 ms, so that deadlines pass in each of the steps.
    let (_delay, far) = Delay::before(&url, Duration::from_millis(5)).await;
    let far = connect(&far).await;
    let loops = (0..4).map(|number| {
        let far = far.clone();
        tokio::spawn(async move {
            let order_id = format!("order-{number}");
            for round in 0..120_u64 {
                let patience = Duration::from_millis(round * 7 % 80);
                let placed_id = format!("placed-{number}-{round}");
                let change = async {
                    match round % 4 {
                        0 => far.confirm_start(&order_id).await,
                        1 => far.forget_due(&order_id, 1).await,
                        2 => {
                            let mut tx = far.lock_order(&order_id, now).await?;
                            tx.record(Change::PickupReminded);
                            tx.commit(0, None).await.map(drop)
                        }
                        _ => far
                            .place(&placed(&placed_id, now), &placed_id, &placed_id, None)
                            .await
                            .map(drop),
                    }
                };
                match tokio::time::timeout(patience, change).await {
                    Err(_) | Ok(Ok(())) => {}
                    // Four callers share as many connections, and those of the callers that are gone.
                    Ok(Err(StoreError::Unavailable(_))) => {}
                    Ok(Err(error)) => panic!("{error}"),
                }
            }
        })
    });
    for done in join_all(loops).await {
        done.unwrap();
    }
    until("all transactions to end", async || {
        let open = "SELECT COUNT(*) FROM pg_stat_activity
             WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        count(&near, open).await == 0
    })
    .await;
    take_in(&near, "last", now).await;
    let last = near.order("last").await.unwrap().unwrap().order.order_id;
    until("the last event to be seen", async || {
        let seen = positions_after(&near, 0).await;
        seen.iter().any(|(_, order_id)| *order_id == last)
    })
    .await;
    for wrong in [
        "there is already a transaction in progress",
        "there is no transaction in progress",
        "idle-in-transaction timeout",
    ] {
        assert_eq!(postgres.count_in_log(wrong), 0, "{wrong}");
    }
}

#[tokio::test]
async fn a_writer_whose_session_is_ended_is_replaced() {
    let store = store().await;
    let mut tx = store.write().await.unwrap();
    let pid: i64 = sqlx::query_scalar("SELECT pg_backend_pid()::bigint")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    sqlx::query("SELECT pg_terminate_backend($1::int)")
        .bind(pid)
        .fetch_one(&store.readers)
        .await
        .unwrap();
    let failed = tx.commit().await.unwrap_err();
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed}");
    take_in(&store, "after", Timestamp::now()).await;
}

#[tokio::test]
async fn a_value_that_no_text_can_hold_is_no_outage() {
    let store = store().await;
    let nul = store.order("a\0b").await.unwrap_err();
    assert!(matches!(nul, StoreError::Refused(_)), "{nul}");
    let large = sqlx::query("SELECT ($1::bigint)::int")
        .bind(i64::MAX)
        .fetch_one(&store.readers)
        .await;
    let large = StoreError::from(large.err().unwrap());
    assert!(matches!(large, StoreError::Refused(_)), "{large}");
}

/// A session in another database of the same server holds a transaction id: the log stands still, and says
/// by whom.
#[tokio::test]
async fn who_holds_the_log_back_is_named() {
    let postgres = own_postgres().await;
    let store = connect(&postgres.database(Path::new("orders"))).await;
    let url = postgres.database(Path::new("elsewhere"));
    let url = format!("{url}?application_name=a%20report");
    let name = url.rsplit('/').next().unwrap();
    let name = name.split('?').next().unwrap().to_owned();
    assert_eq!(store.log_held(Duration::ZERO).await.unwrap(), None);
    let mut session = AnyConnection::connect(&url).await.unwrap();
    let holding = ["BEGIN", "SELECT pg_current_xact_id()::text"];
    for statement in holding {
        sqlx::query(statement).execute(&mut session).await.unwrap();
    }
    take_in(&store, "order", Timestamp::now()).await;
    assert_eq!(positions_after(&store, 0).await, []);
    let held = store.log_held(Duration::from_millis(500)).await.unwrap();
    let said = held.as_ref().unwrap().to_string();
    let held = held.unwrap();
    assert_eq!(held.lag.events, 1);
    let holder = held.holder.unwrap();
    assert_eq!(holder.database, name);
    assert_eq!(holder.application, "a report");
    assert!(holder.pid.is_some() && holder.age.is_some(), "{holder:?}");
    assert!(said.contains("held back by the session"), "{said}");
    println!("{said}");
    let mut found = Vec::new();
    store
        .verify(Timestamp::now(), |finding| found.push(finding.check))
        .await
        .unwrap();
    assert_eq!(found, ["log-held"]);
    sqlx::query("ROLLBACK").execute(&mut session).await.unwrap();
    until("the log to move", async || {
        store.log_lag().await.unwrap().is_none()
    })
    .await;
    assert_eq!(positions_after(&store, 0).await.len(), 1);
    assert_eq!(store.log_held(Duration::ZERO).await.unwrap(), None);
    session.close().await.unwrap();
}
