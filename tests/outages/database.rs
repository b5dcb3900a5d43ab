//! The database does not take anything for a while.

use super::shipped;
use crate::harness::{Placing, ServerOptions, TestServer, TestTemporal, sku};
use orders::v1::OrderState;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::time::Duration;
use tonic::Code;

/// Somebody else holds the database's write lock for longer than local attempts last: what is asked for
/// is refused with a pause, nothing of it is done, reads go on, and the orders under way go on
/// afterwards by themselves.
#[tokio::test]
async fn a_locked_database_delays_orders_and_loses_none() {
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
