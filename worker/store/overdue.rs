//! Orders that should have gone on long ago: their workflow was never started, or forgot something
//! that the store knows.

use super::{Store, StoreError, micros};
use crate::domain::order::Order;
use jiff::Timestamp;
use sqlx::Row;

/// An order that should have gone on.
#[derive(Clone, Debug)]
pub struct Overdue {
    /// The order.
    pub order: Order,
    /// Whether Temporal is known to have the workflow.
    pub workflow_started: bool,
}

impl Store {
    /// The orders whose next thing was due before `before`, longest first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn overdue(&self, before: Timestamp, limit: i64) -> Result<Vec<Overdue>, StoreError> {
        let rows = sqlx::query(
            "SELECT document, workflow_started FROM orders
             WHERE due_time IS NOT NULL AND due_time < $1 ORDER BY due_time LIMIT $2",
        )
        .bind(micros(before))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Overdue {
                    order: serde_json::from_str(row.try_get::<&str, _>(0)?)?,
                    workflow_started: row.try_get::<i64, _>(1)? == 1,
                })
            })
            .collect()
    }
}
