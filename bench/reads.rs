//! What reads cost, beside a unary echo of the same answer.

use crate::{
    echo,
    load::{self, Rate, median, rate},
    shape::SHAPES,
    system::System,
};
use orders::v1::{GetOrderRequest, ListOrdersRequest, OrderState};
use orders_test_support::{Client, watch::next};
use serde::{Deserialize, Serialize};
use sqlx::Connection;
use std::time::{Duration, Instant, SystemTime};

/// The figures of reads.
#[derive(Debug, Deserialize, Serialize)]
pub struct Reads {
    /// GetOrder, so many at once.
    pub get_order: Rate,
    /// The echo, as many at once.
    pub echo: Rate,
    /// The one against the other, the round in the middle.
    pub get_of_echo: f64,
    /// Milliseconds of a first page of 100 among 1,000 orders.
    pub page_at_1_000_ms: f64,
    /// Of the first page among 100,000.
    pub first_page_at_100_000_ms: f64,
    /// Of the thousandth among 100,000.
    pub thousandth_page_ms: f64,
    /// The slower of the last two against the one before.
    pub page_ratio: f64,
    /// Milliseconds from an event's time, before its commit, to its arrival at a watch.
    pub watch_delivery_ms: f64,
    /// Milliseconds of one echo, one at a time.
    pub echo_ms: f64,
}

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Turns of each.
    pub rounds: usize,
    /// Calls of one turn.
    pub calls: usize,
    /// Orders watched.
    pub watched: usize,
}

const AT_ONCE: usize = 32;

const PAGE: i32 = 100;

/// Measures them on a system that has few orders yet.
pub async fn measure(system: &System, effort: Effort) -> Reads {
    let id = SHAPES[0].order(&system.client, &system.sku).await;
    let request = GetOrderRequest {
        order_id: id.clone(),
        consistency: 0,
    };
    let answer = system
        .client
        .orders
        .clone()
        .get_order(request)
        .await
        .unwrap()
        .into_inner();
    let folder = tempfile::tempdir().unwrap();
    let (_echo, echo) = echo::start(folder.path(), &answer).await;
    let mut turns = Vec::new();
    for _ in 0..effort.rounds {
        let echoed = get(&echo, &id, effort.calls, AT_ONCE).await;
        turns.push((
            get(&system.client, &id, effort.calls, AT_ONCE).await,
            echoed,
        ));
    }
    let alone = get(&echo, &id, effort.calls / 20, 1).await;
    turns.sort_by(|a, b| {
        (a.0.per_second / a.1.per_second).total_cmp(&(b.0.per_second / b.1.per_second))
    });
    let (get_order, echoed) = turns.swap_remove(turns.len() / 2);
    let watch_delivery_ms = delivery(system, effort.watched).await;

    fill(system, &id, 1_000).await;
    let few = pages(system, effort.rounds, 1).await;
    fill(system, &id, 100_000).await;
    let first = pages(system, effort.rounds, 1).await;
    let last = pages(system, effort.rounds, 1_000).await;
    Reads {
        get_of_echo: get_order.per_second / echoed.per_second,
        get_order,
        echo: echoed,
        page_at_1_000_ms: few,
        first_page_at_100_000_ms: first,
        thousandth_page_ms: last,
        page_ratio: first.max(last) / few,
        watch_delivery_ms,
        echo_ms: alone.p50 * 1_000.0,
    }
}

async fn get(client: &Client, id: &str, calls: usize, at_once: usize) -> Rate {
    let (orders, id) = (client.orders.clone(), id.to_owned());
    load::run(calls, at_once, move |_| {
        let (mut orders, order_id) = (orders.clone(), id.clone());
        async move {
            let request = GetOrderRequest {
                order_id,
                consistency: 0,
            };
            assert!(
                orders
                    .get_order(request)
                    .await
                    .unwrap()
                    .into_inner()
                    .order
                    .is_some()
            );
        }
    })
    .await
}

/// The median time from an event to its arrival, in milliseconds.
async fn delivery(system: &System, watched: usize) -> f64 {
    let mut took = Vec::new();
    for _ in 0..watched {
        let id = system.client.held(&system.sku).await;
        let order = system.client.get(&id).await;
        let mut watch = system.client.watch(&id, order.revision).await.unwrap();
        let cancelled = tokio::spawn({
            let (client, id) = (system.client.clone(), id.clone());
            async move { client.cancel(&id).await.unwrap() }
        });
        while let Some(told) = next(&mut watch).await.unwrap() {
            let time = told.event.and_then(|event| event.time).unwrap();
            let time = SystemTime::try_from(time).unwrap();
            took.push(time.elapsed().unwrap_or_default());
            if told
                .order
                .is_some_and(|order| order.state() == OrderState::Cancelled)
            {
                break;
            }
        }
        cancelled.await.unwrap();
    }
    rate(&mut took, Duration::from_secs(1)).p50 * 1_000.0
}

/// Makes them so many orders, all like that one: straight in the database, since what is measured is
/// reading.
async fn fill(system: &System, like: &str, orders: i64) {
    let mut database = system.server.database().await;
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM orders")
        .fetch_one(&mut database)
        .await
        .unwrap();
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $2)
         INSERT INTO orders (order_id, customer_id, policy, state, close_reason, revision, place_time,
             update_time, close_time, fingerprint, workflow_started, run_id, document)
         SELECT order_id || '-' || i, customer_id, policy, state, close_reason, revision, place_time + i,
             update_time + i, close_time + i, fingerprint, workflow_started, run_id,
             replace(document, order_id, order_id || '-' || i)
         FROM orders, n WHERE order_id = $3",
    )
    .bind(there)
    .bind(orders)
    .bind(like)
    .execute(&mut database)
    .await
    .unwrap();
    // So many rows in one transaction are a log of half a gigabyte, through which nobody is to read.
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
}

/// The median time of reading that page, in milliseconds.
async fn pages(system: &System, rounds: usize, page: usize) -> f64 {
    let mut orders = system.client.orders.clone();
    let mut request = ListOrdersRequest {
        page_size: PAGE,
        ..ListOrdersRequest::default()
    };
    for _ in 1..page {
        let listed = orders
            .list_orders(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert!(
            !listed.next_page_token.is_empty(),
            "there are not {page} pages"
        );
        request.page_token = listed.next_page_token;
    }
    let mut took = Vec::new();
    for _ in 0..rounds * 20 {
        let began = Instant::now();
        let listed = orders
            .list_orders(request.clone())
            .await
            .unwrap()
            .into_inner();
        took.push(began.elapsed().as_secs_f64() * 1_000.0);
        assert_eq!(listed.orders.len(), PAGE as usize);
    }
    median(took)
}
