//! The orders that need a person, as far as the store knows: two questions, each answered by an index.

use super::{DbRow, Store, StoreError, from_micros, micros};
use jiff::Timestamp;
use orders_domain::order::Order;
use sqlx::Row;

/// How the store found an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// By what the order is: see [`Order::attention_time`].
    Attention,
    /// It should have gone on, and is not of the first kind.
    Overdue,
}

/// Where a page ends: the last row's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which question it answers.
    pub source: Source,
    /// By what the answers are sorted: since when, or when it was due.
    pub time: Timestamp,
    /// Of the last order.
    pub order_id: String,
}

/// An order that needs a person, or may.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The order; none for a row that cannot be read, which is logged and hides no other.
    pub order: Option<Order>,
    /// When what is next for it is due.
    pub due_time: Option<Timestamp>,
    /// Where a page that ends with it ends.
    pub position: Position,
}

/// Those that ask for attention themselves.
pub(super) const ASKING: &str = "SELECT document, due_time, order_id, attention_time AS since
     FROM orders
     WHERE attention_time IS NOT NULL AND attention_time <= $1
         AND (attention_time, order_id) > ($2, $3)
     ORDER BY attention_time, order_id LIMIT $4";

/// Those that are late, without those of [`ASKING`]. Of a closed order only the end of its workflow may be late.
pub(super) const LATE: &str = "SELECT document, due_time, order_id, due_time AS since
     FROM orders
     WHERE due_time IS NOT NULL AND due_time < $1 AND (due_time, order_id) > ($2, $3)
         AND (attention_time IS NULL OR attention_time > $4)
     ORDER BY due_time, order_id LIMIT $5";

impl Store {
    /// The orders that need a person at `now`: first those that ask for attention, longest first; then
    /// those whose next thing was due before `overdue_before`. After `after`, `limit` at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn needing_attention(
        &self,
        now: Timestamp,
        overdue_before: Timestamp,
        after: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut found = Vec::new();
        if after.is_none_or(|after| after.source == Source::Attention) {
            found = self.asking(now, after, limit).await?;
        }
        let left = limit - found.len() as i64;
        if left > 0 {
            let after = after.filter(|after| after.source == Source::Overdue);
            found.extend(self.late(now, overdue_before, after, left).await?);
        }
        Ok(found)
    }

    async fn asking(
        &self,
        now: Timestamp,
        after: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Candidate>, StoreError> {
        let (time, order_id) = key(after);
        let rows = sqlx::query(ASKING)
            .bind(micros(now))
            .bind(time)
            .bind(order_id)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        let rows = rows.iter().map(|row| candidate(row, Source::Attention));
        rows.collect()
    }

    async fn late(
        &self,
        now: Timestamp,
        before: Timestamp,
        after: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Candidate>, StoreError> {
        let (time, order_id) = key(after);
        let rows = sqlx::query(LATE)
            .bind(micros(before))
            .bind(time)
            .bind(order_id)
            .bind(micros(now))
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        let rows = rows.iter().map(|row| candidate(row, Source::Overdue));
        rows.collect()
    }
}

fn key(after: Option<&Position>) -> (i64, &str) {
    after.map_or((i64::MIN, ""), |after| {
        (micros(after.time), after.order_id.as_str())
    })
}

fn candidate(row: &DbRow, source: Source) -> Result<Candidate, StoreError> {
    let due_time: Option<i64> = row.try_get("due_time")?;
    let order_id: &str = row.try_get("order_id")?;
    let order = serde_json::from_str(row.try_get("document")?)
        .inspect_err(|error| tracing::error!(order_id, %error, "an order cannot be read"));
    Ok(Candidate {
        order: order.ok(),
        due_time: due_time.map(from_micros).transpose()?,
        position: Position {
            source,
            time: from_micros(row.try_get("since")?)?,
            order_id: order_id.to_owned(),
        },
    })
}
