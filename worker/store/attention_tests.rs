//! Finding the orders that need a person.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Store, attention::Position, micros, samples::take_in};
use jiff::{SignedDuration, Timestamp};
use sqlx::Row;

async fn all(store: &Store, now: Timestamp, before: Timestamp, page: i64) -> Vec<String> {
    let mut after: Option<Position> = None;
    let mut found = Vec::new();
    loop {
        let some = store.needing_attention(now, before, after.as_ref(), page);
        let some = some.await.unwrap();
        let Some(last) = some.last() else {
            return found;
        };
        assert!(some.len() as i64 <= page);
        after = Some(last.position.clone());
        found.extend(some.into_iter().map(|one| {
            let readable = if one.order.is_some() { "" } else { "!" };
            format!("{readable}{}", one.position.order_id)
        }));
    }
}

#[tokio::test]
async fn those_that_ask_come_first_and_each_comes_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("orders.db")).await.unwrap();
    let now = Timestamp::now();
    for order_id in ["a", "b", "c", "d", "e", "f"] {
        take_in(&store, order_id, now).await;
    }
    let second = |seconds| now + SignedDuration::from_secs(seconds);
    for (order_id, attention, due) in [
        ("a", None, Some(30)),
        ("b", Some(-5), Some(10)),
        ("c", Some(-9), None),
        ("d", Some(60), Some(5)),
        ("e", None, None),
        ("f", Some(-5), Some(30)),
    ] {
        sqlx::query("UPDATE orders SET attention_time = $1, due_time = $2 WHERE order_id = $3")
            .bind(attention.map(|time| micros(second(time))))
            .bind(due.map(|time| micros(second(time))))
            .bind(order_id)
            .execute(&store.writer)
            .await
            .unwrap();
    }
    for page in [1, 2, 3, 100] {
        // The one that asks only in a minute is late already.
        let found = all(&store, now, second(31), page).await;
        assert_eq!(found, ["c", "b", "f", "d", "a"], "{page}");
        let found = all(&store, second(60), second(20), page).await;
        assert_eq!(found, ["c", "b", "f", "d"], "{page}");
    }
    sqlx::query("UPDATE orders SET document = '{}' WHERE order_id = 'b'")
        .execute(&store.writer)
        .await
        .unwrap();
    assert_eq!(all(&store, now, now, 2).await, ["c", "!b", "f"]);
}

#[tokio::test]
async fn the_list_is_no_scan_of_all_orders() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("orders.db")).await.unwrap();
    for (query, index) in [
        (super::attention::ASKING, "orders_attention"),
        (super::attention::LATE, "orders_due"),
    ] {
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")))
            .fetch_all(&store.readers)
            .await
            .unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        // Rows of the same due time are sorted by their id afterwards.
        assert!(plan[0].contains(index), "{plan:?}");
        assert!(!plan.iter().any(|line| line.contains("SCAN")), "{plan:?}");
    }
}
