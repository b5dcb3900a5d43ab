//! Everything that is kept of an order, read at one moment.

use super::super::{Connection, DbRow, StoreError, statement::Statement};
use orders_domain::{address::Address, event::Event, order::Order};
use sqlx::Row;
use std::collections::BTreeMap;

/// All about one order. Times are microseconds, amounts minor units.
#[derive(Debug)]
pub(super) struct Dossier {
    pub(super) order_id: String,
    pub(super) columns: Columns,
    /// Or why it cannot be read.
    pub(super) document: Result<Order, String>,
    /// By revision.
    pub(super) events: Vec<EventRow>,
    pub(super) payment: Option<PaymentRow>,
    /// The payment journal, oldest first.
    pub(super) entries: Vec<EntryRow>,
    /// The money from outside, by the number of the receipt.
    pub(super) receipts: Vec<ReceiptRow>,
    /// The receipts' transactions that a payment provider has answered, with the order that it was for.
    pub(super) disputes: Vec<(String, String)>,
    /// The transactions by which a provider took money for this order and for another one, with that one.
    pub(super) shared: Vec<(String, String)>,
    /// By sku.
    pub(super) reservations: Vec<ReservationRow>,
    pub(super) shipment: Option<ShipmentRow>,
    pub(super) messages: Vec<MessageRow>,
    /// Of the requests that the events name: resource and revision, by request id.
    pub(super) requests: BTreeMap<String, (String, i64)>,
}

#[derive(Debug)]
pub(super) struct Columns {
    pub(super) customer_id: String,
    pub(super) policy: String,
    pub(super) state: String,
    pub(super) close_reason: Option<String>,
    pub(super) revision: i64,
    pub(super) place_time: i64,
    pub(super) update_time: i64,
    pub(super) close_time: Option<i64>,
    pub(super) due_time: Option<i64>,
}

#[derive(Debug)]
pub(super) struct EventRow {
    pub(super) revision: i64,
    pub(super) kind: String,
    pub(super) step_key: Option<String>,
    pub(super) time: i64,
    /// Or why it cannot be read.
    pub(super) body: Result<Event, String>,
}

#[derive(Debug)]
pub(super) struct PaymentRow {
    pub(super) payment_id: String,
    pub(super) currency: String,
    pub(super) authorized: i64,
    pub(super) captured: i64,
    pub(super) refunded: i64,
    pub(super) voided: bool,
    /// Whether its payment token is kept.
    pub(super) has_token: bool,
}

#[derive(Debug)]
pub(super) struct EntryRow {
    pub(super) key: String,
    pub(super) kind: String,
    pub(super) phase: String,
    pub(super) amount: i64,
    pub(super) transaction_id: Option<String>,
    pub(super) vouched: bool,
}

#[derive(Debug)]
pub(super) struct ReceiptRow {
    pub(super) transaction_id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) counted: i64,
}

#[derive(Debug)]
pub(super) struct ReservationRow {
    pub(super) sku: String,
    pub(super) quantity: i64,
    pub(super) state: String,
}

#[derive(Debug)]
pub(super) struct ShipmentRow {
    pub(super) shipment_id: String,
    pub(super) carrier: String,
    pub(super) state: String,
    /// None when it cannot be read.
    pub(super) address: Option<Address>,
}

#[derive(Debug)]
pub(super) struct MessageRow {
    pub(super) milestone: String,
    pub(super) state: String,
    pub(super) last_error: Option<String>,
}

