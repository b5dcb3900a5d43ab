//! An order as a message. Every field of the domain is named here: a new one does not build until
//! it is shown or left out on purpose.

use super::{
    address::address,
    enums,
    line_item::line_item,
    money::{money, some_money},
    payment_method::payment_method,
    time::{remaining, timestamp},
};
use jiff::Timestamp;
use orders::v1;
use orders_domain::{
    money::Money,
    order::{Approval, Deadline, Fault, Order, Payment, Reservation, Shipment, Vouched},
    payment_method::PaymentMethod,
    step::Compensation,
};
use orders_store::read::StoredOrder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// Where Temporal's web UI is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UiLinks {
    /// Its address, as `http://localhost:8233`.
    pub base_url: String,
    /// The namespace of the orders' workflows.
    pub namespace: String,
}

/// An order as a message, as it is at `now`, with a link to Temporal's web UI where there is one.
pub fn order(stored: &StoredOrder, now: Timestamp, ui: Option<&UiLinks>) -> v1::Order {
    let StoredOrder {
        order,
        run_id,
        workflow_started: _,
    } = stored;
    let close_reason = order.close_reason().map(enums::close_reason);
    let commands = order.allowed_commands();
    let workflow_id = Order::workflow_id(&order.order_id);
    let run_id = run_id.as_deref();
    let ui_url = ui.map(|ui| ui.url(&workflow_id, run_id));
    let attention = order.attention().map(attention);
    let deadline = deadline(order.next_deadline().as_ref(), order.faults.first(), now);
    let Order {
        order_id,
        customer_id,
        policy,
        line_items,
        total,
        shipping_address,
        payment_method,
        release_time,
        state,
        // Shown as close_reason, once the order is closed.
        ending: _,
        cancel_reason,
        screened: _,
        payment: paid,
        reservation: reserved,
        approval: approved,
        shipment: shipped,
        // The contract shows the deadline that ends first.
        deadlines: _,
        // The first one is shown as attention, and as a deadline while it waits.
        faults: _,
        // Shown as compensations, once they are being undone.
        done: _,
        unknown: _,
        in_flight: _,
        vouched,
        used_up: _,
        compensations,
        revision,
        place_time,
        update_time,
        close_time,
    } = order;
    v1::Order {
        order_id: order_id.clone(),
        customer_id: customer_id.clone(),
        policy: policy.name.clone(),
        line_items: line_items.iter().map(line_item).collect(),
        total: Some(money(total)),
        shipping_address: Some(address(shipping_address)),
        state: enums::order_state(*state).into(),
        close_reason: close_reason.unwrap_or_default().into(),
        payment: Some(v1::Payment {
            vouched: vouched.iter().map(self::vouched).collect(),
            ..payment(paid, payment_method.as_ref(), total)
        }),
        reservation: Some(reservation(reserved)),
        attention,
        cancel_reason: cancel_reason.clone().unwrap_or_default(),
        approval: Some(approval(approved)),
        shipment: Some(shipment(shipped)),
        deadline,
        compensations: compensations.iter().map(compensation).collect(),
        allowed_commands: commands
            .into_iter()
            .map(|kind| enums::command(kind).into())
            .collect(),
        revision: *revision,
        place_time: Some(timestamp(*place_time)),
        update_time: Some(timestamp(*update_time)),
        close_time: close_time.map(timestamp),
        workflow_id,
        run_id: run_id.unwrap_or_default().to_owned(),
        ui_url: ui_url.unwrap_or_default(),
        release_time: release_time.map(timestamp),
    }
}

fn payment(payment: &Payment, method: Option<&PaymentMethod>, total: &Money) -> v1::Payment {
    let Payment {
        state,
        payment_id,
        transaction_id,
        authorized,
        captured,
        refunded,
        capture_time,
        received,
    } = payment;
    v1::Payment {
        state: enums::payment_state(*state).into(),
        payment_id: payment_id.clone(),
        method: method.map(payment_method),
        transaction_id: transaction_id.clone().unwrap_or_default(),
        authorized_amount: some_money(total, *authorized),
        captured_amount: some_money(total, *captured),
        refunded_amount: some_money(total, *refunded),
        capture_time: capture_time.map(timestamp),
        vouched: Vec::new(),
        received_amount: some_money(total, received.amount),
        surplus_amount: some_money(total, received.surplus),
    }
}

