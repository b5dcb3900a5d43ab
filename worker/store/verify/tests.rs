//! What only the rules themselves can show. That each check finds its own damage, and only that, is
//! shown on the store of a real server: `tests/verify.rs`.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Check, Counts, Finding};
use crate::{Store, copy::copy, database::Database, migrate::Migrations, samples::take_in};
use jiff::Timestamp;

async fn as_it_is(path: &std::path::Path) -> Store {
    let database = Database::File(path.to_owned());
    Store::connect(&database, Migrations::Require)
        .await
        .unwrap()
}

async fn found(store: &Store) -> (Counts, Vec<Finding>) {
    let mut list = Vec::new();
    let counts = store.verify(Timestamp::now(), |finding| list.push(finding));
    (counts.await.unwrap(), list)
}

#[tokio::test]
async fn every_page_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("orders.db")).await.unwrap();
    let now = Timestamp::now();
    for number in 0..250 {
        take_in(&store, &format!("order-{number:03}"), now).await;
    }
    let (counts, list) = found(&store).await;
    assert_eq!(list, []);
    let looked = (counts.orders, counts.open_orders, counts.events);
    assert_eq!(looked, (250, 250, 250));
    assert_eq!(counts.requests, 250);
    let damage = "UPDATE orders SET revision = 2 WHERE order_id IN ('order-000', 'order-099',
         'order-100', 'order-249')";
    sqlx::query(damage).execute(&store.writer).await.unwrap();
    let (_, list) = found(&store).await;
    let ids: Vec<_> = list.iter().filter_map(|f| f.order_id.as_deref()).collect();
    assert_eq!(ids, ["order-000", "order-099", "order-100", "order-249"]);
    let name = Check::OrderRow.as_str();
    assert!(list.iter().all(|finding| finding.check == name), "{list:?}");
}

#[tokio::test]
async fn looking_makes_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let store = Store::open(&path).await.unwrap();
    take_in(&store, "order", Timestamp::now()).await;
    let mut watcher = store.readers.acquire().await.unwrap();
    let version = "PRAGMA data_version";
    let before: i64 = sqlx::query_scalar(version)
        .fetch_one(&mut *watcher)
        .await
        .unwrap();
    let looking = as_it_is(&path).await;
    assert_eq!(found(&looking).await.1, []);
    looking.close().await;
    let after: i64 = sqlx::query_scalar(version)
        .fetch_one(&mut *watcher)
        .await
        .unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_copy_is_of_one_moment_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let store = Store::open(&path).await.unwrap();
    let writing = async {
        for number in 0..200 {
            take_in(&store, &format!("order-{number}"), Timestamp::now()).await;
        }
    };
    let to = folder.path().join("copy.db");
    let copying = async { copy(&path, &to).await.unwrap() };
    futures::join!(writing, copying);
    let copied = as_it_is(&to).await;
    let (counts, list) = found(&copied).await;
    assert_eq!(list, []);
    assert_eq!(
        (counts.orders, counts.requests),
        (counts.events, counts.events)
    );
    // A second one does not write over the first.
    copy(&path, &to).await.unwrap_err();
}
