//! What a comparison with Temporal asks of the store.

use super::super::{Store, StoreError, from_micros};
use jiff::Timestamp;
use sqlx::Row;

/// An order that should have a workflow, or may: it is open, or something was due for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningOrder {
    /// Which.
    pub order_id: String,
    /// Whether it is open.
    pub is_open: bool,
    /// When its row changed last.
    pub update_time: Timestamp,
}

/// A supplier order that should have a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSupplierOrder {
    /// Which.
    pub supplier_order_id: String,
    /// Of which sku.
    pub sku: String,
    /// When it was opened.
    pub open_time: Timestamp,
}

impl Store {
    /// The orders after an id that should have a workflow, or may, in the order of their ids, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn running_orders(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<RunningOrder>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let rows = sqlx::query(
            "SELECT order_id, update_time, close_time FROM orders
             WHERE (close_time IS NULL OR due_time IS NOT NULL) AND order_id > $1
             ORDER BY order_id LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *snapshot)
        .await?;
        let rows = rows.iter().map(|row| {
            Ok(RunningOrder {
                order_id: row.try_get("order_id")?,
                is_open: row.try_get::<Option<i64>, _>("close_time")?.is_none(),
                update_time: from_micros(row.try_get("update_time")?)?,
            })
        });
        rows.collect()
    }

    /// The open supplier orders after a sku, by sku, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_supplier_orders(
        &self,
        after_sku: &str,
        limit: i64,
    ) -> Result<Vec<OpenSupplierOrder>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let rows = sqlx::query(
            "SELECT supplier_order_id, sku, open_time FROM supplier_orders
             WHERE state = 'OPEN' AND sku > $1 ORDER BY sku LIMIT $2",
        )
        .bind(after_sku)
        .bind(limit)
        .fetch_all(&mut *snapshot)
        .await?;
        let rows = rows.iter().map(|row| {
            Ok(OpenSupplierOrder {
                supplier_order_id: row.try_get("supplier_order_id")?,
                sku: row.try_get("sku")?,
                open_time: from_micros(row.try_get("open_time")?)?,
            })
        });
        rows.collect()
    }
}
