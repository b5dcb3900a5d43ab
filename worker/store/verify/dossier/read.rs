//! Reading a page of dossiers. There is one query for each table and page, because a query for each
//! order would take most of the time.

use super::Dossier;
use crate::{
    Connection, DbRow, StoreError,
    statement::{Statement, Value, values},
};
use sqlx::{FromRow, Row};
use std::collections::BTreeMap;

/// The number of parameters that every database takes in one query.
const AT_ONCE: usize = 500;

/// The orders to be read.
pub(in crate::verify) enum Which<'a> {
    /// The orders after this id, at most so many.
    After(&'a str, i64),
    /// This one.
    Only(&'a str),
}

/// Reads orders by id, from what should be a snapshot.
pub(in crate::verify) async fn read(
    db: &mut Connection,
    which: Which<'_>,
) -> Result<Vec<Dossier>, StoreError> {
    let mut query = Statement::new(
        "SELECT order_id, customer_id, policy, state, close_reason, revision, place_time,
             update_time, close_time, due_time, document FROM orders",
        [],
    );
    match which {
        Which::After(order_id, limit) => {
            query.push(" WHERE order_id > $1 ORDER BY order_id", values![order_id]);
            query.limit(limit);
        }
        Which::Only(order_id) => {
            query.push(" WHERE order_id = $1", values![order_id]);
        }
    }
    let rows = query.query().fetch_all(&mut *db).await?;
    let dossiers = rows.iter().map(Dossier::from_row);
    let mut dossiers = dossiers.collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(last)) = (dossiers.first(), dossiers.last()) else {
        return Ok(dossiers);
    };
    let range = (first.order_id.clone(), last.order_id.clone());
    let by_id = dossiers.iter_mut();
    let by_id = by_id.map(|dossier| (dossier.order_id.clone(), dossier));
    let mut page = Page {
        db,
        range,
        by_id: by_id.collect(),
    };
    page.events().await?;
    page.payments().await?;
    page.entries().await?;
    page.receipts().await?;
    page.reservations().await?;
    page.shipments().await?;
    page.messages().await?;
    page.requests().await?;
    Ok(dossiers)
}

/// A page of orders that the rows of the other tables are added to.
struct Page<'a> {
    db: &'a mut Connection,
    /// The ids of the first and the last order.
    range: (String, String),
    by_id: BTreeMap<String, &'a mut Dossier>,
}

impl Page<'_> {
    /// Runs a query on the range of order ids, and gives each row to the dossier of its `order_id`.
    async fn rows<T>(
        &mut self,
        query: &'static str,
        mut put: impl FnMut(&mut Dossier, T),
    ) -> Result<(), StoreError>
    where
        T: for<'r> FromRow<'r, DbRow>,
    {
        let (first, last) = &self.range;
        let rows = sqlx::query(query).bind(first).bind(last);
        for row in rows.fetch_all(&mut *self.db).await? {
            let order_id: &str = row.try_get("order_id")?;
            // Rows that belong to no order are found with the strays.
            if let Some(dossier) = self.by_id.get_mut(order_id) {
                put(dossier, T::from_row(&row)?);
            }
        }
        Ok(())
    }

    async fn events(&mut self) -> Result<(), StoreError> {
        let query = "SELECT order_id, revision, type, effect, time, body FROM order_events
             WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id, revision";
        self.rows(query, |dossier, event| dossier.events.push(event))
            .await
    }

    async fn payments(&mut self) -> Result<(), StoreError> {
        let query = "SELECT p.order_id, p.payment_id, p.currency, p.authorized, p.captured,
                 p.refunded, p.voided, t.payment_id AS token_of
             FROM payments p LEFT JOIN payment_tokens t ON t.payment_id = p.payment_id
             WHERE p.order_id BETWEEN $1 AND $2 ORDER BY p.order_id";
        self.rows(query, |dossier, payment| dossier.payment = Some(payment))
            .await
    }

    async fn entries(&mut self) -> Result<(), StoreError> {
        let query = "SELECT p.order_id, e.key, e.kind, e.phase, e.amount, e.transaction_id
             FROM payment_journal e JOIN payments p ON p.payment_id = e.payment_id
             WHERE p.order_id BETWEEN $1 AND $2 ORDER BY p.order_id, e.entry";
        self.rows(query, |dossier, entry| dossier.entries.push(entry))
            .await
    }

    async fn receipts(&mut self) -> Result<(), StoreError> {
        let query = "SELECT order_id, transaction_id, amount, currency, counted
             FROM payment_receipts WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id, receipt";
        self.rows(query, |dossier, receipt| dossier.receipts.push(receipt))
            .await?;
        let query = "SELECT DISTINCT r.order_id, r.transaction_id, p.order_id AS other_order_id
             FROM payment_receipts r
             JOIN payment_journal j ON j.transaction_id = r.transaction_id
                 AND j.kind <> 'CONFIRM' AND j.vouched = 0
             JOIN payments p ON p.payment_id = j.payment_id
             WHERE r.order_id BETWEEN $1 AND $2 ORDER BY 1, 2, 3";
        self.rows(query, |dossier, dispute| dossier.disputes.push(dispute))
            .await?;
        let query = "SELECT DISTINCT p.order_id, j.transaction_id, q.order_id AS other_order_id
             FROM payments p
             JOIN payment_journal j ON j.payment_id = p.payment_id AND j.kind IN ('CAPTURE', 'CHARGE')
                 AND j.vouched = 0
             JOIN payment_journal k ON k.transaction_id = j.transaction_id
                 AND k.kind IN ('CAPTURE', 'CHARGE') AND k.kind <> 'CONFIRM'
                 AND k.payment_id <> j.payment_id AND k.vouched = 0
             JOIN payments q ON q.payment_id = k.payment_id
             WHERE p.order_id BETWEEN $1 AND $2 ORDER BY 1, 2, 3";
        self.rows(query, |dossier, shared| dossier.shared.push(shared))
            .await
    }

    async fn reservations(&mut self) -> Result<(), StoreError> {
        let query = "SELECT order_id, sku, quantity, state FROM reservations
             WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id, sku";
        self.rows(query, |dossier, line| dossier.reservations.push(line))
            .await
    }

    async fn shipments(&mut self) -> Result<(), StoreError> {
        let query = "SELECT order_id, shipment_id, carrier, state, address FROM shipments
             WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id";
        self.rows(query, |dossier, shipment| dossier.shipment = Some(shipment))
            .await
    }

    async fn messages(&mut self) -> Result<(), StoreError> {
        let query = "SELECT order_id, milestone, state, last_error FROM notifications
             WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id, milestone";
        self.rows(query, |dossier, message| dossier.messages.push(message))
            .await
    }

    /// Reads the requests that the events name, by their ids: the table has no index by order.
    async fn requests(&mut self) -> Result<(), StoreError> {
        for dossier in self.by_id.values_mut() {
            let events = dossier.events.iter();
            let events = events.filter_map(|row| row.body.as_ref().ok());
            let ids: Vec<String> = events
                .filter_map(|event| event.request_id.clone())
                .collect();
            for ids in ids.chunks(AT_ONCE) {
                let mut query = Statement::new(
                    "SELECT request_id, resource, revision FROM requests WHERE request_id IN (",
                    [],
                );
                query.list(ids.iter().map(Value::from));
                query.push(") ORDER BY request_id", []);
                for row in query.query().fetch_all(&mut *self.db).await? {
                    let answer = (row.try_get("resource")?, row.try_get("revision")?);
                    dossier.requests.insert(row.try_get("request_id")?, answer);
                }
            }
        }
        Ok(())
    }
}
