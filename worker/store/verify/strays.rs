//! Rows that belong to nothing. The database's own foreign keys forbid them, but not to those who
//! switched the keys off, or put tables of two backups together.

use super::{
    super::{Store, StoreError},
    finding::{Check, Finding},
};
use sqlx::Row;

/// More of one kind are not listed.
const MOST: i64 = 100;

/// Each table, with a query for the owners that its strays name.
const STRAYS: &[(&str, &str)] = &[
    (
        "order_events",
        "SELECT e.order_id AS owner FROM order_events e LEFT JOIN orders o ON o.order_id = e.order_id
         WHERE o.order_id IS NULL ORDER BY e.order_id LIMIT $1",
    ),
    (
        "payments",
        "SELECT p.order_id AS owner FROM payments p LEFT JOIN orders o ON o.order_id = p.order_id
         WHERE o.order_id IS NULL ORDER BY p.order_id LIMIT $1",
    ),
    (
        "payment_journal",
        "SELECT e.payment_id AS owner FROM payment_journal e
         LEFT JOIN payments p ON p.payment_id = e.payment_id
         WHERE p.payment_id IS NULL ORDER BY e.payment_id LIMIT $1",
    ),
    (
        "payment_tokens",
        "SELECT t.payment_id AS owner FROM payment_tokens t
         LEFT JOIN payments p ON p.payment_id = t.payment_id
         WHERE p.payment_id IS NULL ORDER BY t.payment_id LIMIT $1",
    ),
    (
        "payment_receipts",
        "SELECT r.order_id AS owner FROM payment_receipts r LEFT JOIN orders o ON o.order_id = r.order_id
         WHERE o.order_id IS NULL ORDER BY r.order_id LIMIT $1",
    ),
    (
        "reservations",
        "SELECT r.order_id AS owner FROM reservations r LEFT JOIN orders o ON o.order_id = r.order_id
         LEFT JOIN stock s ON s.sku = r.sku
         WHERE o.order_id IS NULL OR s.sku IS NULL ORDER BY r.order_id LIMIT $1",
    ),
    (
        "stock_adjustments",
        "SELECT a.sku AS owner FROM stock_adjustments a LEFT JOIN stock s ON s.sku = a.sku
         WHERE s.sku IS NULL ORDER BY a.sku LIMIT $1",
    ),
    (
        "shipments",
        "SELECT s.order_id AS owner FROM shipments s LEFT JOIN orders o ON o.order_id = s.order_id
         WHERE o.order_id IS NULL ORDER BY s.order_id LIMIT $1",
    ),
    (
        "notifications",
        "SELECT n.order_id AS owner FROM notifications n LEFT JOIN orders o ON o.order_id = n.order_id
         WHERE o.order_id IS NULL ORDER BY n.order_id LIMIT $1",
    ),
    (
        "supplier_orders",
        "SELECT u.sku AS owner FROM supplier_orders u LEFT JOIN stock s ON s.sku = u.sku
         WHERE s.sku IS NULL ORDER BY u.sku LIMIT $1",
    ),
];

impl Store {
    pub(super) async fn strays(&self, each: &mut impl FnMut(Finding)) -> Result<(), StoreError> {
        for (table, query) in STRAYS {
            let mut snapshot = self.snapshot().await?;
            let rows = sqlx::query(*query).bind(MOST);
            let rows = rows.fetch_all(&mut *snapshot).await?;
            drop(snapshot);
            for row in rows {
                let owner: &str = row.try_get("owner")?;
                let wrong = format!("a row of {table} belongs to {owner}, which does not exist");
                each(Finding::about(Check::Stray, wrong));
            }
        }
        Ok(())
    }
}

/// The requests after one, with whether what answered them exists. Gives the last one's id.
pub(super) async fn check_requests(
    store: &Store,
    after: &str,
    limit: i64,
    each: &mut impl FnMut(Finding),
) -> Result<Option<(String, u64)>, StoreError> {
    let mut snapshot = store.snapshot().await?;
    let rows = sqlx::query(
        "SELECT r.request_id, r.resource, r.revision, o.revision AS newest, s.sku FROM requests r
         LEFT JOIN orders o ON o.order_id = r.resource LEFT JOIN stock s ON s.sku = r.resource
         WHERE r.request_id > $1 ORDER BY r.request_id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(&mut *snapshot)
    .await?;
    for row in &rows {
        let request_id: &str = row.try_get("request_id")?;
        let resource: &str = row.try_get("resource")?;
        let answered: i64 = row.try_get("revision")?;
        let newest: Option<i64> = row.try_get("newest")?;
        let is_there = match answered {
            0 => row.try_get::<Option<&str>, _>("sku")?.is_some(),
            _ => newest.is_some_and(|newest| newest >= answered),
        };
        if !is_there {
            let wrong = match answered {
                0 => format!(
                    "the request {request_id} set the stock of {resource}, which does not exist"
                ),
                _ => format!(
                    "the request {request_id} was answered by {resource} at revision {answered}, which does not exist"
                ),
            };
            each(Finding::about(Check::RequestTarget, wrong));
        }
    }
    let last = rows.last().map(|row| row.try_get("request_id"));
    let last = last.transpose()?;
    Ok(last.map(|last| (last, rows.len() as u64)))
}
