//! Stock as the inventory service shows and sets it.

use super::{
    Connection, DbRow, Store, StoreError,
    dialect::Dialect,
    is_duplicate, micros,
    read::{StoredRequest, request},
    remember::remember_request,
    statement::{Batch, Statement},
};
use crate::domain::fingerprint;
use jiff::Timestamp;
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
}

/// What became of setting stock.
#[derive(Debug)]
pub enum Setting {
    /// It is as asked, now or since the same request before.
    Set {
        /// As it is now.
        item: StockItem,
        /// Whether the request was answered before.
        replayed: bool,
    },
    /// The request id was used for something else.
    RequestReused,
    /// Orders hold more than the new count.
    BelowReserved {
        /// How much they hold.
        reserved: i64,
    },
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
            "SELECT sku, on_hand, reserved, reorder_point, reorder_level FROM stock
             WHERE sku > $1 ORDER BY sku LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(item_of).collect()
    }

    /// Sets the count and the reorder numbers of a SKU, making it when it is new. What is reserved
    /// stays reserved.
    ///
    /// # Errors
    /// When the database cannot be used; the same call again is safe.
    pub async fn set_stock_item(
        &self,
        item: &StockItem,
        request_id: &str,
        now: Timestamp,
    ) -> Result<Setting, StoreError> {
        let numbers = [item.on_hand, item.reorder_point, item.reorder_level];
        let numbers = numbers.map(|number| number.to_string());
        let content = numbers
            .iter()
            .map(String::as_str)
            .chain([item.sku.as_str()]);
        let fingerprint = fingerprint(content);
        match self
            .try_set_stock_item(item, request_id, &fingerprint, now)
            .await
        {
            // The same request at once, for this item or another: it is committed by now.
            Err(StoreError::Unavailable(error)) if is_duplicate(&error) => {
                self.try_set_stock_item(item, request_id, &fingerprint, now)
                    .await
            }
            setting => setting,
        }
    }

    async fn try_set_stock_item(
        &self,
        item: &StockItem,
        request_id: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<Setting, StoreError> {
        let mut tx = self.write().await?;
        // A new one is made first, so that there is a row to lock; undone when nothing is set.
        sqlx::query("INSERT INTO stock (sku, on_hand) VALUES ($1, 0) ON CONFLICT (sku) DO NOTHING")
            .bind(&item.sku)
            .execute(&mut *tx)
            .await?;
        let locked = lock_stock_item(&mut tx, &item.sku).await?;
        if let Some(before) = request(&mut tx, request_id).await? {
            return match stock_item(&mut tx, &item.sku).await? {
                Some(item) if before.fingerprint == fingerprint => Ok(Setting::Set {
                    item,
                    replayed: true,
                }),
                _ => Ok(Setting::RequestReused),
            };
        }
        let reserved = locked.map_or(0, |locked| locked.reserved);
        if item.on_hand < reserved {
            return Ok(Setting::BelowReserved { reserved });
        }
        // `adjusted` takes up the difference, so that the books still balance.
        sqlx::query(
            "UPDATE stock SET adjusted = adjusted + $2 - on_hand, on_hand = $2,
                 reorder_point = $3, reorder_level = $4
             WHERE sku = $1",
        )
        .bind(&item.sku)
        .bind(item.on_hand)
        .bind(item.reorder_point)
        .bind(item.reorder_level)
        .execute(&mut *tx)
        .await?;
        let asked = StoredRequest {
            resource: item.sku.clone(),
            fingerprint: fingerprint.to_owned(),
            revision: 0,
        };
        let mut batch = Batch::new(self.dialect);
        remember_request(&mut batch, request_id, &asked, micros(now));
        batch.run(&mut tx).await?;
        let item = stock_item(&mut tx, &item.sku).await?;
        tx.commit().await?;
        let item = item.ok_or_else(|| StoreError::Corrupt("stock vanished".to_owned()))?;
        Ok(Setting::Set {
            item,
            replayed: false,
        })
    }
}

/// The stock of one SKU.
const ITEM: &str =
    "SELECT sku, on_hand, reserved, reorder_point, reorder_level FROM stock WHERE sku = $1";

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
    })
}
