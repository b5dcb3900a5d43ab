//! An order as a sheet for people.

use super::{
    address, amount,
    lines::Lines,
    payment_method, time,
    words::{self, small},
};
use orders::v1::{
    Approval, Attention, Compensation, Deadline, LineItem, Order, OrderState, Payment, Reservation,
    ReviewDecision, Shipment, VouchedPayment,
};
use prost_types::Timestamp;

/// The whole order.
pub fn write(lines: &mut Lines, order: &Order) {
    let state = words::state(order.state());
    lines.field("order", &order.order_id);
    lines.field("state", format!("{state}{}", why_closed(order)));
    lines.field("customer", &order.customer_id);
    lines.field("policy", &order.policy);
    lines.fields("items", order.line_items.iter().map(item));
    lines.field(
        "total",
        order.total.as_ref().map_or_else(String::new, amount::text),
    );
    let address = order.shipping_address.as_ref();
    lines.field("ship to", address.map_or_else(String::new, address::text));
    lines.field(
        "payment",
        order.payment.as_ref().map_or_else(String::new, payment),
    );
    let vouched = order.payment.iter().flat_map(|payment| &payment.vouched);
    lines.fields("vouched", vouched.map(self::vouched));
    let reservation = order.reservation.as_ref();
    lines.field(
        "reservation",
        reservation.map_or_else(String::new, self::reservation),
    );
    let approval = order.approval.as_ref();
    lines.field(
        "approval",
        approval.map_or_else(String::new, |approval| self::approval(approval, order)),
    );
    lines.field(
        "shipment",
        order.shipment.as_ref().map_or_else(String::new, shipment),
    );
    lines.field("release", at(order.release_time.as_ref()));
    let deadline = order.deadline.as_ref();
    lines.field(
        "deadline",
        deadline.map_or_else(String::new, self::deadline),
    );
    let attention = order.attention.as_ref();
    lines.field(
        "attention",
        attention.map_or_else(String::new, self::attention),
    );
    lines.field("cancelled for", &order.cancel_reason);
    lines.fields("undone", order.compensations.iter().map(compensation));
    let allowed: Vec<&str> = order.allowed_commands().map(words::command).collect();
    lines.field("allowed now", allowed.join(", "));
    lines.field("revision", order.revision.to_string());
    lines.field("placed", at(order.place_time.as_ref()));
    lines.field("updated", at(order.update_time.as_ref()));
    lines.field("closed", at(order.close_time.as_ref()));
    lines.field("workflow", &order.workflow_id);
    lines.field("web UI", &order.ui_url);
}

/// `RELEASE until 2034-11-27 01:00:00 +01:00, in 6 d 23 h`.
pub fn deadline(deadline: &Deadline) -> String {
    let kind = words::deadline_kind(deadline.kind());
    let until = at(deadline.expire_time.as_ref());
    let remaining = match &deadline.remaining {
        Some(remaining) if remaining.seconds > 0 || remaining.nanos > 0 => {
            format!(", in {}", time::rough(remaining))
        }
        _ => ", now".to_owned(),
    };
    format!("{kind} until {until}{remaining}")
}

/// `REFUND_PAYMENT  DONE  payment-1, 1 attempt, 2034-11-27 01:00:00 +01:00`.
pub fn compensation(compensation: &Compensation) -> String {
    let step = words::compensation_step(compensation.step());
    let outcome = words::outcome(compensation.outcome());
    let attempts = attempts(compensation.attempts);
    let when = at(compensation.time.as_ref());
    let parts = [compensation.resource.clone(), attempts, when];
    format!("{step}  {outcome}  {}", joined(parts))
}

/// `2 x console (Console)  499.99 USD  = 999.98 USD`.
pub fn item(item: &LineItem) -> String {
    let LineItem {
        sku,
        name,
        quantity,
        unit_price,
    } = item;
    let name = match name.as_str() {
        "" => String::new(),
        name => format!(" ({name})"),
    };
    let price = unit_price.as_ref().map_or_else(String::new, |price| {
        let product = amount::times(price, *quantity);
        let product = product.map_or_else(String::new, |product| format!("  = {product}"));
        format!("  {}{product}", amount::text(price))
    });
    format!("{quantity} x {sku}{name}{price}")
}

fn why_closed(order: &Order) -> String {
    match (order.close_time, words::close_reason(order.close_reason())) {
        (None, _) => String::new(),
        (Some(_), reason) => format!(" ({reason})"),
    }
}