/// Which orders.
pub(super) enum Which<'a> {
    /// Those after an id, so many.
    After(&'a str, i64),
    /// This one.
    Only(&'a str),
}

/// Reads orders by id, from what should be a snapshot.
pub(super) async fn read(
    db: &mut Connection,
    which: Which<'_>,
) -> Result<Vec<Dossier>, StoreError> {
    let mut query = Statement::new(
        "SELECT order_id, customer_id, policy, state, close_reason, revision, place_time,
             update_time, close_time, due_time, document FROM orders WHERE order_id ",
    );
    match which {
        Which::After(order_id, limit) => {
            query.push("> ").bind(order_id);
            query.push(" ORDER BY order_id").limit(limit);
        }
        Which::Only(order_id) => {
            query.push("= ").bind(order_id);
        }
    }
    let rows = query.query().fetch_all(&mut *db).await?;
    let mut dossiers = Vec::with_capacity(rows.len());
    for row in &rows {
        let document: &str = row.try_get(10)?;
        dossiers.push(Dossier {
            order_id: row.try_get(0)?,
            columns: Columns {
                customer_id: row.try_get(1)?,
                policy: row.try_get(2)?,
                state: row.try_get(3)?,
                close_reason: row.try_get(4)?,
                revision: row.try_get(5)?,
                place_time: row.try_get(6)?,
                update_time: row.try_get(7)?,
                close_time: row.try_get(8)?,
                due_time: row.try_get(9)?,
            },
            document: serde_json::from_str(document).map_err(|error| error.to_string()),
            events: Vec::new(),
            payment: None,
            entries: Vec::new(),
            receipts: Vec::new(),
            disputes: Vec::new(),
            shared: Vec::new(),
            reservations: Vec::new(),
            shipment: None,
            messages: Vec::new(),
            requests: BTreeMap::new(),
        });
    }
    let (Some(first), Some(last)) = (dossiers.first(), dossiers.last()) else {
        return Ok(dossiers);
    };
    let range = (first.order_id.clone(), last.order_id.clone());
    let mut pages = Pages::new(&mut dossiers);
    pages.events(db, &range).await?;
    pages.payments(db, &range).await?;
    pages.entries(db, &range).await?;
    pages.receipts(db, &range).await?;
    pages.reservations(db, &range).await?;
    pages.shipments(db, &range).await?;
    pages.messages(db, &range).await?;
    pages.requests(db).await?;
    Ok(dossiers)
}

type Range = (String, String);

/// Puts rows to their orders. One query for each table and page: a query for each order would take
/// most of the time.
struct Pages<'a> {
    by_id: BTreeMap<String, &'a mut Dossier>,
}

impl<'a> Pages<'a> {
    fn new(dossiers: &'a mut [Dossier]) -> Self {
        let by_id = dossiers.iter_mut();
        let by_id = by_id.map(|dossier| (dossier.order_id.clone(), dossier));
        Self {
            by_id: by_id.collect(),
        }
    }

