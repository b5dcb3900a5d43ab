use super::{Found, grouped};
use crate::{
    rules::Broken,
    v1::{
        AdjustStockRequest, GetOrderRequest, GetStockItemRequest, LineItem, ListOrdersRequest,
        PlaceOrderRequest, ResolvePaymentRequest, ReviewOrderRequest, SetStockItemRequest,
        SignalOrderRequest, StockItem,
    },
};
use prost_types::Timestamp;

/// What is said of a field; empty when nothing is.
fn said(found: Found, path: &str) -> String {
    let broken = found.into_broken().into_iter();
    let said = broken.filter(|broken| broken.path == path);
    let said: Vec<String> = said.map(|Broken { description, .. }| description).collect();
    said.join("; ")
}

fn of_sku(sku: &str) -> String {
    let request = GetStockItemRequest {
        sku: sku.to_owned(),
    };
    said(Found::in_request(&request), "sku")
}

#[test]
fn printable_texts_count_characters_and_have_no_hidden_ones() {
    let longest = "\u{1f4b6}".repeat(64);
    for text in ["a", "a b", "\u{e4}\u{f6}", "\u{4e2d}\u{6587}", &longest] {
        assert_eq!(of_sku(text), "", "{text:?}");
    }
    assert_eq!(of_sku(""), "is required: 1 to 64 printable characters");
    assert_eq!(
        of_sku(&"\u{e4}".repeat(65)),
        "must have at most 64 characters, not 65"
    );
    for (text, code) in [
        ("a\tb", "0009"),
        ("a\0", "0000"),
        ("a\u{85}b", "0085"),
        ("a\u{2028}b", "2028"),
        ("a\u{200b}", "200B"),
        ("a\u{3164}", "3164"),
        ("a\u{e0041}", "E0041"),
    ] {
        let expected = format!("must have only printable characters, not U+{code}");
        assert_eq!(of_sku(text), expected, "{text:?}");
    }
    for text in [" ", " a", "a ", "a\u{a0}", "\u{3000}a", "\u{2003}"] {
        assert_eq!(of_sku(text), "must not begin or end with white space");
    }
}

#[test]
fn a_required_text_says_something_and_no_text_has_a_nul() {
    let reason = |text: &str| {
        let request = AdjustStockRequest {
            reason: text.to_owned(),
            ..AdjustStockRequest::default()
        };
        said(Found::in_request(&request), "reason")
    };
    for text in ["x", " x ", "\u{5009}", "two\nlines", &"\u{e4}".repeat(500)] {
        assert_eq!(reason(text), "", "{text:?}");
    }
    assert_eq!(reason(""), "is required: 1 to 500 characters");
    for text in [" ", "\t\n", "\u{2003}", "\u{85}\u{a0}\u{3000}"] {
        assert_eq!(reason(text), "must not be only white space", "{text:?}");
    }
    assert_eq!(reason("a\0b"), "must not have the character U+0000");
    let filter = ListOrdersRequest {
        filter: "\0".repeat(1_001),
        ..ListOrdersRequest::default()
    };
    assert_eq!(
        said(Found::in_request(&filter), "filter"),
        "must have at most 1,000 characters, not 1001; must not have the character U+0000"
    );
}

#[test]
fn an_order_id_is_1_to_64_letters_digits_dots_underscores_and_dashes() {
    let said_of = |text: &str| {
        let request = GetOrderRequest {
            order_id: text.to_owned(),
            consistency: 0,
        };
        said(Found::in_request(&request), "order_id")
    };
    for text in ["a", "Z9", "..", "a.b_c-d", &"x".repeat(64)] {
        assert_eq!(said_of(text), "", "{text:?}");
    }
    let wanted = "1 to 64 letters (a to z), digits, '.', '_' or '-'";
    assert_eq!(said_of(""), format!("is required: {wanted}"));
    for text in ["a b", "a/b", "\u{e4}", "a\n", "a,b", &"x".repeat(65)] {
        assert_eq!(said_of(text), format!("must be {wanted}"), "{text:?}");
    }
    let optional = PlaceOrderRequest::default();
    assert_eq!(said(Found::in_request(&optional), "order_id"), "");
}

