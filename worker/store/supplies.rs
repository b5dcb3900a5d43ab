//! What is on order: what the process of a sku asks of the store, and which processes are to be
//! started.

use super::{
    Store, StoreError, from_micros, micros,
    statement::{Statement, values},
    stock::{lock_stock_item, stock_item},
    supplier_orders::{Cause, SELECT, SupplierOrder, reorder, supplier_order_of},
};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::Notify;

/// Tells one listener of this process that supplier orders may have been opened.
#[derive(Clone, Debug, Default)]
pub(super) struct Opened(Arc<Notify>);

impl Opened {
    /// Tells it; kept until somebody listens.
    pub(super) fn tell(&self) {
        self.0.notify_one();
    }
}

/// A supplier order that needs its process to be started.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Unattended {
    /// Which supplier order.
    pub supplier_order_id: String,
    /// Of which sku.
    pub sku: String,
}

impl Store {
    /// Waits until this process has reserved stock, and may have opened supplier orders with it.
    /// For one listener: what was told before it listens is not lost.
    pub async fn supplier_orders_opened(&self) {
        self.opened.0.notified().await;
    }

    /// The open supplier orders that nobody has begun with, and those that should have come before
    /// `before`; by sku, those after `after_sku`, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unattended_supplier_orders(
        &self,
        before: Timestamp,
        after_sku: &str,
        limit: i64,
    ) -> Result<Vec<Unattended>, StoreError> {
        let unattended = sqlx::query_as(
            "SELECT supplier_order_id, sku FROM supplier_orders
             WHERE state = 'OPEN' AND (due_time IS NULL OR due_time < $1) AND sku > $2
             ORDER BY sku LIMIT $3",
        )
        .bind(micros(before))
        .bind(after_sku)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        Ok(unattended)
    }

    /// The open supplier order of a sku.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_supplier_order(
        &self,
        sku: &str,
    ) -> Result<Option<SupplierOrder>, StoreError> {
        let mut query = Statement::new(SELECT, []);
        query.push(" WHERE state = 'OPEN' AND sku = $1", values![sku]);
        let row = query.query().fetch_optional(&self.readers).await?;
        row.as_ref().map(supplier_order_of).transpose()
    }

    /// Notes when the supplier delivers, and gives it back as it is kept. The first answer counts.
    ///
    /// # Errors
    /// When the database cannot be written, or has no such supplier order; the same again is safe.
    pub async fn expect_delivery(
        &self,
        supplier_order_id: &str,
        due_time: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        // Not by itself: the driver gives back a row before it has heard that it was committed.
        let mut tx = self.write().await?;
        let kept: i64 = sqlx::query_scalar(
            "UPDATE supplier_orders SET due_time = COALESCE(due_time, $1)
             WHERE supplier_order_id = $2 RETURNING due_time",
        )
        .bind(micros(due_time))
        .bind(supplier_order_id)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        from_micros(kept)
    }

    /// Takes a delivery in, once: its pieces are on hand, and where the stock is still low, the
    /// next supplier order is opened with it, so that a sku is never low with nothing on order.
    /// Not due at `now`, or delivered before: nothing happens. Gives whether it was taken in.
    ///
    /// # Errors
    /// When the database cannot be written; the same again is safe.
    pub async fn receive_supplier_order(
        &self,
        supplier_order_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        // The stock first, as an order's reservation locks them: else the two could wait for each
        // other.
        let sku: Option<String> =
            sqlx::query_scalar("SELECT sku FROM supplier_orders WHERE supplier_order_id = $1")
                .bind(supplier_order_id)
                .fetch_optional(&mut *tx)
                .await?;
        let Some(sku) = sku else {
            return Ok(false);
        };
        lock_stock_item(&mut tx, &sku).await?;
        let quantity: Option<i64> = sqlx::query_scalar(
            "UPDATE supplier_orders SET state = 'DELIVERED', deliver_time = $1
             WHERE supplier_order_id = $2 AND state = 'OPEN' AND due_time <= $1
             RETURNING quantity",
        )
        .bind(micros(now))
        .bind(supplier_order_id)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(quantity) = quantity else {
            return Ok(false);
        };
        sqlx::query(
            "UPDATE stock SET on_hand = on_hand + $1, supplied = supplied + $1,
                 revision = revision + 1
             WHERE sku = $2",
        )
        .bind(quantity)
        .bind(&sku)
        .execute(&mut *tx)
        .await?;
        let cause = Cause::SupplierOrder(supplier_order_id);
        if let Some(item) = stock_item(&mut tx, &sku).await? {
            reorder(&mut tx, &item, cause, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
