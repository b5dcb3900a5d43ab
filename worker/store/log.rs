//! The log: all events of all orders, in the order of their commits. What watches read.

use super::{
    Store, StoreError,
    read::{StoredOrder, events_between, load},
    statement::{Statement, values},
};
use orders_domain::{event::Event, order::Order};
use sqlx::{FromRow, Row};
use std::sync::Arc;
use tokio::sync::Notify;

/// Tells the reader of the log in this process that there are new events.
#[derive(Clone, Debug, Default)]
pub(super) struct Appended(Arc<Notify>);

impl Appended {
    /// Call it after the commit. One call is kept for a reader that does not listen just now.
    pub(super) fn tell(&self) {
        self.0.notify_one();
    }
}

/// One event as the log has it.
#[derive(Clone, Debug, FromRow)]
pub struct Record {
    /// Where it stands, over all orders: larger than that of every event that could be read before.
    pub position: i64,
    /// Whose event it is.
    pub order_id: String,
    /// The Temporal run that last wrote the order.
    run_id: Option<String>,
    /// The event as JSON: most readers want few of them.
    body: String,
}

/// One event, with the order as it was right after it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// The order after it.
    pub stored: StoredOrder,
}

/// A part of one order's events.
#[derive(Debug)]
pub struct History {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// The order's newest revision.
    pub newest: i64,
    /// Whether the order is closed at that revision.
    pub closed: bool,
}

impl Store {
    /// Waits until this process has committed an event since the last call. For one reader.
    pub async fn appended(&self) {
        self.appended.0.notified().await;
    }

    /// The position of the newest event; 0 when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn log_head(&self) -> Result<i64, StoreError> {
        let mut query = Statement::new(
            "SELECT COALESCE(MAX(position), 0) AS head FROM order_events WHERE ",
            [],
        );
        query.push(self.dialect.is_final(), []);
        let row = query.query().fetch_one(&self.readers).await?;
        Ok(row.try_get("head")?)
    }

    /// The events after `position`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn log(&self, position: i64, limit: i64) -> Result<Vec<Record>, StoreError> {
        let mut query = Statement::new(
            "SELECT e.position, e.order_id, o.run_id, e.body
             FROM order_events e JOIN orders o ON o.order_id = e.order_id
             WHERE e.position > $1 AND ",
            values![position],
        );
        query.push(self.dialect.is_final(), []);
        query.push(" ORDER BY e.position", []).limit(limit);
        let rows = query.query().fetch_all(&self.readers).await?;
        let records = rows.iter().map(Record::from_row);
        Ok(records.collect::<Result<_, _>>()?)
    }

    /// The events of an order after `revision`, each with the order after it, at most `limit`.
    /// None when there is no such order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn history(
        &self,
        order_id: &str,
        revision: i64,
        limit: i64,
    ) -> Result<Option<History>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let Some(stored) = load(&mut reader, order_id).await? else {
            return Ok(None);
        };
        let newest = stored.order.revision;
        let closed = stored.order.state.is_closed();
        let mut entries = Vec::new();
        if revision < newest {
            // The order after an event is the fold of all events up to it. Those that came since
            // the row was read are left for the next call.
            let end = revision.saturating_add(limit).min(newest);
            let events = events_between(&mut reader, order_id, 0, end).await?;
            let mut order = events
                .first()
                .and_then(Order::from_placed)
                .ok_or_else(|| StoreError::Corrupt(format!("{order_id} was never placed")))?;
            for event in events {
                order.apply(&event);
                if event.revision > revision {
                    let order = order.clone();
                    let stored = StoredOrder {
                        order,
                        run_id: stored.run_id.clone(),
                        workflow_started: stored.workflow_started,
                    };
                    entries.push(Entry { event, stored });
                }
            }
        }
        Ok(Some(History {
            entries,
            newest,
            closed,
        }))
    }
}

impl Record {
    /// The event with the order after it. `before` is the order as the reader knows it, if it
    /// does: then the database need not be asked.
    ///
    /// # Errors
    /// When the database cannot be read, or holds what it must not.
    pub async fn entry(
        self,
        store: &Store,
        before: Option<StoredOrder>,
    ) -> Result<Entry, StoreError> {
        let event: Event = serde_json::from_str(&self.body)?;
        let order = match before {
            Some(before) if before.order.revision + 1 == event.revision => Some(before.order),
            _ => Order::from_placed(&event),
        };
        let stored = match order {
            Some(mut order) => {
                order.apply(&event);
                StoredOrder {
                    order,
                    run_id: self.run_id,
                    workflow_started: true,
                }
            }
            None => store.order_at(&self.order_id, event.revision).await?,
        };
        Ok(Entry { event, stored })
    }
}