#[test]
fn numbers_have_a_range_and_optional_ones_may_be_left_out() {
    let quantity = |quantity| {
        let request = PlaceOrderRequest {
            line_items: vec![
                LineItem::default(),
                LineItem {
                    quantity,
                    ..LineItem::default()
                },
            ],
            ..PlaceOrderRequest::default()
        };
        said(Found::in_request(&request), "line_items[1].quantity")
    };
    for fine in [1, 1_000_000] {
        assert_eq!(quantity(fine), "");
    }
    for wrong in [0, -1, 1_000_001, i64::MIN, i64::MAX] {
        assert_eq!(quantity(wrong), "must be from 1 to 1,000,000");
    }
    let revision = |expected_revision| {
        let request = ReviewOrderRequest {
            expected_revision,
            ..ReviewOrderRequest::default()
        };
        said(Found::in_request(&request), "expected_revision")
    };
    assert_eq!(
        (revision(None), revision(Some(1))),
        <(String, String)>::default()
    );
    assert_eq!(revision(Some(0)), "must be 1 or more, or left out");
    let delta = said(Found::in_request(&AdjustStockRequest::default()), "delta");
    assert_eq!(
        delta,
        "is required: from -1,000,000,000 to 1,000,000,000, and not 0"
    );
    let inside = SetStockItemRequest {
        stock_item: Some(StockItem {
            on_hand: Some(-1),
            ..StockItem::default()
        }),
        ..SetStockItemRequest::default()
    };
    assert_eq!(
        said(Found::in_request(&inside), "stock_item.on_hand"),
        "must be from 0 to 1,000,000,000, or left out"
    );
}

#[test]
fn an_enum_is_one_of_its_values() {
    let consistency = |consistency| {
        let request = GetOrderRequest {
            order_id: "o".to_owned(),
            consistency,
        };
        said(Found::in_request(&request), "consistency")
    };
    assert_eq!(
        (consistency(0), consistency(2)),
        <(String, String)>::default()
    );
    assert_eq!(
        consistency(3),
        "must be CONSISTENCY_STORE or CONSISTENCY_STRONG"
    );
    let step = |step| {
        let request = ResolvePaymentRequest {
            step,
            ..ResolvePaymentRequest::default()
        };
        said(Found::in_request(&request), "step")
    };
    assert_eq!(step(3), "");
    assert!(
        step(0).starts_with("is required: STEP_AUTHORIZE_PAYMENT, "),
        "{}",
        step(0)
    );
    assert!(step(2).starts_with("must be "), "{}", step(2));
}

#[test]
fn lists_have_a_size_and_too_many_items_are_not_checked_one_by_one() {
    let found = |count| {
        let request = PlaceOrderRequest {
            line_items: vec![LineItem::default(); count],
            ..PlaceOrderRequest::default()
        };
        Found::in_request(&request)
    };
    assert_eq!(
        said(found(0), "line_items"),
        "is required: 1 to 200 line items"
    );
    assert_eq!(said(found(200), "line_items"), "");
    assert!(found(200).names("line_items[199].sku"));
    assert_eq!(
        said(found(10_000), "line_items"),
        "must be at most 200 line items, not 10000"
    );
    assert!(!found(10_000).names("line_items[0].sku"));
}

#[test]
fn a_time_is_within_the_calendar_and_a_command_is_one_of_a_list() {
    let time = |seconds, nanos| {
        let request = PlaceOrderRequest {
            release_time: Some(Timestamp { seconds, nanos }),
            ..PlaceOrderRequest::default()
        };
        said(Found::in_request(&request), "release_time")
    };
    for (seconds, nanos) in [(0, 0), (-62_135_596_800, 0), (253_402_207_200, 999_999_999)] {
        assert_eq!(time(seconds, nanos), "");
    }
    for (seconds, nanos) in [
        (-62_135_596_801, 999_999_999),
        (253_402_207_201, 0),
        (i64::MAX, i32::MAX),
    ] {
        assert_eq!(
            time(seconds, nanos),
            "must be from 0001-01-01T00:00:00Z to 9999-12-30T22:00:00.999999999Z"
        );
    }
    let command = said(Found::in_request(&SignalOrderRequest::default()), "command");
    assert!(
        command.starts_with("is required: one of confirm_payment, review_order, "),
        "{command}"
    );
}

#[test]
fn numbers_are_written_with_commas() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (-1_234_567, "-1,234,567"),
    ] {
        assert_eq!(grouped(number), text);
    }
    assert_eq!(grouped(i64::MIN), "-9,223,372,036,854,775,808");
}
