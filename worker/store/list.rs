//! Listing orders: filtered, ordered, page by page. A page begins after the last row of the one
//! before, so pages stay right while orders are placed.

use super::{Store, StoreError, from_micros, micros, read::StoredOrder, statement::Statement};
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
        let column = match sorting.by {
            SortKey::PlaceTime => "place_time",
            SortKey::UpdateTime => "update_time",
        };
        let (direction, beyond) = match sorting.descending {
            true => (" DESC", " < "),
            false => (" ASC", " > "),
        };
        let mut query = Statement::new("SELECT document, run_id, workflow_started, order_id, ");
        query.push(column).push(" FROM orders WHERE 1 = 1");
        for term in &filter.terms {
            push_term(&mut query, term);
        }
        if let Some(after) = after {
            query
                .push(" AND (")
                .push(column)
                .push(", order_id)")
                .push(beyond);
            query.push("(").bind(micros(after.time)).push(", ");
            query.bind(after.order_id.as_str()).push(")");
        }
        query.push(" ORDER BY ").push(column).push(direction);
        query.push(", order_id").push(direction);
        query.limit(limit);
        let rows = query.query().fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                let stored = StoredOrder {
                    order: serde_json::from_str(row.try_get::<&str, _>(0)?)?,
                    run_id: row.try_get(1)?,
                    workflow_started: row.try_get::<i64, _>(2)? == 1,
                };
                let position = Position {
                    order_id: row.try_get(3)?,
                    time: from_micros(row.try_get(4)?)?,
                };
                Ok((stored, position))
            })
            .collect()
    }
}

fn push_term(query: &mut Statement, term: &Term) {
    match term {
        Term::Customer(equality, value) => push_equality(query, "customer_id", *equality, value),
        Term::Policy(equality, value) => push_equality(query, "policy", *equality, value),
        Term::State(equality, state) => push_equality(query, "state", *equality, state.as_str()),
        Term::PlaceTime(comparison, time) => {
            let operator = match comparison {
                Comparison::Before => " < ",
                Comparison::NotAfter => " <= ",
                Comparison::At => " = ",
                Comparison::NotBefore => " >= ",
                Comparison::After => " > ",
            };
            query.push(" AND place_time").push(operator);
            query.bind(micros(*time));
        }
    }
}

fn push_equality(query: &mut Statement, column: &'static str, equality: Equality, value: &str) {
    let operator = match equality {
        Equality::Is => " = ",
        Equality::IsNot => " <> ",
    };
    query.push(" AND ").push(column).push(operator);
    query.bind(value);
}
