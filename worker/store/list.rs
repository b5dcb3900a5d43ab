//! Listing orders: filtered, ordered, page by page. A page begins after the last row of the one
//! before, so pages stay right while orders are placed.

use super::{
    Store, StoreError, from_micros, micros,
    read::{StoredOrder, order_of},
    statement::{Statement, Value, values},
};
use jiff::Timestamp;
use orders_domain::{order::Order, state::OrderState};
use sqlx::Row;

/// Which orders.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// All of these must hold.
    pub terms: Vec<Term>,
}

/// One condition on an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// Of this customer, or of anybody else.
    Customer(Equality, String),
    /// Under this policy, or any other.
    Policy(Equality, String),
    /// In this state, or any other.
    State(Equality, OrderState),
    /// Placed before or after a time.
    PlaceTime(Comparison, Timestamp),
}

/// Equal or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equality {
    /// `=`
    Is,
    /// `!=`
    IsNot,
}

/// Order in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Before,
    /// `<=`
    NotAfter,
    /// `=`
    At,
    /// `>=`
    NotBefore,
    /// `>`
    After,
}

/// In which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sorting {
    /// By which time.
    pub by: SortKey,
    /// Newest first.
    pub descending: bool,
}

/// The times that orders can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// When it was placed.
    PlaceTime,
    /// When it last changed.
    UpdateTime,
}

/// Where a page ends: the last row's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The time that the rows are sorted by.
    pub time: Timestamp,
    /// Of the last order.
    pub order_id: String,
}

impl Filter {
    /// Whether an order passes: the same as the database says.
    pub fn passes(&self, order: &Order) -> bool {
        self.terms.iter().all(|term| term.holds(order))
    }
}

impl Term {
    fn holds(&self, order: &Order) -> bool {
        match self {
            Self::Customer(equality, id) => equality.holds(order.customer_id == *id),
            Self::Policy(equality, name) => equality.holds(order.policy.name == *name),
            Self::State(equality, state) => equality.holds(order.state == *state),
            Self::PlaceTime(comparison, time) => {
                // Whole microseconds, as the database compares them.
                let (placed, time) = (micros(order.place_time), micros(*time));
                match comparison {
                    Comparison::Before => placed < time,
                    Comparison::NotAfter => placed <= time,
                    Comparison::At => placed == time,
                    Comparison::NotBefore => placed >= time,
                    Comparison::After => placed > time,
                }
            }
        }
    }
}

impl Equality {
    fn holds(self, equal: bool) -> bool {
        match self {
            Self::Is => equal,
            Self::IsNot => !equal,
        }
    }
}

impl Term {
    /// Returns the term as SQL, and the value of its parameter.
    fn condition(&self) -> (&'static str, Value) {
        match self {
            Self::Customer(Equality::Is, id) => (" AND customer_id = $1", id.into()),
            Self::Customer(Equality::IsNot, id) => (" AND customer_id <> $1", id.into()),
            Self::Policy(Equality::Is, name) => (" AND policy = $1", name.into()),
            Self::Policy(Equality::IsNot, name) => (" AND policy <> $1", name.into()),
            Self::State(Equality::Is, state) => (" AND state = $1", state.as_str().into()),
            Self::State(Equality::IsNot, state) => (" AND state <> $1", state.as_str().into()),
            Self::PlaceTime(comparison, time) => {
                let condition = match comparison {
                    Comparison::Before => " AND place_time < $1",
                    Comparison::NotAfter => " AND place_time <= $1",
                    Comparison::At => " AND place_time = $1",
                    Comparison::NotBefore => " AND place_time >= $1",
                    Comparison::After => " AND place_time > $1",
                };
                (condition, micros(*time).into())
            }
        }
    }
}

impl Sorting {
    fn order_by(self) -> &'static str {
        match (self.by, self.descending) {
            (SortKey::PlaceTime, true) => " ORDER BY place_time DESC, order_id DESC",
            (SortKey::PlaceTime, false) => " ORDER BY place_time ASC, order_id ASC",
            (SortKey::UpdateTime, true) => " ORDER BY update_time DESC, order_id DESC",
            (SortKey::UpdateTime, false) => " ORDER BY update_time ASC, order_id ASC",
        }
    }

    /// Returns the condition on the rows after a [`Position`].
    fn beyond(self) -> &'static str {
        match (self.by, self.descending) {
            (SortKey::PlaceTime, true) => " AND (place_time, order_id) < ($1, $2)",
            (SortKey::PlaceTime, false) => " AND (place_time, order_id) > ($1, $2)",
            (SortKey::UpdateTime, true) => " AND (update_time, order_id) < ($1, $2)",
            (SortKey::UpdateTime, false) => " AND (update_time, order_id) > ($1, $2)",
        }
    }
}

impl SortKey {
    fn column(self) -> &'static str {
        match self {
            Self::PlaceTime => "place_time",
            Self::UpdateTime => "update_time",
        }
    }
}

impl Store {
    /// The orders that pass `filter`, sorted, after `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn orders(
        &self,
        filter: &Filter,
        sorting: Sorting,
        after: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<(StoredOrder, Position)>, StoreError> {
        let mut query = Statement::new(
            "SELECT document, run_id, workflow_started, order_id, place_time, update_time
             FROM orders WHERE 1 = 1",
            [],
        );
        for term in &filter.terms {
            let (condition, value) = term.condition();
            query.push(condition, [value]);
        }
        if let Some(after) = after {
            query.push(
                sorting.beyond(),
                values![micros(after.time), &after.order_id],
            );
        }
        query.push(sorting.order_by(), []).limit(limit);
        let rows = query.query().fetch_all(&self.readers).await?;
        let column = sorting.by.column();
        rows.iter()
            .map(|row| {
                let position = Position {
                    order_id: row.try_get("order_id")?,
                    time: from_micros(row.try_get(column)?)?,
                };
                Ok((order_of(row)?, position))
            })
            .collect()
    }
}
