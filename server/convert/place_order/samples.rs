//! Requests that are right, to be made wrong by the tests.

use jiff::Timestamp;
use orders::{google::r#type::Money, v1};
use orders_domain::{order::Order, place, policy::book::PolicyBook};

pub(crate) fn now() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn book() -> PolicyBook {
    PolicyBook::presets().unwrap()
}

pub(crate) fn usd(cents: i64) -> Money {
    Money {
        currency_code: "USD".to_owned(),
        units: cents / 100,
        nanos: (cents % 100) as i32 * 10_000_000,
    }
}

pub(crate) fn line_item(sku: &str, quantity: i64, cents: i64) -> v1::LineItem {
    v1::LineItem {
        sku: sku.to_owned(),
        name: "A thing".to_owned(),
        quantity,
        unit_price: Some(usd(cents)),
    }
}

pub(crate) fn address() -> v1::Address {
    v1::Address {
        line1: "1 Main Street".to_owned(),
        line2: "Floor 2".to_owned(),
        city: "Springfield".to_owned(),
        region: "IL".to_owned(),
        postal_code: "62701".to_owned(),
        country_code: "US".to_owned(),
    }
}

pub(crate) fn payment_method() -> v1::PaymentMethod {
    v1::PaymentMethod {
        r#type: v1::PaymentMethodType::CreditCard.into(),
        token: "tok-good".to_owned(),
        last4: "4242".to_owned(),
    }
}

/// Right under `standard`: 2 of 19.99 and 1 of 5.00, the same sku twice.
pub(crate) fn place_order() -> v1::PlaceOrderRequest {
    v1::PlaceOrderRequest {
        request_id: "request-1".to_owned(),
        actor: "alice".to_owned(),
        order_id: "order-1".to_owned(),
        customer_id: "customer-1".to_owned(),
        policy: "standard".to_owned(),
        line_items: vec![line_item("sku-1", 2, 19_99), line_item("sku-1", 1, 5_00)],
        shipping_address: Some(address()),
        payment_method: Some(payment_method()),
        payment_id: "payment-1".to_owned(),
        release_time: None,
    }
}

/// The order of [`place_order`] at revision 1, under `policy`.
pub(crate) fn order(policy: &str) -> Order {
    let mut request = place_order();
    request.policy = policy.to_owned();
    if policy == "pre-order" {
        request.release_time = Some(super::super::time::timestamp(now()));
    }
    let asked = super::place_order(&request, &book(), now(), String::new).unwrap();
    let (actor, request_id) = (&asked.actor, &asked.request_id);
    let placed = place::place(asked.new, &asked.policy, actor, request_id, now()).unwrap();
    Order::from_placed(&placed).unwrap()
}
