//! PlaceOrder: everything that is wrong with it, or a new order.

use super::{
    Parsed,
    address::parse_shipping_address,
    line_item::{LineItems, parse_line_items},
    payment_method::parse_payment_method,
    text,
    time::parse_timestamp,
    violations::{Verdict, Violations},
};
use jiff::Timestamp;
use orders::v1::PlaceOrderRequest;
use orders_domain::{
    fingerprint,
    place::{self, NewOrder},
    policy::{Policy, book::PolicyBook},
};
use prost::Message;

/// The most bytes of a PlaceOrder in its encoded form. An order is little more than that, so that
/// several of them fit on a page.
const BYTES_MOST: usize = 128 * 1024;

/// What a PlaceOrder asks for. It fits its policy.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceOrder {
    /// Unique over the service.
    pub request_id: String,
    /// Who asks; may be empty.
    pub actor: String,
    /// The order.
    pub new: NewOrder,
    /// The policy as it is now, to be copied into the order.
    pub policy: Policy,
    /// Stands for what is asked for, whoever asks under which request id. 64 hexadecimal digits.
    pub fingerprint: String,
}

/// Reads a PlaceOrder. `make_id` makes the id of an order that brings none.
///
/// # Errors
/// Everything that is wrong with the request, in itself and under its policy.
pub fn place_order(
    request: &PlaceOrderRequest,
    book: &PolicyBook,
    now: Timestamp,
    make_id: impl FnOnce() -> String,
) -> Parsed<PlaceOrder> {
    let PlaceOrderRequest {
        request_id,
        actor,
        order_id,
        customer_id,
        policy,
        line_items,
        shipping_address,
        payment_method,
        payment_id,
        release_time,
    } = request;
    let found = &mut Violations::in_request(request);
    text::request_id(found, request_id);
    let actor = text::actor(found, actor);
    let policy = parse_policy(found, policy, book);
    let LineItems { items, has_total } = parse_line_items(found, line_items);
    let shipping_address = parse_shipping_address(found, shipping_address.as_ref());
    let (payment_method, payment_token) = parse_payment_method(found, payment_method.as_ref());
    if place::is_payment_id_of_another(payment_id, order_id) {
        let description = "must not begin with pay-, except as pay- and the order_id: it is the \
                           payment_id of the order of that id";
        found.push("payment_id", description);
    }
    let release_time = release_time
        .as_ref()
        .and_then(|time| parse_timestamp(found, "release_time", time));
    let mut new = NewOrder {
        order_id: order_id.clone(),
        customer_id: customer_id.clone(),
        line_items: items,
        shipping_address: shipping_address.unwrap_or_default(),
        payment_method,
        payment_token,
        payment_id: Some(payment_id.clone()).filter(|id| !id.is_empty()),
        release_time,
    };
    if has_total && let Some(violation) = place::total_violation(&new.line_items) {
        found.add(violation);
    }
    let size = request.encoded_len();
    if size > BYTES_MOST && !found.names("line_items") {
        let description = format!(
            "the order has {size} bytes in its encoded form, and may have {BYTES_MOST}: use fewer \
             line items or shorter names"
        );
        found.push("line_items", description);
    }
    if let Some(policy) = policy {
        add_policy_violations(found, &new, policy, now);
    }
    let policy = std::mem::take(found).into_result(policy)?;
    if new.order_id.is_empty() {
        new.order_id = make_id();
    }
    Ok(PlaceOrder {
        request_id: request_id.clone(),
        actor,
        new,
        policy: policy.clone(),
        fingerprint: place_fingerprint(request),
    })
}

/// What does not fit the policy, beside what is wrong in itself: a part that could not be read is
/// not reported a second time as missing.
fn add_policy_violations(found: &mut Violations, new: &NewOrder, policy: &Policy, now: Timestamp) {
    for violation in place::violations(new, policy, now) {
        if !found.names(&violation.field) {
            found.add(violation);
        }
    }
}

fn parse_policy<'a>(
    found: &mut Violations,
    name: &str,
    book: &'a PolicyBook,
) -> Option<&'a Policy> {
    let policy = book.get(name);
    if policy.is_none() {
        let names: Vec<&str> = book.iter().map(|policy| policy.name.as_str()).collect();
        let names = names.join(", ");
        let description = match name {
            "" => format!("is required: one of {names}"),
            _ => format!("there is no policy {}, only {names}", text::quoted(name)),
        };
        found.say("policy", description);
    }
    policy
}

/// Stands for what is asked for, whoever asks under which request id. The same for the same content. The protobuf encoding of a message without maps is the same every
/// time, and a later field that is left out does not change it. Of the payment token only this hash is
/// kept.
pub fn place_fingerprint(request: &PlaceOrderRequest) -> String {
    let content = PlaceOrderRequest {
        request_id: String::new(),
        actor: String::new(),
        ..request.clone()
    };
    let bytes = content.encode_to_vec();
    fingerprint(["PlaceOrder", &hex::encode(bytes)])
}

#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;
