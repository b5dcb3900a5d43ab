//! The embedded inventory's reservations. A reservation that leaves the stock low opens a supplier
//! order in the same transaction.

use super::Ledger;
use crate::{
    DbRow, StoreError,
    stock::{StockItem, lock_stock_item},
    supplier_orders::{Cause, reorder},
};
use jiff::Timestamp;
use orders_domain::order::Order;
use sqlx::Row;
use std::collections::BTreeMap;

/// A SKU of which too little is available.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The SKU.
    pub sku: String,
    /// Pieces that the order asks for.
    pub wanted: i64,
    /// Pieces that are available.
    pub available: i64,
}

impl Ledger<'_> {
    /// Returns whether stock is reserved for the order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn is_reserved(&mut self, order_id: &str) -> Result<bool, StoreError> {
        self.has_lines(order_id, "RESERVED").await
    }

    /// Reserves every line item of the order, or nothing. Returns what is short; nothing was reserved
    /// if that is not empty.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn reserve(
        &mut self,
        order: &Order,
        now: Timestamp,
    ) -> Result<Vec<Shortage>, StoreError> {
        // Sorted, so that two orders lock their rows in the same sequence.
        let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
        for item in &order.line_items {
            *wanted.entry(&item.sku).or_default() += item.quantity;
        }
        let (mut items, mut short) = (Vec::new(), Vec::new());
        for (sku, wanted) in wanted {
            let item = lock_stock_item(self.connection, sku).await?;
            let available = item.as_ref().map_or(0, StockItem::available);
            match item {
                Some(mut item) if available >= wanted => {
                    item.reserved += wanted;
                    items.push((item, wanted));
                }
                _ => short.push(Shortage {
                    sku: sku.to_owned(),
                    wanted,
                    available,
                }),
            }
        }
        if !short.is_empty() {
            return Ok(short);
        }
        for (item, quantity) in items {
            sqlx::query(
                "UPDATE stock SET reserved = reserved + $1, revision = revision + 1
                 WHERE sku = $2",
            )
            .bind(quantity)
            .bind(&item.sku)
            .execute(&mut *self.connection)
            .await?;
            sqlx::query(
                "INSERT INTO reservations (order_id, sku, quantity, state)
                 VALUES ($1, $2, $3, 'RESERVED')",
            )
            .bind(&order.order_id)
            .bind(&item.sku)
            .bind(quantity)
            .execute(&mut *self.connection)
            .await?;
            // The supplier order is opened together with its cause; the order does not wait for it.
            let cause = Cause::Order(&order.order_id);
            reorder(self.connection, &item, cause, now).await?;
        }
        Ok(Vec::new())
    }

    /// Takes what is reserved for the order out of the stock.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn commit_reservation(&mut self, order_id: &str) -> Result<(), StoreError> {
        let leave = "UPDATE stock SET on_hand = on_hand - $1, reserved = reserved - $1,
                         shipped = shipped + $1, revision = revision + 1
                     WHERE sku = $2";
        self.settle(order_id, leave, "COMMITTED").await?;
        Ok(())
    }

    /// Makes available again what is reserved for the order. Returns `false` if nothing was ever
    /// reserved.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn release_reservation(&mut self, order_id: &str) -> Result<bool, StoreError> {
        let give_back = "UPDATE stock SET reserved = reserved - $1, revision = revision + 1
                         WHERE sku = $2";
        let released = self.settle(order_id, give_back, "RELEASED").await?;
        Ok(released || self.has_lines(order_id, "RELEASED").await?)
    }

    /// Ends what is reserved for the order. Returns `false` if nothing is.
    async fn settle(
        &mut self,
        order_id: &str,
        stock: &'static str,
        state: &str,
    ) -> Result<bool, StoreError> {
        let rows = sqlx::query(
            "UPDATE reservations SET state = $1 WHERE order_id = $2 AND state = 'RESERVED'
             RETURNING sku, quantity",
        )
        .bind(state)
        .bind(order_id)
        .fetch_all(&mut *self.connection)
        .await?;
        let mut reserved = rows
            .iter()
            .map(line)
            .collect::<Result<Vec<_>, sqlx::Error>>()?;
        // The sequence in which every order locks its rows.
        reserved.sort();
        for (sku, quantity) in &reserved {
            sqlx::query(stock)
                .bind(quantity)
                .bind(sku)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(!reserved.is_empty())
    }

    async fn has_lines(&mut self, order_id: &str, state: &str) -> Result<bool, StoreError> {
        let row =
            sqlx::query("SELECT 1 FROM reservations WHERE order_id = $1 AND state = $2 LIMIT 1")
                .bind(order_id)
                .bind(state)
                .fetch_optional(&mut *self.connection)
                .await?;
        Ok(row.is_some())
    }
}

fn line(row: &DbRow) -> Result<(String, i64), sqlx::Error> {
    Ok((row.try_get("sku")?, row.try_get("quantity")?))
}
