//! Reading orders and their events. Changes nothing.

use super::{Connection, Store, StoreError};
use crate::domain::{event::Event, order::Order};
use sqlx::Row;

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

impl Store {
    /// The order of that id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn order(&self, order_id: &str) -> Result<Option<StoredOrder>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        load(&mut reader, order_id).await
    }

    /// The events of an order after `revision`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events(
        &self,
        order_id: &str,
        revision: i64,
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        events_after(&mut reader, order_id, revision, limit).await
    }

    /// What was asked under a request id: the order id or sku, and the content's fingerprint.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn request(&self, request_id: &str) -> Result<Option<(String, String)>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        request(&mut reader, request_id).await
    }
}

pub(super) async fn load(
    connection: &mut Connection,
    order_id: &str,
) -> Result<Option<StoredOrder>, StoreError> {
    let row =
        sqlx::query("SELECT document, run_id, workflow_started FROM orders WHERE order_id = $1")
            .bind(order_id)
            .fetch_optional(connection)
            .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredOrder {
        order: serde_json::from_str(row.try_get::<&str, _>(0)?)?,
        run_id: row.try_get(1)?,
        workflow_started: row.try_get::<i64, _>(2)? == 1,
    }))
}

pub(super) async fn events_after(
    connection: &mut Connection,
    order_id: &str,
    revision: i64,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    let rows = sqlx::query(
        "SELECT body FROM order_events WHERE order_id = $1 AND revision > $2
         ORDER BY revision LIMIT $3",
    )
    .bind(order_id)
    .bind(revision)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok(serde_json::from_str(row.try_get::<&str, _>(0)?)?))
        .collect()
}

pub(super) async fn request(
    connection: &mut Connection,
    request_id: &str,
) -> Result<Option<(String, String)>, StoreError> {
    let row = sqlx::query("SELECT resource, fingerprint FROM requests WHERE request_id = $1")
        .bind(request_id)
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .transpose()
}

/// Remembers what was asked under a request id.
pub(super) async fn remember_request(
    connection: &mut Connection,
    request_id: &str,
    resource: &str,
    fingerprint: &str,
    time: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO requests (request_id, resource, fingerprint, time) VALUES ($1, $2, $3, $4)",
    )
    .bind(request_id)
    .bind(resource)
    .bind(fingerprint)
    .bind(time)
    .execute(connection)
    .await?;
    Ok(())
}
