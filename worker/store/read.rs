//! Reading orders and their events. Changes nothing.

use super::{Connection, DbRow, Store, StoreError, dialect::Dialect, order_tx::attempt_key};
use orders_domain::{event::Event, order::Order};
use sqlx::{FromRow, Row, SqlSafeStr, SqlStr};

/// An order as the database keeps it.
#[derive(Clone, Debug)]
pub struct StoredOrder {
    /// The order at its newest revision.
    pub order: Order,
    /// The Temporal run that last wrote it; none until the workflow's first step.
    pub run_id: Option<String>,
    /// Whether Temporal is known to have the workflow.
    pub workflow_started: bool,
}

/// What was asked under a request id.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct StoredRequest {
    /// The order id or sku.
    pub resource: String,
    /// Stands for the content.
    pub fingerprint: String,
    /// The order's revision that answered it; 0 for stock.
    pub revision: i64,
}

impl Store {
    /// The order of that id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn order(&self, order_id: &str) -> Result<Option<StoredOrder>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        load(&mut reader, order_id).await
    }

    /// The order of that id, and what was asked under `request_id`: both of one moment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn order_asked(
        &self,
        order_id: &str,
        request_id: &str,
    ) -> Result<Option<(StoredOrder, Option<StoredRequest>)>, StoreError> {
        let row = sqlx::query(
            "SELECT o.document, o.run_id, o.workflow_started, r.fingerprint, r.resource, r.revision
             FROM orders o LEFT JOIN requests r ON r.request_id = $2 WHERE o.order_id = $1",
        )
        .bind(order_id)
        .bind(request_id)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        // The request's columns are null when there is none.
        let is_asked = row.try_get::<Option<&str>, _>("fingerprint")?.is_some();
        let asked = is_asked
            .then(|| StoredRequest::from_row(&row))
            .transpose()?;
        Ok(Some((order_of(&row)?, asked)))
    }

    /// The order as it was at `revision`: the fold of its events up to there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn order_at(&self, order_id: &str, revision: i64) -> Result<StoredOrder, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let stored = load(&mut reader, order_id).await?;
        let mut stored = stored.ok_or_else(|| StoreError::NoOrder(order_id.to_owned()))?;
        if stored.order.revision > revision {
            let events = events_between(&mut reader, order_id, 0, revision).await?;
            let placed = events.first().and_then(Order::from_placed);
            let mut order = placed
                .ok_or_else(|| StoreError::Corrupt(format!("{order_id} was never placed")))?;
            events.iter().for_each(|event| order.apply(event));
            stored.order = order;
        }
        Ok(stored)
    }

    /// Whether it was the call `attempt` by which this request was applied to the order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn was_applied_by(
        &self,
        order_id: &str,
        attempt: &str,
        request_id: &str,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM order_events WHERE order_id = $1 AND effect = $2")
            .bind(order_id)
            .bind(attempt_key(attempt, request_id))
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.is_some())
    }

    /// How many signals of an order were refused; 0 for an order that is not there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn refused_signals(&self, order_id: &str) -> Result<i64, StoreError> {
        let refused: Option<i64> =
            sqlx::query_scalar("SELECT refused_signals FROM orders WHERE order_id = $1")
                .bind(order_id)
                .fetch_optional(&self.readers)
                .await?;
        Ok(refused.unwrap_or(0))
    }

    /// What was asked under a request id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn request(&self, request_id: &str) -> Result<Option<StoredRequest>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        request(&mut reader, request_id).await
    }
}

/// An order by its id.
const ORDER: &str = "SELECT document, run_id, workflow_started FROM orders WHERE order_id = $1";

pub(super) async fn load(
    connection: &mut Connection,
    order_id: &str,
) -> Result<Option<StoredOrder>, StoreError> {
    load_by(connection, ORDER.into_sql_str(), order_id).await
}

/// The same, with the order's row locked until the transaction ends. Call it before anything else:
/// the log's positions are in the order in which transactions get their numbers.
pub(super) async fn load_locked(
    connection: &mut Connection,
    order_id: &str,
) -> Result<Option<StoredOrder>, StoreError> {
    let dialect = Dialect::of(connection);
    if let Some(queue) = dialect.queue() {
        sqlx::query(queue)
            .bind(order_id)
            .execute(&mut *connection)
            .await?;
    }
    let query = dialect.locking(ORDER);
    load_by(connection, query, order_id).await
}

async fn load_by(
    connection: &mut Connection,
    query: SqlStr,
    order_id: &str,
) -> Result<Option<StoredOrder>, StoreError> {
    let row = sqlx::query(query)
        .bind(order_id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(order_of).transpose()
}

/// Reads an order from the columns `document`, `run_id` and `workflow_started`.
pub(super) fn order_of(row: &DbRow) -> Result<StoredOrder, StoreError> {
    Ok(StoredOrder {
        order: serde_json::from_str(row.try_get("document")?)?,
        run_id: row.try_get("run_id")?,
        workflow_started: row.try_get::<i64, _>("workflow_started")? == 1,
    })
}

/// The events of an order after the revision `after`, up to `until`.
pub(super) async fn events_between(
    connection: &mut Connection,
    order_id: &str,
    after: i64,
    until: i64,
) -> Result<Vec<Event>, StoreError> {
    events_up_to(connection, order_id, after, until, usize::MAX).await
}

/// The same, but only the first ones of together at most `bytes` of JSON; at least one.
pub(super) async fn events_up_to(
    connection: &mut Connection,
    order_id: &str,
    after: i64,
    until: i64,
    bytes: usize,
) -> Result<Vec<Event>, StoreError> {
    let rows = sqlx::query(
        "SELECT body FROM order_events
         WHERE order_id = $1 AND revision > $2 AND revision <= $3 ORDER BY revision",
    )
    .bind(order_id)
    .bind(after)
    .bind(until)
    .fetch_all(connection)
    .await?;
    let (mut events, mut read) = (Vec::new(), 0);
    for row in &rows {
        let body: &str = row.try_get("body")?;
        read += body.len();
        if read > bytes && !events.is_empty() {
            break;
        }
        events.push(serde_json::from_str(body)?);
    }
    Ok(events)
}

pub(super) async fn request(
    connection: &mut Connection,
    request_id: &str,
) -> Result<Option<StoredRequest>, StoreError> {
    let query = "SELECT resource, fingerprint, revision FROM requests WHERE request_id = $1";
    let request = sqlx::query_as(query).bind(request_id);
    Ok(request.fetch_optional(connection).await?)
}
