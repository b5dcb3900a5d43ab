//! The embedded inventory: stock with reservations, in the store. A reservation that leaves the stock
//! low opens a supplier order.

use super::{Call, InventoryProvider, ProviderError};
use crate::store::{
    Connection, DbRow,
    stock::{StockItem, lock_stock_item},
    supplier_orders::{Cause, reorder},
};
use async_trait::async_trait;
use sqlx::Row;
use std::collections::BTreeMap;

pub(super) struct EmbeddedInventory;

#[async_trait]
impl InventoryProvider for EmbeddedInventory {
    async fn reserve(&self, db: &mut Connection, call: &Call<'_>) -> Result<String, ProviderError> {
        let reservation_id = format!("rsv-{}", call.order.order_id);
        if !lines(db, call, "RESERVED").await?.is_empty() {
            return Ok(reservation_id);
        }
        // Sorted, so that two orders lock their rows in the same order.
        let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
        for item in &call.order.line_items {
            *wanted.entry(&item.sku).or_default() += item.quantity;
        }
        let (mut items, mut missing) = (Vec::new(), Vec::new());
        for (sku, quantity) in wanted {
            let item = lock_stock_item(db, sku).await?;
            let available = item.as_ref().map_or(0, StockItem::available);
            match item {
                Some(mut item) if available >= quantity => {
                    item.reserved += quantity;
                    items.push((item, quantity));
                }
                _ => missing.push(format!(
                    "{sku}: {quantity} asked for, {available} available"
                )),
            }
        }
        if !missing.is_empty() {
            return Err(ProviderError::Refused(missing.join("; ")));
        }
        for (item, quantity) in items {
            sqlx::query(
                "UPDATE stock SET reserved = reserved + $1, revision = revision + 1
                 WHERE sku = $2",
            )
            .bind(quantity)
            .bind(&item.sku)
            .execute(&mut *db)
            .await?;
            sqlx::query(
                "INSERT INTO reservations (order_id, sku, quantity, state)
                 VALUES ($1, $2, $3, 'RESERVED')",
            )
            .bind(&call.order.order_id)
            .bind(&item.sku)
            .bind(quantity)
            .execute(&mut *db)
            .await?;
            // Opened with what made it necessary; the order does not wait for it.
            let cause = Cause::Order(&call.order.order_id);
            reorder(db, &item, cause, call.now).await?;
        }
        Ok(reservation_id)
    }

    async fn commit(&self, db: &mut Connection, call: &Call<'_>) -> Result<(), ProviderError> {
        let leave = "UPDATE stock SET on_hand = on_hand - $1, reserved = reserved - $1,
                         shipped = shipped + $1, revision = revision + 1
                     WHERE sku = $2";
        settle(db, call, leave, "COMMITTED").await?;
        Ok(())
    }

    async fn release(&self, db: &mut Connection, call: &Call<'_>) -> Result<bool, ProviderError> {
        let give_back = "UPDATE stock SET reserved = reserved - $1, revision = revision + 1
                         WHERE sku = $2";
        let released = settle(db, call, give_back, "RELEASED").await?;
        Ok(released || !lines(db, call, "RELEASED").await?.is_empty())
    }
}

/// Ends what is reserved for the order; false when nothing is.
async fn settle(
    db: &mut Connection,
    call: &Call<'_>,
    stock: &'static str,
    state: &str,
) -> Result<bool, ProviderError> {
    let rows = sqlx::query(
        "UPDATE reservations SET state = $1 WHERE order_id = $2 AND state = 'RESERVED'
         RETURNING sku, quantity",
    )
    .bind(state)
    .bind(&call.order.order_id)
    .fetch_all(&mut *db)
    .await?;
    let mut reserved = lines_of(&rows)?;
    // As every order locks its rows.
    reserved.sort();
    for (sku, quantity) in &reserved {
        sqlx::query(stock)
            .bind(quantity)
            .bind(sku)
            .execute(&mut *db)
            .await?;
    }
    Ok(!reserved.is_empty())
}

/// The order's reservations in a state: sku and quantity, by sku.
async fn lines(
    db: &mut Connection,
    call: &Call<'_>,
    state: &str,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT sku, quantity FROM reservations WHERE order_id = $1 AND state = $2 ORDER BY sku",
    )
    .bind(&call.order.order_id)
    .bind(state)
    .fetch_all(db)
    .await?;
    lines_of(&rows)
}

fn lines_of(rows: &[DbRow]) -> Result<Vec<(String, i64)>, sqlx::Error> {
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}
