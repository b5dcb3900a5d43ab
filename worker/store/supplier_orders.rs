//! Supplier orders: opened with the reservation that made the stock low, shown page by page.

use super::{
    Connection, DbRow, Store, StoreError, from_micros, micros,
    statement::{Statement, values},
    stock::StockItem,
};
use jiff::Timestamp;
use orders_domain::fingerprint;
use sqlx::Row;
use std::fmt;

/// An order to the supplier. At most one is open for a sku.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplierOrder {
    /// Made from the sku and the cause; also the key by which a supplier tells a repeated call.
    pub supplier_order_id: String,
    /// What was ordered.
    pub sku: String,
    /// Pieces, 1 or more.
    pub quantity: i64,
    /// When it was opened.
    pub open_time: Timestamp,
    /// When the supplier delivers; none until the supplier was asked.
    pub due_time: Option<Timestamp>,
    /// When it was delivered; none while it is open.
    pub deliver_time: Option<Timestamp>,
}

/// Where a page, newest first, ends: the last row's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// When the last one was opened.
    pub open_time: Timestamp,
    /// Its id.
    pub supplier_order_id: String,
}

/// What made the stock low. A cause opens at most one supplier order for a sku.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause<'a> {
    /// This order's reservation.
    Order(&'a str),
    /// This supplier order was not enough: orders went on buying meanwhile.
    SupplierOrder(&'a str),
}

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order_id) => write!(f, "order/{order_id}"),
            Self::SupplierOrder(id) => write!(f, "supplier_order/{id}"),
        }
    }
}

impl SupplierOrder {
    /// The Temporal workflow id of a sku's replenishment.
    pub fn workflow_id(sku: &str) -> String {
        format!("replenishment/{sku}")
    }

    /// Where a page ends whose last row this is.
    pub fn position(&self) -> Position {
        Position {
            open_time: self.open_time,
            supplier_order_id: self.supplier_order_id.clone(),
        }
    }
}

impl Store {
    /// The supplier orders of `sku`, or of all, newest first, after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn supplier_orders(
        &self,
        sku: Option<&str>,
        after: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<SupplierOrder>, StoreError> {
        let mut query = Statement::new(SELECT, []);
        query.push(" WHERE 1 = 1", []);
        if let Some(sku) = sku {
            query.push(" AND sku = $1", values![sku]);
        }
        if let Some(after) = after {
            query.push(
                " AND (open_time, supplier_order_id) < ($1, $2)",
                values![micros(after.open_time), &after.supplier_order_id],
            );
        }
        query.push(" ORDER BY open_time DESC, supplier_order_id DESC", []);
        query.limit(limit);
        let rows = query.query().fetch_all(&self.readers).await?;
        rows.iter().map(supplier_order_of).collect()
    }
}

/// All columns of a supplier order, as [`supplier_order_of`] reads them.
pub(super) const SELECT: &str = "SELECT supplier_order_id, sku, quantity, open_time, due_time, \
                                 deliver_time FROM supplier_orders";

pub(super) fn supplier_order_of(row: &DbRow) -> Result<SupplierOrder, StoreError> {
    let time = |micros: Option<i64>| micros.map(from_micros).transpose();
    Ok(SupplierOrder {
        supplier_order_id: row.try_get("supplier_order_id")?,
        sku: row.try_get("sku")?,
        quantity: row.try_get("quantity")?,
        open_time: from_micros(row.try_get("open_time")?)?,
        due_time: time(row.try_get("due_time")?)?,
        deliver_time: time(row.try_get("deliver_time")?)?,
    })
}

/// Opens a supplier order when the stock of `item` is low and nothing is on order. Call it in the
/// transaction that lowered the stock, or that took in a delivery, with the item as it is then.
pub(crate) async fn reorder(
    connection: &mut Connection,
    item: &StockItem,
    cause: Cause<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(quantity) = item.shortfall() else {
        return Ok(());
    };
    let sku = item.sku.as_str();
    let cause = cause.to_string();
    let mut supplier_order_id = fingerprint([sku, cause.as_str()]);
    // 96 bits: chance never makes two the same.
    supplier_order_id.truncate(24);
    // Whether one is open already is for the unique index to say, also where two write at once.
    sqlx::query(
        "INSERT INTO supplier_orders (supplier_order_id, sku, quantity, state, cause, open_time)
         VALUES ($1, $2, $3, 'OPEN', $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(format!("sup-{supplier_order_id}"))
    .bind(sku)
    .bind(quantity)
    .bind(cause)
    .bind(micros(now))
    .execute(connection)
    .await?;
    Ok(())
}
