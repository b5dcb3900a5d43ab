use super::{samples, *};
use orders::{google::r#type::Money, v1};
use orders_domain::{money, place::Violation};
use proptest::prelude::*;

fn parse(request: &PlaceOrderRequest) -> Parsed<PlaceOrder> {
    place_order(request, &samples::book(), samples::now(), || {
        "made".to_owned()
    })
}

/// What is wrong with a request that was right until `change`.
fn violations(change: impl FnOnce(&mut PlaceOrderRequest)) -> Vec<Violation> {
    let mut request = samples::place_order();
    change(&mut request);
    parse(&request).err().unwrap_or_default()
}

fn wrong(change: impl FnOnce(&mut PlaceOrderRequest)) -> Vec<String> {
    let found = violations(change);
    found.into_iter().map(|violation| violation.field).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn a_right_request_becomes_an_order() {
    let asked = parse(&samples::place_order()).unwrap();
    assert_eq!(asked.request_id, "request-1");
    assert_eq!(asked.actor, "alice");
    assert_eq!(asked.policy.name, "standard");
    assert_eq!(asked.new.order_id, "order-1");
    assert_eq!(asked.new.payment_id.as_deref(), Some("payment-1"));
    let total = place::total(&asked.new.line_items).unwrap();
    assert_eq!(total, money::Money::new("USD", 44_98));
    assert_eq!(asked.new.line_items.len(), 2);
}

#[test]
fn an_id_is_made_only_for_a_right_request_without_one() {
    let mut request = samples::place_order();
    request.order_id.clear();
    request.payment_id.clear();
    let asked = parse(&request).unwrap();
    assert_eq!(asked.new.order_id, "made");
    assert_eq!(asked.new.payment_id, None);
    let never = || panic!("no id is needed");
    let given = place_order(
        &samples::place_order(),
        &samples::book(),
        samples::now(),
        never,
    );
    assert!(given.is_ok());
    request.customer_id.clear();
    assert!(place_order(&request, &samples::book(), samples::now(), never).is_err());
}

#[test]
fn every_text_has_its_limit() {
    type Field = fn(&mut PlaceOrderRequest) -> &mut String;
    let fields: [(&str, Field, usize, bool); 5] = [
        ("request_id", |r| &mut r.request_id, 128, true),
        ("actor", |r| &mut r.actor, 128, false),
        ("customer_id", |r| &mut r.customer_id, 128, true),
        ("payment_id", |r| &mut r.payment_id, 128, false),
        ("order_id", |r| &mut r.order_id, 64, false),
    ];
    for (name, field, most, required) in fields {
        assert_eq!(wrong(|r| *field(r) = "x".repeat(most)), NONE, "{name}");
        assert_eq!(wrong(|r| *field(r) = "x".repeat(most + 1)), [name]);
        assert_eq!(wrong(|r| *field(r) = "x\ny".to_owned()), [name]);
        let empty = if required { vec![name] } else { Vec::new() };
        assert_eq!(wrong(|r| field(r).clear()), empty);
    }
}

#[test]
fn an_unknown_policy_is_answered_with_the_known_ones() {
    for name in ["", "Standard", "gold"] {
        let found = violations(|r| r.policy = name.to_owned());
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].field, "policy");
        assert!(found[0].description.contains("external-payment"));
        assert!(found[0].description.contains("standard"));
    }
}

#[test]
fn a_total_is_looked_at_under_an_unknown_policy_too() {
    let free = |r: &mut PlaceOrderRequest| {
        r.policy = "gold".to_owned();
        for item in &mut r.line_items {
            item.unit_price = Some(samples::usd(0));
        }
    };
    assert_eq!(wrong(free), ["policy", "line_items"]);
}