fn payment(payment: &Payment) -> String {
    let state = words::payment_state(payment.state());
    let some = |name: &str, money: Option<&_>| {
        money.map_or_else(String::new, |money| {
            format!("{name} {}", amount::text(money))
        })
    };
    // What was authorized and then captured is one sum, not two.
    let authorized = payment.authorized_amount.as_ref();
    let authorized = authorized.filter(|_| payment.captured_amount.is_none());
    let method = payment.method.as_ref();
    let transaction = match payment.transaction_id.as_str() {
        "" => String::new(),
        id => format!("transaction {id}"),
    };
    let parts = [
        state.to_owned(),
        some("authorized", authorized),
        some("captured", payment.captured_amount.as_ref()),
        some("refunded", payment.refunded_amount.as_ref()),
        some("due to the payer", payment.surplus_amount.as_ref()),
        method.map_or_else(String::new, payment_method::text),
        transaction,
    ];
    joined(parts)
}

/// `CHARGE_PAYMENT  SUCCEEDED  as txn-1, by grace, 2034-11-27 01:00:00 +01:00, UNCONFIRMED`.
fn vouched(vouched: &VouchedPayment) -> String {
    let step = words::step(vouched.step());
    let outcome = words::payment_outcome(vouched.outcome());
    let named = |id: &str| match id {
        "" => String::new(),
        id => format!("as {id}"),
    };
    let state = words::vouch_state(vouched.state());
    let confirmed = named(&vouched.confirmed_transaction_id);
    let parts = [
        named(&vouched.transaction_id),
        format!("by {}", vouched.actor),
        at(vouched.time.as_ref()),
        format!("{state} {confirmed}").trim().to_owned(),
    ];
    format!("{step}  {outcome}  {}", joined(parts))
}

fn reservation(reservation: &Reservation) -> String {
    let state = words::reservation_state(reservation.state());
    joined([state.to_owned(), reservation.reservation_id.clone()])
}

fn approval(approval: &Approval, order: &Order) -> String {
    let is_going_on = order.close_time.is_none() && order.state() != OrderState::Cancelling;
    let decision = match approval.decision() {
        ReviewDecision::Unspecified if approval.required && is_going_on => "waits for a review",
        // Most orders: nothing to say. Nor of one that ended before its review.
        ReviewDecision::Unspecified => return String::new(),
        decision => words::decision(decision),
    };
    let by = match approval.reviewer.as_str() {
        "" => String::new(),
        reviewer => format!("by {reviewer}"),
    };
    let when = at(approval.time.as_ref());
    joined([decision.to_owned(), by, approval.reason.clone(), when])
}

fn shipment(shipment: &Shipment) -> String {
    let state = words::shipment_state(shipment.state());
    let named = |name: &str, value: String| match value.as_str() {
        "" => String::new(),
        value => format!("{name} {value}"),
    };
    let delivered = at(shipment.delivery_time.as_ref());
    let expected = match delivered.is_empty() {
        true => at(shipment.estimated_delivery_time.as_ref()),
        false => String::new(),
    };
    joined([
        state.to_owned(),
        shipment.carrier.clone(),
        named("tracking number", shipment.tracking_number.clone()),
        named("shipped", at(shipment.ship_time.as_ref())),
        named("expected", expected),
        named("delivered", delivered),
    ])
}

fn attention(attention: &Attention) -> String {
    let step = small(words::step(attention.step()), "_");
    let since = match at(attention.since.as_ref()).as_str() {
        "" => String::new(),
        since => format!(" since {since}"),
    };
    let failed = attempts(attention.attempts);
    format!("{step} fails{since} ({failed}): {}", attention.last_error)
}

fn attempts(count: i64) -> String {
    match count {
        0 => String::new(),
        1 => "1 attempt".to_owned(),
        count => format!("{count} attempts"),
    }
}

fn at(time: Option<&Timestamp>) -> String {
    time.map_or_else(String::new, time::local)
}

/// The parts that are not empty, with commas.
fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_ended_waits_for_no_review() {
        let mut order = Order {
            approval: Some(Approval {
                required: true,
                ..Approval::default()
            }),
            ..Order::default()
        };
        let mut shown = |state: OrderState| {
            order.state = state.into();
            let mut lines = Lines::default();
            write(&mut lines, &order);
            lines.into_text().contains("waits for a review")
        };
        assert!(shown(OrderState::AwaitingApproval));
        assert!(!shown(OrderState::Cancelling));
        order.close_time = Some(Timestamp::default());
        order.state = OrderState::Cancelled.into();
        let mut lines = Lines::default();
        write(&mut lines, &order);
        assert!(!lines.into_text().contains("approval"));
    }
}