fn vouched(vouched: &Vouched) -> v1::VouchedPayment {
    let Vouched {
        effect,
        outcome,
        transaction_id,
        actor,
        time,
        state,
        confirmed_id,
    } = vouched;
    v1::VouchedPayment {
        step: enums::step(effect.step).into(),
        outcome: enums::payment_outcome(*outcome).into(),
        transaction_id: transaction_id.clone(),
        actor: actor.clone(),
        time: Some(timestamp(*time)),
        state: enums::vouch_state(*state).into(),
        confirmed_transaction_id: confirmed_id.clone().unwrap_or_default(),
    }
}

fn reservation(reservation: &Reservation) -> v1::Reservation {
    let Reservation {
        state,
        reservation_id,
    } = reservation;
    v1::Reservation {
        state: enums::reservation_state(*state).into(),
        reservation_id: reservation_id.clone().unwrap_or_default(),
    }
}

fn approval(approval: &Approval) -> v1::Approval {
    let Approval {
        required,
        decision,
        reviewer,
        reason,
        time,
    } = approval;
    let decision = decision.map(enums::review_decision);
    v1::Approval {
        required: *required,
        decision: decision.unwrap_or_default().into(),
        reviewer: reviewer.clone().unwrap_or_default(),
        reason: reason.clone().unwrap_or_default(),
        time: time.map(timestamp),
    }
}

fn shipment(shipment: &Shipment) -> v1::Shipment {
    let Shipment {
        state,
        shipment_id,
        carrier,
        tracking_number,
        estimated_delivery_time,
        ship_time,
        delivery_time,
        // These three drive the process; what they mean shows in the state and the commands.
        dispatched: _,
        reminders: _,
        redirect_due: _,
        redirects: _,
    } = shipment;
    v1::Shipment {
        state: enums::shipment_state(*state).into(),
        shipment_id: shipment_id.clone().unwrap_or_default(),
        carrier: carrier.clone().unwrap_or_default(),
        tracking_number: tracking_number.clone().unwrap_or_default(),
        estimated_delivery_time: estimated_delivery_time.map(timestamp),
        ship_time: ship_time.map(timestamp),
        delivery_time: delivery_time.map(timestamp),
    }
}

fn attention(fault: &Fault) -> v1::Attention {
    let Fault {
        effect,
        attempts,
        last_error,
        since,
        retry_time: _,
        unknown: _,
        refused: _,
    } = fault;
    v1::Attention {
        step: enums::step(effect.step).into(),
        attempts: i64::from(*attempts),
        last_error: last_error.clone(),
        since: Some(timestamp(*since)),
    }
}

/// What the order waits for: its deadline, else the next attempt of the step that failed.
pub(super) fn deadline(
    deadline: Option<&Deadline>,
    fault: Option<&Fault>,
    now: Timestamp,
) -> Option<v1::Deadline> {
    let (kind, expire_time) = match (deadline, fault) {
        (Some(deadline), _) => {
            let Deadline {
                kind,
                // An order has one fulfillment so far.
                subject: _,
                expire_time,
            } = deadline;
            (enums::deadline_kind(*kind), *expire_time)
        }
        (None, Some(fault)) => (v1::DeadlineKind::Retry, fault.retry_time),
        (None, None) => return None,
    };
    Some(v1::Deadline {
        kind: kind.into(),
        expire_time: Some(timestamp(expire_time)),
        remaining: Some(remaining(now, expire_time)),
    })
}

fn compensation(compensation: &Compensation) -> v1::Compensation {
    let Compensation {
        effect,
        // The contract shows what is given back or called off, not the effect that it undoes.
        undoes: _,
        resource,
        attempts,
        outcome,
        time,
    } = compensation;
    v1::Compensation {
        step: enums::compensation_step(effect.step).into(),
        resource: resource.clone(),
        attempts: i64::from(*attempts),
        outcome: enums::compensation_outcome(*outcome).into(),
        time: time.map(timestamp),
    }
}

impl UiLinks {
    /// The page of a workflow; of one run's history, where the run is known.
    fn url(&self, workflow_id: &str, run_id: Option<&str>) -> String {
        let Self {
            base_url,
            namespace,
        } = self;
        let base_url = base_url.trim_end_matches('/');
        let (namespace, workflow_id) = (percent_encoded(namespace), percent_encoded(workflow_id));
        let mut url = format!("{base_url}/namespaces/{namespace}/workflows/{workflow_id}");
        if let Some(run_id) = run_id {
            url.push_str(&format!("/{}/history", percent_encoded(run_id)));
        }
        url
    }
}

/// The characters that are escaped in a part of a URL's path: all but the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns a text as one part of a URL's path.
fn percent_encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests;
