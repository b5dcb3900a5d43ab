//! The stock of a sku: its books balance, and what is held and supplied is what orders say.

use super::{
    super::{
        Connection, StoreError, micros,
        statement::{Statement, values},
    },
    finding::{Check, Finding},
};
use jiff::{SignedDuration, Timestamp};
use sqlx::{FromRow, Row};
use std::collections::BTreeMap;

/// A delivery that is later than this is worth a word.
const LATE: SignedDuration = SignedDuration::from_mins(10);

/// Everything about one sku, read at one moment. Pieces.
#[derive(Debug, FromRow)]
pub(super) struct Shelf {
    pub(super) sku: String,
    on_hand: i64,
    reserved: i64,
    adjusted: i64,
    supplied: i64,
    shipped: i64,
    /// What reservations hold, by their state.
    #[sqlx(skip)]
    held: BTreeMap<String, i64>,
    /// The pieces of delivered supplier orders.
    #[sqlx(skip)]
    delivered: i64,
    /// The sum of the recorded adjustments.
    #[sqlx(skip)]
    recorded: i64,
    /// Of the open supplier orders: id, and when each is due.
    #[sqlx(skip)]
    open: Vec<(String, Option<i64>)>,
}

/// Which skus.
pub(super) enum Which<'a> {
    /// Those after a sku, so many.
    After(&'a str, i64),
    /// This one.
    Only(&'a str),
}

/// Reads skus in their order, from what should be a snapshot.
pub(super) async fn read(db: &mut Connection, which: Which<'_>) -> Result<Vec<Shelf>, StoreError> {
    let mut query = Statement::new(
        "SELECT sku, on_hand, reserved, adjusted, supplied, shipped FROM stock",
        [],
    );
    match which {
        Which::After(sku, limit) => {
            query.push(" WHERE sku > $1 ORDER BY sku", values![sku]);
            query.limit(limit);
        }
        Which::Only(sku) => {
            query.push(" WHERE sku = $1", values![sku]);
        }
    }
    let rows = query.query().fetch_all(&mut *db).await?;
    let shelves = rows.iter().map(Shelf::from_row);
    let mut shelves = shelves.collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(last)) = (shelves.first(), shelves.last()) else {
        return Ok(shelves);
    };
    let range = (first.sku.clone(), last.sku.clone());
    let mut by_sku: BTreeMap<String, &mut Shelf> = shelves
        .iter_mut()
        .map(|shelf| (shelf.sku.clone(), shelf))
        .collect();
    // One pass over the table for a page: reservations are not kept by sku.
    let held = "SELECT sku, state, CAST(SUM(quantity) AS BIGINT) AS held FROM reservations
         WHERE sku BETWEEN $1 AND $2 GROUP BY sku, state ORDER BY sku, state";
    let rows = sqlx::query(held).bind(&range.0).bind(&range.1);
    for row in rows.fetch_all(&mut *db).await? {
        if let Some(shelf) = by_sku.get_mut::<str>(row.try_get("sku")?) {
            let (state, held) = (row.try_get("state")?, row.try_get("held")?);
            shelf.held.insert(state, held);
        }
    }
    let delivered = "SELECT sku, CAST(SUM(quantity) AS BIGINT) AS delivered FROM supplier_orders
         WHERE state = 'DELIVERED' AND sku BETWEEN $1 AND $2 GROUP BY sku ORDER BY sku";
    let rows = sqlx::query(delivered).bind(&range.0).bind(&range.1);
    for row in rows.fetch_all(&mut *db).await? {
        if let Some(shelf) = by_sku.get_mut::<str>(row.try_get("sku")?) {
            shelf.delivered = row.try_get("delivered")?;
        }
    }
    let recorded = "SELECT sku, CAST(SUM(delta) AS BIGINT) AS recorded FROM stock_adjustments
         WHERE sku BETWEEN $1 AND $2 GROUP BY sku ORDER BY sku";
    let rows = sqlx::query(recorded).bind(&range.0).bind(&range.1);
    for row in rows.fetch_all(&mut *db).await? {
        if let Some(shelf) = by_sku.get_mut::<str>(row.try_get("sku")?) {
            shelf.recorded = row.try_get("recorded")?;
        }
    }
    let open = "SELECT sku, supplier_order_id, due_time FROM supplier_orders
         WHERE state = 'OPEN' AND sku BETWEEN $1 AND $2 ORDER BY sku, supplier_order_id";
    let rows = sqlx::query(open).bind(&range.0).bind(&range.1);
    for row in rows.fetch_all(&mut *db).await? {
        if let Some(shelf) = by_sku.get_mut::<str>(row.try_get("sku")?) {
            let (id, due_time) = (row.try_get("supplier_order_id")?, row.try_get("due_time")?);
            shelf.open.push((id, due_time));
        }
    }
    Ok(shelves)
}

impl Shelf {
    /// Everything that is wrong with it at `now`.
    pub(super) fn check(&self, now: Timestamp) -> Vec<Finding> {
        let mut list = Vec::new();
        let mut compare = |check, name: &str, is: i64, should: i64| {
            if is != should {
                let wrong = format!("{name} is {is}, should be {should}");
                list.push(Finding::of_sku(check, &self.sku, wrong));
            }
        };
        let books = self.adjusted + self.supplied - self.shipped;
        compare(Check::StockBooks, "on_hand", self.on_hand, books);
        let held = |state: &str| self.held.get(state).copied().unwrap_or_default();
        compare(
            Check::StockReserved,
            "reserved",
            self.reserved,
            held("RESERVED"),
        );
        compare(
            Check::StockAdjusted,
            "adjusted",
            self.adjusted,
            self.recorded,
        );
        compare(
            Check::StockShipped,
            "shipped",
            self.shipped,
            held("COMMITTED"),
        );
        compare(
            Check::StockSupplied,
            "supplied",
            self.supplied,
            self.delivered,
        );
        if self.open.len() > 1 {
            let ids: Vec<&str> = self.open.iter().map(|(id, _)| id.as_str()).collect();
            let wrong = format!("{} are open at once", ids.join(", "));
            list.push(Finding::of_sku(Check::SupplierTwice, &self.sku, wrong));
        }
        let before = now.saturating_sub(LATE).map_or(i64::MIN, micros);
        for (id, due) in &self.open {
            if due.is_some_and(|due| due < before) {
                let wrong = format!("{id} should have been delivered more than {LATE:#} ago");
                list.push(Finding::of_sku(Check::SupplierLate, &self.sku, wrong));
            }
        }
        list
    }
}