#[test]
fn the_policy_says_what_else_is_needed() {
    let time = |text: &str| Some(super::super::time::timestamp(text.parse().unwrap()));
    assert_eq!(wrong(|r| r.payment_method = None), ["payment_method"]);
    let without_token = |r: &mut PlaceOrderRequest| r.payment_method = Some(Default::default());
    assert_eq!(wrong(without_token), ["payment_method.token"]);
    assert_eq!(
        wrong(|r| r.release_time = time("2026-12-01T00:00:00Z")),
        ["release_time"]
    );
    let external = |r: &mut PlaceOrderRequest| r.policy = "external-payment".to_owned();
    assert_eq!(wrong(external), NONE);
    assert_eq!(
        wrong(|r| {
            external(r);
            r.payment_method = None
        }),
        NONE
    );
    assert_eq!(
        wrong(|r| {
            external(r);
            without_token(r)
        }),
        NONE
    );
    let pre_order = |r: &mut PlaceOrderRequest, text: &str| {
        r.policy = "pre-order".to_owned();
        r.release_time = time(text);
    };
    assert_eq!(
        wrong(|r| r.policy = "pre-order".to_owned()),
        ["release_time"]
    );
    assert_eq!(wrong(|r| pre_order(r, "2026-12-01T00:00:00Z")), NONE);
    // Seven days of grace end with the call, or a nanosecond after it.
    assert_eq!(
        wrong(|r| pre_order(r, "2026-06-24T12:00:00Z")),
        ["release_time"]
    );
    assert_eq!(
        wrong(|r| pre_order(r, "2026-06-24T12:00:00.000000001Z")),
        NONE
    );
}

#[test]
fn the_total_is_more_than_zero_and_fits() {
    let free = |r: &mut PlaceOrderRequest| r.line_items = vec![samples::line_item("a", 3, 0)];
    assert_eq!(wrong(free), ["line_items"]);
    let price = Money {
        currency_code: "JPY".to_owned(),
        units: i64::MAX,
        nanos: 0,
    };
    let large = |r: &mut PlaceOrderRequest, quantity| {
        let mut item = samples::line_item("a", quantity, 0);
        item.unit_price = Some(price.clone());
        r.line_items = vec![item];
    };
    assert_eq!(wrong(|r| large(r, 1)), NONE);
    assert_eq!(wrong(|r| large(r, 2)), ["line_items"]);
}

#[test]
fn everything_wrong_is_said_at_once_and_once() {
    let fields: Vec<String> = parse(&PlaceOrderRequest::default())
        .unwrap_err()
        .into_iter()
        .map(|violation| violation.field)
        .collect();
    let expected = [
        "request_id",
        "customer_id",
        "policy",
        "line_items",
        "shipping_address",
    ];
    assert_eq!(fields, expected);
    let found = wrong(|r| {
        r.line_items[1].quantity = 0;
        r.line_items[0].sku.clear();
        r.release_time = Some(prost_types::Timestamp {
            seconds: 0,
            nanos: -1,
        });
        r.payment_method = Some(v1::PaymentMethod {
            last4: "x".to_owned(),
            ..Default::default()
        });
        r.shipping_address.as_mut().unwrap().city.clear();
    });
    let expected = [
        "line_items[0].sku",
        "line_items[1].quantity",
        "shipping_address.city",
        "payment_method.last4",
        "release_time",
        "payment_method.token",
    ];
    assert_eq!(found, expected);
    // A wrong sku does not hide that the total is wrong.
    let found = wrong(|r| r.line_items = vec![samples::line_item("", 1, 0)]);
    assert_eq!(found, ["line_items[0].sku", "line_items"]);
    // Mixed currencies are named where they are, and not again for the total.
    let found = wrong(|r| {
        r.line_items[1].unit_price.as_mut().unwrap().currency_code = "EUR".to_owned();
    });
    assert_eq!(found, ["line_items[1].unit_price.currency_code"]);
}

#[test]
fn the_fingerprint_is_of_the_content() {
    let of = |change: &dyn Fn(&mut PlaceOrderRequest)| {
        let mut request = samples::place_order();
        change(&mut request);
        parse(&request).unwrap().fingerprint
    };
    let same = of(&|_| ());
    assert_eq!(same.len(), 64);
    assert_eq!(same, of(&|r| r.request_id = "other".to_owned()));
    assert_eq!(same, of(&|r| r.actor.clear()));
    let others: [&dyn Fn(&mut PlaceOrderRequest); 8] = [
        &|r| r.order_id = "other".to_owned(),
        &|r| r.customer_id = "other".to_owned(),
        &|r| r.policy = "approval".to_owned(),
        &|r| r.line_items[0].quantity = 3,
        &|r| r.line_items.reverse(),
        &|r| r.shipping_address.as_mut().unwrap().line2.clear(),
        &|r| r.payment_method.as_mut().unwrap().token = "other".to_owned(),
        &|r| r.payment_id.clear(),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(same, of(other), "{index}");
    }
    let mut request = samples::place_order();
    request.order_id.clear();
    let with_id = |id: &str| {
        place_order(&request, &samples::book(), samples::now(), || id.to_owned()).unwrap()
    };
    assert_eq!(with_id("one").fingerprint, with_id("two").fingerprint);
}

