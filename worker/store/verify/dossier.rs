//! Everything that is kept of an order, read at one moment.

mod read;

use super::super::DbRow;
use orders_domain::{address::Address, event::Event, order::Order};
pub(super) use read::{Which, read};
use sqlx::{FromRow, Row};
use std::collections::BTreeMap;

/// All rows of one order. Times are in microseconds, amounts in minor units.
#[derive(Debug)]
pub(super) struct Dossier {
    pub(super) order_id: String,
    pub(super) columns: Columns,
    /// The error if it cannot be read.
    pub(super) document: Result<Order, String>,
    /// By revision.
    pub(super) events: Vec<EventRow>,
    pub(super) payment: Option<PaymentRow>,
    /// The payment journal, oldest first.
    pub(super) entries: Vec<EntryRow>,
    /// The money from outside, by the number of the receipt.
    pub(super) receipts: Vec<ReceiptRow>,
    /// The receipts' transactions that a payment provider has answered.
    pub(super) disputes: Vec<Elsewhere>,
    /// The transactions by which a provider took money for this order and for another one.
    pub(super) shared: Vec<Elsewhere>,
    /// By sku.
    pub(super) reservations: Vec<ReservationRow>,
    pub(super) shipment: Option<ShipmentRow>,
    pub(super) messages: Vec<MessageRow>,
    /// Of the requests that the events name: resource and revision, by request id.
    pub(super) requests: BTreeMap<String, (String, i64)>,
}

/// The columns of the order's row beside its document.
#[derive(Debug, FromRow)]
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
    /// As [`Change::outcome_of`] names it, or the key of a command's call.
    ///
    /// [`Change::outcome_of`]: orders_domain::event::Change::outcome_of
    pub(super) effect: Option<String>,
    pub(super) time: i64,
    /// The error if it cannot be read.
    pub(super) body: Result<Event, String>,
}

impl FromRow<'_, DbRow> for EventRow {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        let body: &str = row.try_get("body")?;
        Ok(Self {
            revision: row.try_get("revision")?,
            kind: row.try_get("type")?,
            effect: row.try_get("effect")?,
            time: row.try_get("time")?,
            body: serde_json::from_str(body).map_err(|error| error.to_string()),
        })
    }
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

impl FromRow<'_, DbRow> for PaymentRow {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            payment_id: row.try_get("payment_id")?,
            currency: row.try_get("currency")?,
            authorized: row.try_get("authorized")?,
            captured: row.try_get("captured")?,
            refunded: row.try_get("refunded")?,
            voided: row.try_get::<i64, _>("voided")? == 1,
            has_token: row.try_get::<Option<&str>, _>("token_of")?.is_some(),
        })
    }
}

#[derive(Debug)]
pub(super) struct EntryRow {
    pub(super) key: String,
    pub(super) kind: String,
    pub(super) phase: String,
    pub(super) amount: i64,
    pub(super) transaction_id: Option<String>,
}

impl FromRow<'_, DbRow> for EntryRow {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            key: row.try_get("key")?,
            kind: row.try_get("kind")?,
            phase: row.try_get("phase")?,
            amount: row.try_get("amount")?,
            transaction_id: row.try_get("transaction_id")?,
        })
    }
}

#[derive(Debug, FromRow)]
pub(super) struct ReceiptRow {
    pub(super) transaction_id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) counted: i64,
}

/// A transaction that an order other than this one has, too.
#[derive(Debug, FromRow)]
pub(super) struct Elsewhere {
    pub(super) transaction_id: String,
    pub(super) other_order_id: String,
}

#[derive(Debug, FromRow)]
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

impl FromRow<'_, DbRow> for ShipmentRow {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        let address: &str = row.try_get("address")?;
        Ok(Self {
            shipment_id: row.try_get("shipment_id")?,
            carrier: row.try_get("carrier")?,
            state: row.try_get("state")?,
            address: serde_json::from_str(address).ok(),
        })
    }
}

#[derive(Debug, FromRow)]
pub(super) struct MessageRow {
    pub(super) milestone: String,
    pub(super) state: String,
    pub(super) last_error: Option<String>,
}

impl FromRow<'_, DbRow> for Dossier {
    /// A dossier with the order's own row, and without the rows of any other table.
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        let document: &str = row.try_get("document")?;
        Ok(Self {
            order_id: row.try_get("order_id")?,
            columns: Columns::from_row(row)?,
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
        })
    }
}
