//! Orders that were placed and that Temporal is not known to have: a small index knows them.

use super::{Store, StoreError, micros};
use jiff::Timestamp;
use orders_domain::order::Order;
use sqlx::Row;

pub(super) const FIND: &str = "SELECT order_id, document FROM orders
     WHERE workflow_started = 0 AND due_time < $1 AND (due_time, order_id) > ($2, $3)
     ORDER BY due_time, order_id LIMIT $4";

pub(super) const COUNT: &str = "SELECT COUNT(*) AS unstarted FROM (
         SELECT 1 FROM orders WHERE workflow_started = 0 AND due_time < $1 LIMIT $2
     ) AS found";

impl Store {
    /// The orders without a known workflow that were placed before `before`, oldest first, `limit` at
    /// most, after the order `after` of an earlier page. An order that cannot be read is logged and
    /// left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unstarted(
        &self,
        before: Timestamp,
        after: Option<&Order>,
        limit: i64,
    ) -> Result<Vec<Order>, StoreError> {
        // An order is due from its placing until its first step, which also notes the workflow.
        let (time, order_id) = match after {
            Some(order) => (order.place_time, order.order_id.as_str()),
            None => (Timestamp::MIN, ""),
        };
        let rows = sqlx::query(FIND)
            .bind(micros(before))
            .bind(micros(time))
            .bind(order_id)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        let mut orders = Vec::with_capacity(rows.len());
        for row in &rows {
            let order_id: &str = row.try_get("order_id")?;
            match serde_json::from_str(row.try_get("document")?) {
                Ok(order) => orders.push(order),
                Err(error) => tracing::error!(order_id, %error, "an order cannot be read"),
            }
        }
        Ok(orders)
    }

    /// How many orders were placed before `before` and are without a known workflow; `most` for all
    /// larger numbers.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn count_unstarted(&self, before: Timestamp, most: i64) -> Result<i64, StoreError> {
        let unstarted = sqlx::query_scalar(COUNT)
            .bind(micros(before))
            .bind(most)
            .fetch_one(&self.readers)
            .await?;
        Ok(unstarted)
    }
}
