//! One order that nobody can work on.

use super::shipped;
use orders::v1::OrderState;
use orders_test_support::{
    Placing, ServerOptions, TestServer, TestTemporal, eventually, postgres, sku,
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

/// The row of an order cannot be read any more. The others go on, the process stays up; once the row is
/// repaired, the order goes on, too.
#[tokio::test]
async fn a_broken_row_stops_its_own_order_only() {
    if postgres::chosen() {
        return println!("breaks a row of a SQLite file");
    }
    let temporal = TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address).policies();
    let mut server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 50).await;
    let placing = Placing::new("by-hand", &sku).price(10, 0);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingApproval).await;

    let file = SqliteConnectOptions::new().filename(server.data_dir.join("orders.db"));
    let mut by_hand = SqliteConnection::connect_with(&file).await.unwrap();
    let document: String = sqlx::query_scalar("SELECT document FROM orders WHERE order_id = $1")
        .bind(&id)
        .fetch_one(&mut by_hand)
        .await
        .unwrap();
    let write = "UPDATE orders SET document = $1 WHERE order_id = $2";
    sqlx::query(write)
        .bind("{}")
        .bind(&id)
        .execute(&mut by_hand)
        .await
        .unwrap();
    // Temporal's cancel reaches the workflow, whose activity finds what it cannot read.
    let handle = orders_test_support::temporal::connect(&temporal.address).await;
    let handle =
        handle.get_workflow_handle::<temporalio_client::UntypedWorkflow>(format!("order/{id}"));
    handle.cancel(Default::default()).await.unwrap();
    client.try_get(&id).await.unwrap_err();
    for _ in 0..3 {
        let order = shipped(&client, "quick-standard", &sku).await;
        client.until(&order.order_id, OrderState::Completed).await;
    }
    assert!(server.process.ended().is_none());
    sqlx::query(write)
        .bind(&document)
        .bind(&id)
        .execute(&mut by_hand)
        .await
        .unwrap();
    eventually("the repaired order's end", async || {
        let order = client.try_get(&id).await.ok()?;
        (order.state() == OrderState::Cancelled).then_some(())
    })
    .await;
}