    async fn rows(
        &mut self,
        db: &mut Connection,
        query: &'static str,
        range: &Range,
        mut put: impl FnMut(&mut Dossier, &DbRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let rows = sqlx::query(query).bind(&range.0).bind(&range.1);
        for row in rows.fetch_all(db).await? {
            let order_id: &str = row.try_get(0)?;
            // Rows of no order are the strays' business.
            if let Some(dossier) = self.by_id.get_mut(order_id) {
                put(dossier, &row)?;
            }
        }
        Ok(())
    }

    async fn events(&mut self, db: &mut Connection, range: &Range) -> Result<(), StoreError> {
        let query = "SELECT order_id, revision, type, step_key, time, body FROM order_events
             WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id, revision";
        self.rows(db, query, range, |dossier, row| {
            let body: &str = row.try_get(5)?;
            dossier.events.push(EventRow {
                revision: row.try_get(1)?,
                kind: row.try_get(2)?,
                step_key: row.try_get(3)?,
                time: row.try_get(4)?,
                body: serde_json::from_str(body).map_err(|error| error.to_string()),
            });
            Ok(())
        })
        .await
    }

    async fn payments(&mut self, db: &mut Connection, range: &Range) -> Result<(), StoreError> {
        let query = "SELECT p.order_id, p.payment_id, p.currency, p.authorized, p.captured,
                 p.refunded, p.voided, t.payment_id
             FROM payments p LEFT JOIN payment_tokens t ON t.payment_id = p.payment_id
             WHERE p.order_id BETWEEN $1 AND $2 ORDER BY p.order_id";
        self.rows(db, query, range, |dossier, row| {
            dossier.payment = Some(PaymentRow {
                payment_id: row.try_get(1)?,
                currency: row.try_get(2)?,
                authorized: row.try_get(3)?,
                captured: row.try_get(4)?,
                refunded: row.try_get(5)?,
                voided: row.try_get::<i64, _>(6)? == 1,
                has_token: row.try_get::<Option<&str>, _>(7)?.is_some(),
            });
            Ok(())
        })
        .await
    }

    async fn entries(&mut self, db: &mut Connection, range: &Range) -> Result<(), StoreError> {
        let query =
            "SELECT p.order_id, e.key, e.kind, e.phase, e.amount, e.transaction_id, e.vouched
             FROM payment_journal e JOIN payments p ON p.payment_id = e.payment_id
             WHERE p.order_id BETWEEN $1 AND $2 ORDER BY p.order_id, e.entry";
        self.rows(db, query, range, |dossier, row| {
            dossier.entries.push(EntryRow {
                key: row.try_get(1)?,
                kind: row.try_get(2)?,
                phase: row.try_get(3)?,
                amount: row.try_get(4)?,
                transaction_id: row.try_get(5)?,
                vouched: row.try_get::<i64, _>(6)? == 1,
            });
            Ok(())
        })
        .await
    }

    async fn receipts(&mut self, db: &mut Connection, range: &Range) -> Result<(), StoreError> {
        let query = "SELECT order_id, transaction_id, amount, currency, counted
             FROM payment_receipts WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id, receipt";
        self.rows(db, query, range, |dossier, row| {
            dossier.receipts.push(ReceiptRow {
                transaction_id: row.try_get(1)?,
                amount: row.try_get(2)?,
                currency: row.try_get(3)?,
                counted: row.try_get(4)?,
            });
            Ok(())
        })
        .await?;
        let query = "SELECT DISTINCT r.order_id, r.transaction_id, p.order_id
             FROM payment_receipts r
             JOIN payment_journal j ON j.transaction_id = r.transaction_id
                 AND j.kind <> 'CONFIRM' AND j.vouched = 0
             JOIN payments p ON p.payment_id = j.payment_id
             WHERE r.order_id BETWEEN $1 AND $2 ORDER BY 1, 2, 3";
        self.rows(db, query, range, |dossier, row| {
            dossier.disputes.push((row.try_get(1)?, row.try_get(2)?));
            Ok(())
        })
        .await?;
        let query = "SELECT DISTINCT p.order_id, j.transaction_id, q.order_id
             FROM payments p
             JOIN payment_journal j ON j.payment_id = p.payment_id AND j.kind IN ('CAPTURE', 'CHARGE')
                 AND j.vouched = 0
             JOIN payment_journal k ON k.transaction_id = j.transaction_id
                 AND k.kind IN ('CAPTURE', 'CHARGE') AND k.kind <> 'CONFIRM'
                 AND k.payment_id <> j.payment_id AND k.vouched = 0
             JOIN payments q ON q.payment_id = k.payment_id
             WHERE p.order_id BETWEEN $1 AND $2 ORDER BY 1, 2, 3";
        self.rows(db, query, range, |dossier, row| {
            dossier.shared.push((row.try_get(1)?, row.try_get(2)?));
            Ok(())
        })
        .await
    }

    async fn reservations(&mut self, db: &mut Connection, range: &Range) -> Result<(), StoreError> {
        let query = "SELECT order_id, sku, quantity, state FROM reservations
             WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id, sku";
        self.rows(db, query, range, |dossier, row| {
            dossier.reservations.push(ReservationRow {
                sku: row.try_get(1)?,
                quantity: row.try_get(2)?,
                state: row.try_get(3)?,
            });
            Ok(())
        })
        .await
    }

    async fn shipments(&mut self, db: &mut Connection, range: &Range) -> Result<(), StoreError> {
        let query = "SELECT order_id, shipment_id, carrier, state, address FROM shipments
             WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id";
        self.rows(db, query, range, |dossier, row| {
            let address: &str = row.try_get(4)?;
            dossier.shipment = Some(ShipmentRow {
                shipment_id: row.try_get(1)?,
                carrier: row.try_get(2)?,
                state: row.try_get(3)?,
                address: serde_json::from_str(address).ok(),
            });
            Ok(())
        })
        .await
    }

    async fn messages(&mut self, db: &mut Connection, range: &Range) -> Result<(), StoreError> {
        let query = "SELECT order_id, milestone, state, last_error FROM notifications
             WHERE order_id BETWEEN $1 AND $2 ORDER BY order_id, milestone";
        self.rows(db, query, range, |dossier, row| {
            dossier.messages.push(MessageRow {
                milestone: row.try_get(1)?,
                state: row.try_get(2)?,
                last_error: row.try_get(3)?,
            });
            Ok(())
        })
        .await
    }

    /// By their ids: the table knows no order of its rows but that.
    async fn requests(&mut self, db: &mut Connection) -> Result<(), StoreError> {
        /// What every database takes in one query.
        const AT_ONCE: usize = 500;
        for dossier in self.by_id.values_mut() {
            let events = dossier
                .events
                .iter()
                .filter_map(|row| row.body.as_ref().ok());
            let ids: Vec<String> = events
                .filter_map(|event| event.request_id.clone())
                .collect();
            for ids in ids.chunks(AT_ONCE) {
                let mut query = Statement::new(
                    "SELECT request_id, resource, revision FROM requests WHERE request_id IN (",
                );
                for (number, id) in ids.iter().enumerate() {
                    query.push(if number > 0 { ", " } else { "" });
                    query.bind(id.as_str());
                }
                query.push(") ORDER BY request_id");
                for row in query.query().fetch_all(&mut *db).await? {
                    let answer = (row.try_get(1)?, row.try_get(2)?);
                    dossier.requests.insert(row.try_get(0)?, answer);
                }
            }
        }
        Ok(())
    }
}
