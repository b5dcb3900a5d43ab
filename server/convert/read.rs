//! GetOrder and ListOrderEvents.

use super::{
    Parsed,
    page::{Scope, page_size},
    violations::{Verdict, Violations},
};
use orders::v1::{Consistency, GetOrderRequest, ListOrderEventsRequest};

/// What a GetOrder asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetOrder {
    /// Which order.
    pub order_id: String,
    /// Whether the workflow is to be asked, not only the store.
    pub strong: bool,
}

/// What a ListOrderEvents asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOrderEvents {
    /// Of which order.
    pub order_id: String,
    /// The last revision of the page before; 0 for the first page.
    pub after_revision: i64,
    /// How many at most: 1 to 1,000.
    pub page_size: i64,
    scope: Scope,
}

/// Reads a GetOrder.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn get_order(request: &GetOrderRequest) -> Parsed<GetOrder> {
    let GetOrderRequest {
        order_id,
        consistency,
    } = request;
    let found = Violations::in_request(request);
    found.into_result(Some(GetOrder {
        order_id: order_id.clone(),
        strong: *consistency == i32::from(Consistency::Strong),
    }))
}

/// Reads a ListOrderEvents.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn list_order_events(request: &ListOrderEventsRequest) -> Parsed<ListOrderEvents> {
    let ListOrderEventsRequest {
        order_id,
        page_size: size,
        page_token,
    } = request;
    let mut found = Violations::in_request(request);
    let scope = Scope::new("ListOrderEvents", &[order_id]);
    let page_size = page_size(*size);
    let after_revision = scope.parse(&mut found, page_token, |revision| *revision >= 1);
    found.into_result(Some(ListOrderEvents {
        order_id: order_id.clone(),
        after_revision: after_revision.unwrap_or(0),
        page_size,
        scope,
    }))
}

impl ListOrderEvents {
    /// The token of the page that begins after the event of `last_revision`.
    pub fn token(&self, last_revision: i64) -> String {
        self.scope.token(last_revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields<T>(parsed: Parsed<T>) -> Vec<String> {
        let found = parsed.err().unwrap_or_default();
        found.into_iter().map(|violation| violation.field).collect()
    }

    fn events(order_id: &str, page_size: i32, page_token: &str) -> Parsed<ListOrderEvents> {
        list_order_events(&ListOrderEventsRequest {
            order_id: order_id.to_owned(),
            page_size,
            page_token: page_token.to_owned(),
        })
    }

    #[test]
    fn an_order_is_read_from_the_store_unless_asked_otherwise() {
        let get = |order_id: &str, consistency| {
            let order_id = order_id.to_owned();
            get_order(&GetOrderRequest {
                order_id,
                consistency,
            })
        };
        for (number, strong) in [(0, false), (1, false), (2, true)] {
            assert_eq!(get("o", number).unwrap().strong, strong);
        }
        assert_eq!(fields(get("o", 3)), ["consistency"]);
        assert_eq!(fields(get("", -1)), ["order_id", "consistency"]);
        assert_eq!(fields(get("a b", 0)), ["order_id"]);
    }

    #[test]
    fn events_go_on_where_the_page_before_ended() {
        let first = events("order-1", 0, "").unwrap();
        assert_eq!((first.after_revision, first.page_size), (0, 50));
        let token = first.token(7);
        assert_eq!(events("order-1", 9, &token).unwrap().after_revision, 7);
        assert_eq!(fields(events("order-2", 9, &token)), ["page_token"]);
        assert_eq!(
            fields(events("order-1", 9, &first.token(0))),
            ["page_token"]
        );
        assert_eq!(
            fields(events("", -1, "x")),
            ["order_id", "page_size", "page_token"]
        );
    }
}
