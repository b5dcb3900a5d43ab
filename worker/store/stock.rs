//! Stock as the inventory service shows it.

use super::{Connection, DbRow, Store, StoreError, dialect::Dialect, statement::Statement};
use sqlx::Row;
use std::collections::BTreeSet;

/// The stock of one SKU, in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockItem {
    /// Stock keeping unit.
    pub sku: String,
    /// In the warehouse, with what is reserved.
    pub on_hand: i64,
    /// Held for orders.
    pub reserved: i64,
    /// Below this many available pieces a supplier is asked.
    pub reorder_point: i64,
    /// Up to this many; 0 means never.
    pub reorder_level: i64,
    /// Grows with each change of any of these numbers; 1 at first.
    pub revision: i64,
}

impl StockItem {
    /// What new orders can still reserve.
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }

    /// How many pieces fill it up again; none while it is not below its reorder point, or is never
    /// reordered. The count is right while nothing is on order.
    pub fn shortfall(&self) -> Option<i64> {
        let is_low = self.available() < self.reorder_point;
        let missing = self.reorder_level - self.available();
        Some(missing).filter(|missing| is_low && self.reorder_level > 0 && *missing > 0)
    }
}

impl Store {
    /// The stock of one SKU.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stock_item(&self, sku: &str) -> Result<Option<StockItem>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        stock_item(&mut reader, sku).await
    }

    /// Which of these SKUs there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn known_skus(&self, skus: &[&str]) -> Result<BTreeSet<String>, StoreError> {
        let mut query = Statement::new("SELECT sku FROM stock WHERE sku IN (NULL");
        for sku in skus {
            query.push(", ").bind(*sku);
        }
        query.push(")");
        let rows = query.query().fetch_all(&self.readers).await?;
        let skus = rows.iter().map(|row| row.try_get(0));
        Ok(skus.collect::<Result<_, sqlx::Error>>()?)
    }

    /// The SKUs after `after` in alphabetical order, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stock_items(&self, after: &str, limit: i64) -> Result<Vec<StockItem>, StoreError> {
        let rows = sqlx::query(
            "SELECT sku, on_hand, reserved, reorder_point, reorder_level, revision FROM stock
             WHERE sku > $1 ORDER BY sku LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(item_of).collect()
    }
}

/// The stock of one SKU.
const ITEM: &str = "SELECT sku, on_hand, reserved, reorder_point, reorder_level, revision FROM stock \
                    WHERE sku = $1";

pub(crate) async fn stock_item(
    connection: &mut Connection,
    sku: &str,
) -> Result<Option<StockItem>, StoreError> {
    let row = sqlx::query(ITEM)
        .bind(sku)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(item_of).transpose()
}

/// The same, with its row locked until the transaction ends. Who locks several locks them by sku.
pub(crate) async fn lock_stock_item(
    connection: &mut Connection,
    sku: &str,
) -> Result<Option<StockItem>, StoreError> {
    let query = Dialect::of(connection).locking(ITEM);
    let row = sqlx::query(query)
        .bind(sku)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(item_of).transpose()
}

fn item_of(row: &DbRow) -> Result<StockItem, StoreError> {
    Ok(StockItem {
        sku: row.try_get(0)?,
        on_hand: row.try_get(1)?,
        reserved: row.try_get(2)?,
        reorder_point: row.try_get(3)?,
        reorder_level: row.try_get(4)?,
        revision: row.try_get(5)?,
    })
}
