//! Stock as the inventory service shows it.

use super::{
    Connection, Store, StoreError,
    dialect::Dialect,
    statement::{Statement, Value},
};
use sqlx::Row;
use std::collections::BTreeSet;

/// The stock of one SKU, in pieces.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
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
        if skus.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut query = Statement::new("SELECT sku FROM stock WHERE sku IN (", []);
        query.list(skus.iter().map(|sku| Value::from(*sku)));
        query.push(")", []);
        let rows = query.query().fetch_all(&self.readers).await?;
        let skus = rows.iter().map(|row| row.try_get("sku"));
        Ok(skus.collect::<Result<_, sqlx::Error>>()?)
    }

    /// The SKUs after `after` in alphabetical order, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stock_items(&self, after: &str, limit: i64) -> Result<Vec<StockItem>, StoreError> {
        let items = sqlx::query_as(
            "SELECT sku, on_hand, reserved, reorder_point, reorder_level, revision FROM stock
             WHERE sku > $1 ORDER BY sku LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        Ok(items)
    }
}

/// The stock of one SKU.
const ITEM: &str = "SELECT sku, on_hand, reserved, reorder_point, reorder_level, revision FROM stock \
                    WHERE sku = $1";

pub(crate) async fn stock_item(
    connection: &mut Connection,
    sku: &str,
) -> Result<Option<StockItem>, StoreError> {
    let item = sqlx::query_as(ITEM).bind(sku);
    Ok(item.fetch_optional(connection).await?)
}

/// The stock of one SKU, with its row locked until the transaction ends. A transaction that locks
/// several rows locks them in the order of their SKUs.
pub(crate) async fn lock_stock_item(
    connection: &mut Connection,
    sku: &str,
) -> Result<Option<StockItem>, StoreError> {
    let query = Dialect::of(connection).locking(ITEM);
    let item = sqlx::query_as(query).bind(sku);
    Ok(item.fetch_optional(connection).await?)
}
