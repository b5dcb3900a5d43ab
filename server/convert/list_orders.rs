//! ListOrders.

use super::{
    Parsed,
    filter::parse_filter,
    page::{Scope, page_size},
    text,
    violations::{Verdict, Violations},
};
use jiff::Timestamp;
use orders::v1::ListOrdersRequest;
use orders_store::list::{Filter, Position, SortKey, Sorting};

/// What a ListOrders asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOrders {
    /// Which orders.
    pub filter: Filter,
    /// In which order.
    pub sorting: Sorting,
    /// Where the page before ended; none for the first page.
    pub after: Option<Position>,
    /// How many at most: 1 to 1,000.
    pub page_size: i64,
    scope: Scope,
}

/// Reads a ListOrders.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn list_orders(request: &ListOrdersRequest) -> Parsed<ListOrders> {
    let ListOrdersRequest {
        filter,
        order_by,
        page_size: size,
        page_token,
    } = request;
    let mut found = Violations::in_request(request);
    let scope = Scope::new("ListOrders", &[filter, order_by]);
    let filter = parse_filter(&mut found, filter);
    let sorting = parse_order_by(&mut found, order_by);
    let page_size = page_size(*size);
    let after = scope.parse(&mut found, page_token, |_: &(Timestamp, String)| true);
    let after = after.map(|(time, order_id)| Position { time, order_id });
    let parts = filter.zip(sorting);
    found.into_result(parts.map(|(filter, sorting)| ListOrders {
        filter,
        sorting,
        after,
        page_size,
        scope,
    }))
}

impl ListOrders {
    /// The token of the page that begins after `last`.
    pub fn token(&self, last: &Position) -> String {
        let Position { time, order_id } = last;
        self.scope.token((time, order_id))
    }
}

fn parse_order_by(found: &mut Violations, text: &str) -> Option<Sorting> {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let descending = match words.as_slice() {
        [] | ["place_time", "desc"] => true,
        ["place_time"] => false,
        _ => {
            let asked = text::quoted(text);
            let description = format!("must be place_time or place_time desc, not {asked}");
            found.say("order_by", description);
            return None;
        }
    };
    Some(Sorting {
        by: SortKey::PlaceTime,
        descending,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(filter: &str, order_by: &str, page_token: &str) -> ListOrdersRequest {
        ListOrdersRequest {
            filter: filter.to_owned(),
            order_by: order_by.to_owned(),
            page_size: 2,
            page_token: page_token.to_owned(),
        }
    }

    fn wrong(request: &ListOrdersRequest) -> Vec<String> {
        let found = list_orders(request).err().unwrap_or_default();
        found.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn the_newest_come_first_unless_asked_otherwise() {
        let descending = |order_by: &str| {
            let asked = list_orders(&request("", order_by, ""));
            asked.ok().map(|asked| asked.sorting.descending)
        };
        assert_eq!(descending(""), Some(true));
        assert_eq!(descending("place_time desc"), Some(true));
        assert_eq!(descending("  place_time   desc "), Some(true));
        assert_eq!(descending("place_time"), Some(false));
        for order_by in [
            "place_time asc",
            "update_time",
            "desc",
            "place_time,order_id",
            "PLACE_TIME",
            "place_time\tdesc",
            "place_time\n",
        ] {
            assert_eq!(
                wrong(&request("", order_by, "")),
                ["order_by"],
                "{order_by}"
            );
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let all = ListOrdersRequest {
            page_size: -1,
            ..request("x", "y", "z")
        };
        assert_eq!(
            wrong(&all),
            ["order_by", "page_size", "filter", "page_token"]
        );
    }

    #[test]
    fn a_token_goes_on_with_the_same_filter_and_order_only() {
        let last = Position {
            time: "2026-01-01T00:00:00.000001Z".parse().unwrap(),
            order_id: "order-1".to_owned(),
        };
        let first = list_orders(&request("policy = x", "place_time", "")).unwrap();
        assert_eq!(first.after, None);
        let token = first.token(&last);
        let mut next = request("policy = x", "place_time", &token);
        assert_eq!(list_orders(&next).unwrap().after, Some(last.clone()));
        next.page_size = 1_000;
        assert_eq!(list_orders(&next).unwrap().after, Some(last));
        assert_eq!(
            wrong(&request("policy = y", "place_time", &token)),
            ["page_token"]
        );
        assert_eq!(wrong(&request("policy = x", "", &token)), ["page_token"]);
        assert_eq!(
            wrong(&request("policy = x", "place_time", &token[1..])),
            ["page_token"]
        );
    }

    proptest! {
        #[test]
        fn every_position_survives_its_token(micros in -62_135_596_800_000_000i64..253_402_200_000_000_000, order_id in "[A-Za-z0-9._-]{1,64}") {
            let time = Timestamp::from_microsecond(micros).unwrap();
            let last = Position { time, order_id };
            let token = list_orders(&request("", "", "")).unwrap().token(&last);
            let next = list_orders(&request("", "", &token)).unwrap();
            prop_assert_eq!(next.after, Some(last));
        }
    }
}
