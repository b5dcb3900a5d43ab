//! The order as a message.

use super::{
    address::address,
    enums::{
        close_reason, command, compensation_outcome, compensation_step, deadline_kind, order_state,
        payment_state, reservation_state, review_decision, shipment_state, step,
    },
    line_item::line_item,
    money::{money, some_money},
    payment_method::payment_method,
    time::{remaining, timestamp},
};
use jiff::Timestamp;
use orders::v1;
use orders_worker::{
    domain::{
        money::Money,
        order::{Approval, Fault, Order, Payment, Reservation, Shipment},
        payment_method::PaymentMethod,
        step::Compensation,
    },
    store::read::StoredOrder,
};

/// Where Temporal's web UI shows orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UiLinks {
    /// Without a slash at the end: `http://127.0.0.1:8233`.
    pub base_url: String,
    /// Temporal's namespace.
    pub namespace: String,
}

impl UiLinks {
    fn order(&self, workflow_id: &str, run_id: Option<&str>) -> String {
        let Self {
            base_url,
            namespace,
        } = self;
        // The only character of a workflow id that a path segment cannot hold is the slash.
        let workflow_id = workflow_id.replace('/', "%2F");
        let run = run_id.map_or(String::new(), |run_id| format!("/{run_id}/history"));
        format!("{base_url}/namespaces/{namespace}/workflows/{workflow_id}{run}")
    }
}

/// The order as it is at `now`: only the time that is left until its deadline depends on it.
pub fn order(stored: &StoredOrder, now: Timestamp, ui: Option<&UiLinks>) -> v1::Order {
    let StoredOrder {
        order,
        run_id,
        workflow_started: _,
    } = stored;
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
        ending: _,
        cancel_reason,
        screened: _,
        payment,
        reservation,
        approval,
        shipment,
        deadline: _,
        fault: _,
        done: _,
        unknown: _,
        compensations,
        revision,
        place_time,
        update_time,
        close_time,
    } = order;
    let workflow_id = Order::workflow_id(order_id);
    let ui_url = ui.map(|ui| ui.order(&workflow_id, run_id.as_deref()));
    let reason = order.close_reason();
    let allowed = order.allowed_commands();
    v1::Order {
        order_id: order_id.clone(),
        customer_id: customer_id.clone(),
        policy: policy.name.clone(),
        line_items: line_items.iter().map(line_item).collect(),
        total: Some(money(total)),
        shipping_address: Some(address(shipping_address)),
        state: order_state(*state).into(),
        close_reason: reason.map_or(0, |reason| close_reason(reason).into()),
        payment: Some(proto_payment(payment, payment_method.as_ref(), total)),
        reservation: Some(proto_reservation(reservation)),
        attention: order.attention().map(proto_attention),
        cancel_reason: cancel_reason.clone().unwrap_or_default(),
        approval: Some(proto_approval(approval)),
        shipment: Some(proto_shipment(shipment)),
        deadline: proto_deadline(order, now),
        compensations: compensations.iter().map(proto_compensation).collect(),
        allowed_commands: allowed
            .into_iter()
            .map(|kind| command(kind).into())
            .collect(),
        revision: *revision,
        place_time: Some(timestamp(*place_time)),
        update_time: Some(timestamp(*update_time)),
        close_time: close_time.map(timestamp),
        workflow_id,
        run_id: run_id.clone().unwrap_or_default(),
        ui_url: ui_url.unwrap_or_default(),
        release_time: release_time.map(timestamp),
    }
}

fn proto_payment(payment: &Payment, method: Option<&PaymentMethod>, total: &Money) -> v1::Payment {
    let Payment {
        state,
        payment_id,
        transaction_id,
        authorized,
        captured,
        refunded,
        capture_time,
    } = payment;
    v1::Payment {
        state: payment_state(*state).into(),
        payment_id: payment_id.clone(),
        method: method.map(payment_method),
        transaction_id: transaction_id.clone().unwrap_or_default(),
        authorized_amount: some_money(total, *authorized),
        captured_amount: some_money(total, *captured),
        refunded_amount: some_money(total, *refunded),
        capture_time: capture_time.map(timestamp),
    }
}

fn proto_reservation(reservation: &Reservation) -> v1::Reservation {
    let Reservation {
        state,
        reservation_id,
    } = reservation;
    v1::Reservation {
        state: reservation_state(*state).into(),
        reservation_id: reservation_id.clone().unwrap_or_default(),
    }
}

fn proto_attention(fault: &Fault) -> v1::Attention {
    let Fault {
        step: failing,
        attempts,
        last_error,
        since,
        retry_time: _,
    } = fault;
    v1::Attention {
        step: step(*failing).into(),
        attempts: i64::from(*attempts),
        last_error: last_error.clone(),
        since: Some(timestamp(*since)),
    }
}

fn proto_approval(approval: &Approval) -> v1::Approval {
    let Approval {
        required,
        decision,
        reviewer,
        reason,
        time,
    } = approval;
    v1::Approval {
        required: *required,
        decision: decision.map_or(0, |decision| review_decision(decision).into()),
        reviewer: reviewer.clone().unwrap_or_default(),
        reason: reason.clone().unwrap_or_default(),
        time: time.map(timestamp),
    }
}

fn proto_shipment(shipment: &Shipment) -> v1::Shipment {
    let Shipment {
        state,
        shipment_id,
        carrier,
        tracking_number,
        estimated_delivery_time,
        ship_time,
        delivery_time,
        dispatched: _,
        reminders: _,
        redirect_due: _,
    } = shipment;
    v1::Shipment {
        state: shipment_state(*state).into(),
        shipment_id: shipment_id.clone().unwrap_or_default(),
        carrier: carrier.clone().unwrap_or_default(),
        tracking_number: tracking_number.clone().unwrap_or_default(),
        estimated_delivery_time: estimated_delivery_time.map(timestamp),
        ship_time: ship_time.map(timestamp),
        delivery_time: delivery_time.map(timestamp),
    }
}

/// What the order waits for: a command, or the next attempt of a step that failed.
fn proto_deadline(order: &Order, now: Timestamp) -> Option<v1::Deadline> {
    let waits_for = |kind: v1::DeadlineKind, expire_time| v1::Deadline {
        kind: kind.into(),
        expire_time: Some(timestamp(expire_time)),
        remaining: Some(remaining(now, expire_time)),
    };
    let deadline = order.deadline;
    let command = deadline.map(|wait| waits_for(deadline_kind(wait.kind), wait.expire_time));
    let retry = order.fault.as_ref();
    command.or_else(|| retry.map(|fault| waits_for(v1::DeadlineKind::Retry, fault.retry_time)))
}

fn proto_compensation(compensation: &Compensation) -> v1::Compensation {
    let Compensation {
        step,
        resource,
        attempts,
        outcome,
        time,
    } = compensation;
    v1::Compensation {
        step: compensation_step(*step).into(),
        resource: resource.clone(),
        attempts: i64::from(*attempts),
        outcome: compensation_outcome(*outcome).into(),
        time: time.map(timestamp),
    }
}