fn texts() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "",
        "standard",
        "pre-order",
        "USD",
        "DE",
        "4242",
        "order-1",
        " ",
        "\n",
    ];
    prop_oneof![
        prop::sample::select(KNOWN).prop_map(str::to_owned),
        ".{0,140}"
    ]
}

prop_compose! {
    fn line_items()(
        sku in texts(), name in texts(), quantity: i64, code in texts(), units: i64, nanos: i32,
        priced: bool,
    ) -> v1::LineItem {
        let unit_price = priced.then_some(Money { currency_code: code, units, nanos });
        v1::LineItem { sku, name, quantity, unit_price }
    }
}

prop_compose! {
    fn requests()(
        t in prop::collection::vec(texts(), 14),
        line_items in prop::collection::vec(line_items(), 0..5),
        kind in -1..7i32,
        time in prop::option::of((any::<i64>(), any::<i32>())),
        addressed: bool,
        method: bool,
    ) -> PlaceOrderRequest {
        PlaceOrderRequest {
            request_id: t[0].clone(),
            actor: t[1].clone(),
            order_id: t[2].clone(),
            customer_id: t[3].clone(),
            policy: t[4].clone(),
            line_items,
            shipping_address: addressed.then(|| v1::Address {
                line1: t[5].clone(),
                line2: t[6].clone(),
                city: t[7].clone(),
                region: t[8].clone(),
                postal_code: t[9].clone(),
                country_code: t[10].clone(),
            }),
            payment_method: method.then(|| v1::PaymentMethod {
                r#type: kind,
                token: t[11].clone(),
                last4: t[12].clone(),
            }),
            payment_id: t[13].clone(),
            release_time: time.map(|(seconds, nanos)| prost_types::Timestamp { seconds, nanos }),
        }
    }
}

proptest! {
    #[test]
    fn no_request_panics_and_what_is_accepted_can_be_placed(request in requests()) {
        match parse(&request) {
            Ok(asked) => {
                let placed = place::place(asked.new, &asked.policy, "", "", samples::now());
                prop_assert!(placed.is_ok());
            }
            Err(found) => {
                prop_assert!(!found.is_empty());
                let mut seen = std::collections::HashSet::new();
                for violation in &found {
                    prop_assert!(seen.insert((&violation.field, &violation.description)));
                }
            }
        }
    }

    #[test]
    fn right_prices_are_always_accepted(
        cents in prop::collection::vec((1..1_000_000i64, 1..1_000i64), 1..50),
    ) {
        let mut request = samples::place_order();
        let items = cents.iter().map(|(cents, quantity)| samples::line_item("sku", *quantity, *cents));
        request.line_items = items.collect();
        let asked = parse(&request);
        let expected: i64 = cents.iter().map(|(cents, quantity)| cents * quantity).sum();
        let total = place::total(&asked.unwrap().new.line_items).unwrap();
        prop_assert_eq!(total, money::Money::new("USD", expected));
    }
}

#[test]
fn the_payment_id_that_another_order_will_have_cannot_be_taken() {
    let with = |order_id: &str, payment_id: &str| {
        let asked = PlaceOrderRequest {
            order_id: order_id.to_owned(),
            payment_id: payment_id.to_owned(),
            ..samples::place_order()
        };
        let parsed = place_order(&asked, &samples::book(), samples::now(), || {
            "made".to_owned()
        });
        parsed.err().map(|found| found[0].field.clone())
    };
    for (order_id, payment_id) in [
        ("sq1", ""),
        ("sq1", "pay-sq1"),
        ("sq1", "invoice-7"),
        ("", "p"),
    ] {
        assert_eq!(with(order_id, payment_id), None, "{order_id} {payment_id}");
    }
    for (order_id, payment_id) in [("sq1", "pay-sq2"), ("", "pay-sq2"), ("sq1", "pay-")] {
        let field = Some("payment_id".to_owned());
        assert_eq!(with(order_id, payment_id), field, "{order_id} {payment_id}");
    }
}
