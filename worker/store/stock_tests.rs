//! Commands on stock: presence, revisions, and corrections at once. On both databases.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{
    Store,
    samples::{self, open, open_postgres},
    stock::StockItem,
    stock_command::{PIECES_MOST, StockCommand, StockOutcome, StockRefusal, StockRequest},
};
use futures::future::join_all;
use jiff::Timestamp;

async fn done(store: &Store, asked: &StockRequest) -> StockItem {
    match store.change_stock(asked, Timestamp::now()).await.unwrap() {
        StockOutcome::Done { item, .. } => item,
        StockOutcome::Refused(refusal) => panic!("{asked:?}: {refusal:?}"),
    }
}

async fn refused(store: &Store, asked: &StockRequest) -> StockRefusal {
    match store.change_stock(asked, Timestamp::now()).await.unwrap() {
        StockOutcome::Refused(refusal) => refusal,
        StockOutcome::Done { item, .. } => panic!("{asked:?}: {item:?}"),
    }
}

fn request(sku: &str, request_id: &str, command: StockCommand) -> StockRequest {
    StockRequest {
        command,
        ..samples::set_stock(sku, 0, request_id)
    }
}

fn set(numbers: [Option<i64>; 3]) -> StockCommand {
    let [on_hand, reorder_point, reorder_level] = numbers;
    StockCommand::Set {
        on_hand,
        reorder_point,
        reorder_level,
    }
}

fn adjust(delta: i64) -> StockCommand {
    StockCommand::Adjust {
        delta,
        reason: "counted".to_owned(),
    }
}

/// As the embedded inventory does it.
async fn reserve(store: &Store, sku: &str, quantity: i64) {
    sqlx::query(
        "UPDATE stock SET reserved = reserved + $1, revision = revision + 1 WHERE sku = $2",
    )
    .bind(quantity)
    .bind(sku)
    .execute(&store.writer)
    .await
    .unwrap();
}

async fn recorded(store: &Store, sku: &str) -> Vec<(i64, i64, String)> {
    let query = "SELECT revision, delta, reason FROM stock_adjustments WHERE sku = $1
                 ORDER BY revision";
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(query)
        .bind(sku.to_owned())
        .fetch_all(&store.readers)
        .await
        .unwrap();
    rows
}

async fn commands(store: &Store) {
    // What is left out is kept, and 0 for what is new.
    let item = done(
        store,
        &request("a", "1", set([Some(10), Some(5), Some(20)])),
    )
    .await;
    assert_eq!((item.on_hand, item.revision), (10, 1));
    let item = done(store, &request("a", "2", set([Some(30), None, None]))).await;
    let numbers = (item.on_hand, item.reorder_point, item.reorder_level);
    assert_eq!((numbers, item.revision), ((30, 5, 20), 2));
    let item = done(store, &request("a", "3", set([None, Some(0), None]))).await;
    let numbers = (item.on_hand, item.reorder_point, item.reorder_level);
    assert_eq!((numbers, item.revision), ((30, 0, 20), 3));
    let item = done(store, &request("new", "4", set([None, None, None]))).await;
    assert_eq!((item.on_hand, item.revision), (0, 1));
    // Together with what is kept it must fit.
    let refusal = refused(store, &request("a", "5", set([None, Some(21), None]))).await;
    let expected = StockRefusal::LevelBelowPoint {
        reorder_point: 21,
        reorder_level: 20,
    };
    assert_eq!(refusal, expected);

    // Another one was quicker.
    let mut late = request("a", "6", set([Some(14), None, None]));
    late.expected_revision = Some(3);
    reserve(store, "a", 3).await;
    let (expected, actual) = (3, 4);
    assert_eq!(
        refused(store, &late).await,
        StockRefusal::Moved { expected, actual }
    );
    let mut new = request("newer", "7", set([Some(1), None, None]));
    new.expected_revision = Some(1);
    let (expected, actual) = (1, 0);
    assert_eq!(
        refused(store, &new).await,
        StockRefusal::Moved { expected, actual }
    );
    assert_eq!(store.stock_item("newer").await.unwrap(), None);
    new.expected_revision = Some(0);
    assert_eq!(done(store, &new).await.revision, 1);

    // Relative, once, and never below what is reserved.
    let more = request("a", "8", adjust(4));
    assert_eq!(done(store, &more).await.on_hand, 34);
    assert_eq!(done(store, &more).await.on_hand, 34);
    let other = request("a", "8", adjust(5));
    assert_eq!(refused(store, &other).await, StockRefusal::RequestReused);
    let fewer = request("a", "9", adjust(-32));
    let (reserved, on_hand) = (3, 34);
    assert_eq!(
        refused(store, &fewer).await,
        StockRefusal::BelowReserved { reserved, on_hand }
    );
    assert_eq!(
        done(store, &request("a", "9", adjust(-31))).await.on_hand,
        3
    );
    let on_hand = 3;
    assert_eq!(
        refused(store, &request("a", "10", adjust(PIECES_MOST))).await,
        StockRefusal::TooMany { on_hand }
    );
    assert_eq!(
        refused(store, &request("nothing", "11", adjust(1))).await,
        StockRefusal::NoItem
    );

    // Each change has its record, and the books balance.
    let deltas = recorded(store, "a").await;
    let text = |text: &str| text.to_owned();
    let expected = [
        (1, 10, text("")),
        (2, 20, text("")),
        (5, 4, text("counted")),
        (6, -31, text("counted")),
    ];
    assert_eq!(deltas, expected);
}

async fn at_once(store: &Store) {
    samples::stock(store, "many", 100).await;
    let one = async |number: i64| {
        let delta = if number % 2 == 0 { 3 } else { -1 };
        done(
            store,
            &request("many", &format!("many-{number}"), adjust(delta)),
        )
        .await
    };
    join_all((0..20).map(one)).await;
    let item = store.stock_item("many").await.unwrap().unwrap();
    assert_eq!((item.on_hand, item.revision), (120, 21));
    let sum: i64 = recorded(store, "many").await.iter().map(|one| one.1).sum();
    assert_eq!(sum, 120);
}

#[tokio::test]
async fn stock_is_changed_by_revision_and_by_difference() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    commands(&store).await;
    at_once(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_is_changed_by_revision_and_by_difference_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_postgres(folder.path()).await;
    commands(&store).await;
    at_once(&store).await;
}
