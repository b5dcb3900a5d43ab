//! WatchOrder and WatchOrders.

use super::{
    Parsed,
    filter::parse_filter,
    page::Scope,
    violations::{Verdict, Violations},
};
use orders::v1::{WatchOrderRequest, WatchOrdersRequest};
use orders_store::list::Filter;

/// What a WatchOrder asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchOrder {
    /// Which order.
    pub order_id: String,
    /// The last revision that the caller has; 0 for none.
    pub after_revision: i64,
}

/// What a WatchOrders asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchOrders {
    /// Which orders.
    pub filter: Filter,
    /// The last position in the log that the caller has; none to begin now.
    pub position: Option<i64>,
    /// Whether to end with what was recorded before the call.
    pub until_now: bool,
}

/// Reads a WatchOrder.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn watch_order(request: &WatchOrderRequest) -> Parsed<WatchOrder> {
    let WatchOrderRequest {
        order_id,
        after_revision,
    } = request;
    let found = Violations::in_request(request);
    found.into_result(Some(WatchOrder {
        order_id: order_id.clone(),
        after_revision: *after_revision,
    }))
}

/// Reads a WatchOrders.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn watch_orders(request: &WatchOrdersRequest) -> Parsed<WatchOrders> {
    let WatchOrdersRequest {
        filter,
        after,
        until_now,
    } = request;
    let mut found = Violations::in_request(request);
    let filter = parse_filter(&mut found, filter);
    let is_possible = |position: &i64| *position >= 0;
    let position = scope().parse_field(&mut found, "after", after, is_possible);
    found.into_result(filter.map(|filter| WatchOrders {
        filter,
        position,
        until_now: *until_now,
    }))
}

/// A position in the log, as callers send it back in `after`.
pub fn position_token(position: i64) -> String {
    scope().token(position)
}

/// A position is one of all orders: it may be gone on from with another filter.
fn scope() -> Scope {
    Scope::new("WatchOrders", &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<T>(parsed: Parsed<T>) -> Vec<String> {
        let found = parsed.err().unwrap_or_default();
        found.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn an_order_is_watched_from_a_revision() {
        let watch = |order_id: &str, after_revision| {
            let order_id = order_id.to_owned();
            watch_order(&WatchOrderRequest {
                order_id,
                after_revision,
            })
        };
        assert_eq!(watch("o", 7).unwrap().after_revision, 7);
        assert_eq!(watch("o", 0).unwrap().after_revision, 0);
        assert_eq!(fields(watch("", -1)), ["order_id", "after_revision"]);
    }

    #[test]
    fn a_position_comes_back_as_it_was_given_whatever_the_filter() {
        let watch = |filter: &str, after: &str| {
            watch_orders(&WatchOrdersRequest {
                filter: filter.to_owned(),
                after: after.to_owned(),
                until_now: false,
            })
        };
        let token = position_token(42);
        assert_eq!(watch("", &token).unwrap().position, Some(42));
        let filtered = watch("policy = stock", &token).unwrap();
        assert_eq!(filtered.position, Some(42));
        assert_eq!(watch("", "").unwrap().position, None);
        let negative = position_token(-1);
        assert_eq!(fields(watch("x", "y")), ["filter", "after"]);
        assert_eq!(fields(watch("", &negative)), ["after"]);
    }
}
