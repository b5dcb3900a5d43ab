use super::*;
use proptest::prelude::*;

fn terms(text: &str) -> Vec<Term> {
    parse(text).unwrap().terms
}

fn error(text: &str) -> String {
    let found = parse(text).unwrap_err();
    assert_eq!(found.len(), 1, "{text}");
    assert_eq!(found[0].field, "filter");
    found[0].description.clone()
}

fn customer(value: &str) -> Term {
    Term::Customer(Equality::Is, value.to_owned())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn nothing_lets_everything_pass() {
    assert_eq!(terms(""), []);
    assert_eq!(terms(" \t\n"), []);
}

#[test]
fn the_example_of_the_contract_is_read() {
    let text = r#"state = ORDER_STATE_IN_TRANSIT AND place_time >= "2026-01-01T00:00:00Z""#;
    let time = at("2026-01-01T00:00:00Z");
    let expected = [
        Term::State(Equality::Is, OrderState::InTransit),
        Term::PlaceTime(Comparison::NotBefore, time),
    ];
    assert_eq!(terms(text), expected);
}

#[test]
fn every_field_and_operator_is_read() {
    assert_eq!(terms("customer_id=c-1"), [customer("c-1")]);
    let policy = Term::Policy(Equality::Is, "pre-order".to_owned());
    assert_eq!(terms("policy = pre-order"), [policy]);
    for state in OrderState::ALL {
        let expected = [Term::State(Equality::Is, *state)];
        assert_eq!(terms(&format!("state=ORDER_STATE_{state}")), expected);
        assert_eq!(terms(&format!("state=\"ORDER_STATE_{state}\"")), expected);
    }
    for (sign, comparison) in [
        ("<", Comparison::Before),
        ("<=", Comparison::NotAfter),
        (">", Comparison::After),
        (">=", Comparison::NotBefore),
    ] {
        let text = format!("place_time{sign}\"2026-01-01T01:00:00.5+01:00\"");
        let time = at("2026-01-01T00:00:00.5Z");
        assert_eq!(terms(&text), [Term::PlaceTime(comparison, time)]);
    }
}

#[test]
fn quotes_hold_anything_and_backslashes_hold_quotes() {
    assert_eq!(terms(r#"customer_id = "a AND b""#), [customer("a AND b")]);
    assert_eq!(terms(r#"customer_id = "a\"b\\c""#), [customer(r#"a"b\c"#)]);
    assert_eq!(terms("customer_id = 'a\"b'"), [customer("a\"b")]);
    assert_eq!(terms(r#"customer_id = "AND""#), [customer("AND")]);
    assert_eq!(terms(r#"customer_id = """#), [customer("")]);
    assert_eq!(terms("customer_id=\"ä\"AND policy=x").len(), 2);
}

#[test]
fn no_text_that_postgresql_refuses_reaches_it() {
    for text in ["customer_id = \"a\0b\"", "policy = 'a\\\0'", "\0"] {
        assert!(error(text).contains("U+0000"), "{text:?}");
    }
}

#[test]
fn errors_name_the_position_and_what_was_expected() {
    for (text, parts) in [
        (
            "status = X",
            "at 1: expected customer_id, policy, state or place_time, found \"status\"",
        ),
        ("\"state\" = X", "at 1: expected customer_id"),
        ("= X", "at 1: expected customer_id"),
        ("(state = X)", "parentheses are not supported"),
        ("NOT state = X", "only AND is supported"),
        ("state", "at 6: expected = after state"),
        ("state =", "at 8: expected a value"),
        ("state X", "at 7: expected = after state, found \"X\""),
        (
            "state != ORDER_STATE_PLACED",
            "at 7: expected = after state, found \"!=\"",
        ),
        ("state : ORDER_STATE_PLACED", "at 7: expected ="),
        ("state < ORDER_STATE_PLACED", "at 7: expected ="),
        (
            "state = PLACED",
            "at 9: expected a state, one of ORDER_STATE_PLACED, ",
        ),
        ("state = ORDER_STATE_UNSPECIFIED", "at 9: expected a state"),
        ("customer_id = AND", "at 15: expected a value"),
        ("customer_id = <", "at 15: expected a value"),
        (
            "customer_id = a b",
            "at 17: expected AND or the end, found \"b\"",
        ),
        (
            "customer_id = a AND",
            "at 20: expected a comparison after AND",
        ),
        (
            "customer_id = a and policy = b",
            "at 17: expected AND or the end",
        ),
        ("customer_id = a OR policy = b", "only AND is supported"),
        (
            "customer_id = a AND AND policy = b",
            "at 21: expected customer_id",
        ),
        ("customer_id = a,b", "at 16: expected AND or the end"),
        ("customer_id = \"a", "at 15: the quote is never closed"),
        ("customer_id = \"a\\\"", "at 15: the quote is never closed"),
        ("customer_id = ä AND x", "at 21: expected customer_id"),
        ("customer_id = a;", "at 16: \";\" must stand in quotes"),
        (
            "place_time = \"2026-01-01T00:00:00Z\"",
            "at 12: expected <, <=, > or >=",
        ),
        ("place_time > 2026-01-01T00", "at 14: expected a time"),
        (
            "place_time > \"yesterday\"",
            "at 14: expected a time of RFC 3339",
        ),
    ] {
        let error = error(text);
        assert!(error.contains(parts), "{text}: {error}");
    }
}

#[test]
fn times_are_of_rfc_3339_and_nothing_else() {
    for time in [
        "2026-01-01T00:00:00Z",
        "2024-02-29T23:59:59.123456789-11:30",
    ] {
        assert!(parse(&format!("place_time < \"{time}\"")).is_ok(), "{time}");
    }
    for time in [
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00+01",
        "2026-01-01T00:00:00Z[UTC]",
        "2025-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "٢٠٢٦-01-01T00:00:00Z",
    ] {
        assert!(
            parse(&format!("place_time < \"{time}\"")).is_err(),
            "{time}"
        );
    }
}

#[test]
fn a_filter_has_at_most_1000_characters() {
    let of = |length: usize| format!("customer_id = \"{}\"", "ä".repeat(length - 16));
    assert!(parse(&of(1_000)).is_ok());
    assert!(error(&of(1_001)).contains("at most 1,000 characters"));
}

proptest! {
    #[test]
    fn no_filter_panics(text in ".{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_mixture_of_parts_panics(
        parts in prop::collection::vec(
            prop::sample::select(&[
                "state", "place_time", "customer_id", "=", "<=", "!", "AND", "OR", "\"", "'",
                "\\", "ORDER_STATE_PLACED", "ä", "\"2026-01-01T00:00:00Z\"", " ", "(",
            ][..]),
            0..12,
        ),
        space in prop::sample::select(&["", " "][..]),
    ) {
        let _ = parse(&parts.join(space));
    }

    #[test]
    fn what_is_written_is_read(values in prop::collection::vec("[^\\x00\n]{0,20}", 1..5)) {
        let quoted = values.iter().map(|value| {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!("customer_id = \"{escaped}\"")
        });
        let text = quoted.collect::<Vec<_>>().join(" AND ");
        let expected: Vec<Term> = values.iter().map(|value| customer(value)).collect();
        prop_assert_eq!(terms(&text), expected);
    }
}
