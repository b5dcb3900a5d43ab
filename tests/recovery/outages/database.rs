//! The database does not take anything for a while.

use super::shipped;
use orders::v1::OrderState;
use orders_test_support::{Placing, ServerOptions, TestServer, TestTemporal, postgres, sku};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::time::Duration;
use tonic::Code;

/// Somebody else holds the database's write lock for longer than local attempts last: what is asked for
/// is refused with a pause, nothing of it is done, reads go on, and the orders under way go on
/// afterwards by themselves.
#[tokio::test]
async fn a_locked_database_delays_orders_and_loses_none() {
    if postgres::chosen() {
        return println!("about the lock of a SQLite file");
    }
    let temporal = TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address).policies();
    let mut server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 50).await;
    shipped(&client, "quick-standard", &sku).await;
    // One that the lock meets between two steps: its delivery is due by itself meanwhile.
    let placing = Placing::new("quick-standard", &sku);
    let under_way = placing.id();
    client.place(placing).await;

    let file = SqliteConnectOptions::new().filename(server.data_dir.join("orders.db"));
    let mut holder = SqliteConnection::connect_with(&file.busy_timeout(Duration::from_secs(5)))
        .await
        .unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut holder)
        .await
        .unwrap();
    let locked = tokio::time::Instant::now();

    let placing = Placing::new("quick-standard", &sku);
    let refused_id = placing.id();
    let refused = client.try_place(placing.clone()).await.unwrap_err();
    assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
    assert!(refused.details.retry_info().is_some(), "{refused:?}");
    // Reads are answered all the time.
    client.get(&under_way).await;
    assert_eq!(
        client.try_get(&refused_id).await.unwrap_err(),
        Code::NotFound
    );
    // Longer than all local attempts: Temporal has taken over.
    tokio::time::sleep_until(locked + Duration::from_secs(14)).await;
    client.get(&under_way).await;
    assert!(server.process.ended().is_none());
    sqlx::query("ROLLBACK").execute(&mut holder).await.unwrap();

    client.until(&under_way, OrderState::Completed).await;
    client.place(placing).await;
    client.until(&refused_id, OrderState::Completed).await;
    let captured = "SELECT COUNT(*) FROM payment_journal WHERE kind = 'CAPTURE'
                        AND phase = 'SUCCEEDED' AND key LIKE $1 || '/%'";
    for id in [&under_way, &refused_id] {
        assert_eq!(server.count(captured, id).await, 1);
    }
}

/// The disk is full: what does not fit is refused and not there, everything else stays readable, the
/// process stays up; with space again, every order that was acknowledged goes on.
#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    if postgres::chosen() {
        return println!("about the pages of a SQLite file");
    }
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address)
        .policies()
        .data_dir(folder.path());
    let full = options.clone().env("ORDERS_TEST_MAX_PAGES", "150");
    let mut server = TestServer::start(full).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10_000).await;
    let mut taken = Vec::new();
    let refused = loop {
        assert!(taken.len() < 500, "the disk is never full");
        let placing = Placing::new("quick-standard", &sku);
        match client.try_place(placing.clone()).await {
            Ok(order) => taken.push(order.order_id),
            Err(refused) => {
                assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
                assert_eq!(refused.reason, "DATABASE_UNAVAILABLE", "{refused:?}");
                assert!(refused.details.retry_info().is_some(), "{refused:?}");
                break placing;
            }
        }
    };
    println!("{} orders fit", taken.len());
    assert!(taken.len() > 2, "nothing fits");
    for id in &taken {
        client.get(id).await;
    }
    assert_eq!(
        client.try_get(&refused.id()).await.unwrap_err(),
        Code::NotFound
    );
    assert!(server.process.ended().is_none());
    assert_eq!(server.stop().await, Some(0));

    let server = TestServer::start(options).await;
    let client = server.client().await;
    let refused_id = refused.id();
    client.place(refused).await;
    for id in taken.iter().chain([&refused_id]) {
        client.until(id, OrderState::Completed).await;
    }
    let stock = client.stock_item(&sku).await;
    let left = 10_000 - 1 - taken.len() as i64;
    assert_eq!((stock.on_hand(), stock.reserved), (left, 0));
}
