//! Orders that should have gone on long ago: their workflow was never started, forgot something that
//! the store knows, or is gone.

use super::{DbRow, Store, StoreError, from_micros, micros};
use jiff::Timestamp;
use orders_domain::order::Order;
use sqlx::Row;

/// An order that should have gone on.
#[derive(Clone, Debug)]
pub struct Overdue {
    /// The order.
    pub order: Order,
    /// Whether Temporal is known to have the workflow.
    pub workflow_started: bool,
}

/// Where a page begins: after this.
#[derive(Clone, Debug)]
pub struct Place {
    due_time: Timestamp,
    order_id: String,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            due_time: Timestamp::MIN,
            order_id: String::new(),
        }
    }
}

/// Some overdue orders, and where the next page begins.
#[derive(Debug)]
pub struct Page {
    /// Longest overdue first.
    pub orders: Vec<Overdue>,
    /// None after the last page.
    pub next: Option<Place>,
}

impl Store {
    /// The orders whose next thing was due before `before`, after `place`, `limit` at most. One
    /// that cannot be read is logged and left out: it must not hold up the others.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn overdue(
        &self,
        before: Timestamp,
        place: &Place,
        limit: i64,
    ) -> Result<Page, StoreError> {
        let rows = sqlx::query(
            "SELECT order_id, due_time, document, workflow_started FROM orders
             WHERE due_time IS NOT NULL AND due_time < $1 AND (due_time, order_id) > ($2, $3)
             ORDER BY due_time, order_id LIMIT $4",
        )
        .bind(micros(before))
        .bind(micros(place.due_time))
        .bind(&place.order_id)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let last = rows.last().filter(|_| rows.len() as i64 == limit);
        let next = last.map(|row| {
            Ok::<_, StoreError>(Place {
                order_id: row.try_get("order_id")?,
                due_time: from_micros(row.try_get("due_time")?)?,
            })
        });
        let next = next.transpose()?;
        let orders = rows.iter().filter_map(|row| {
            let order_id: Option<&str> = row.try_get("order_id").ok();
            overdue(row)
                .inspect_err(|error| tracing::error!(order_id, %error, "an order cannot be read"))
                .ok()
        });
        let orders = orders.collect();
        Ok(Page { orders, next })
    }

    /// Notes that nothing more is due for a closed order, as it was read at `revision`. An order that has moved
    /// since is left alone: something may be due for it again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn forget_due(&self, order_id: &str, revision: i64) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE orders SET due_time = NULL
             WHERE order_id = $1 AND revision = $2 AND close_time IS NOT NULL",
        )
        .bind(order_id)
        .bind(revision)
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }
}

fn overdue(row: &DbRow) -> Result<Overdue, StoreError> {
    Ok(Overdue {
        order: serde_json::from_str(row.try_get("document")?)?,
        workflow_started: row.try_get::<i64, _>("workflow_started")? == 1,
    })
}
