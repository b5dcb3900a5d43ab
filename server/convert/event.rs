//! An event of an order, with the states after it.

use super::{
    enums::{order_state, payment_state, reservation_state, shipment_state, step},
    time::timestamp,
};
use orders::v1;
use orders_worker::domain::{
    event::{Change, Event},
    order::Order,
    step::Step,
};

/// What an event says beside its type.
#[derive(Default)]
struct Said {
    reason: String,
    step: Option<Step>,
    attempt: u32,
    error: String,
}

/// The event as a message. `after` is the order as it was after it.
pub fn event(after: &Order, event: &Event) -> v1::OrderEvent {
    let Event {
        revision,
        time,
        actor,
        request_id,
        change,
    } = event;
    let Said {
        reason,
        step: said_step,
        attempt,
        error,
    } = said(change);
    v1::OrderEvent {
        order_id: after.order_id.clone(),
        revision: *revision,
        r#type: event_type(change).into(),
        actor: actor.clone(),
        reason,
        time: Some(timestamp(*time)),
        order_state: order_state(after.state).into(),
        payment_state: payment_state(after.payment.state).into(),
        reservation_state: reservation_state(after.reservation.state).into(),
        shipment_state: shipment_state(after.shipment.state).into(),
        step: said_step.map_or(0, |said| step(said).into()),
        attempt: i64::from(attempt),
        error,
        request_id: request_id.clone().unwrap_or_default(),
    }
}

fn said(change: &Change) -> Said {
    let because = |reason: &str| Said {
        reason: reason.to_owned(),
        ..Said::default()
    };
    let of_step = |step| Said {
        step: Some(step),
        ..Said::default()
    };
    match change {
        Change::FraudDetected { reason }
        | Change::OutOfStock { reason }
        | Change::PaymentDeclined { reason }
        | Change::CancelRequested { reason }
        | Change::Reviewed { reason, .. } => because(reason),
        Change::CommandRefused { command, reason } => because(&format!("{command}: {reason}")),
        Change::DeadlinePassed { kind } => because(kind.as_str()),
        Change::Closed { reason } => because(reason.as_str()),
        Change::AttemptFailed {
            step,
            attempt,
            error,
            unknown: _,
        } => Said {
            step: Some(*step),
            attempt: *attempt,
            error: error.clone(),
            ..Said::default()
        },
        Change::Compensated { step, outcome, .. } => Said {
            reason: outcome.to_string(),
            ..of_step(*step)
        },
        Change::PaymentCaptured { step, .. } => of_step(*step),
        Change::Screened => of_step(Step::Screen),
        Change::InventoryReserved { .. } => of_step(Step::ReserveInventory),
        Change::PaymentAuthorized { .. } => of_step(Step::AuthorizePayment),
        Change::PickupRequested { .. } => of_step(Step::RequestPickup),
        Change::ShipmentRedirected => of_step(Step::RedirectShipment),
        Change::Shipped { .. } => of_step(Step::DispatchShipment),
        Change::ReservationCommitted => of_step(Step::CommitReservation),
        Change::Placed { .. }
        | Change::PaymentRequested { .. }
        | Change::PaymentConfirmed { .. }
        | Change::ApprovalRequested { .. }
        | Change::Held { .. }
        | Change::FulfillmentStarted
        | Change::PickupReminded
        | Change::PickedUp { .. }
        | Change::ShippingAddressUpdated { .. }
        | Change::Delivered => Said::default(),
    }
}

fn event_type(change: &Change) -> v1::OrderEventType {
    use v1::OrderEventType as Type;
    match change {
        Change::Placed { .. } => Type::Placed,
        Change::Screened => Type::Screened,
        Change::FraudDetected { .. } => Type::FraudDetected,
        Change::InventoryReserved { .. } => Type::InventoryReserved,
        Change::OutOfStock { .. } => Type::OutOfStock,
        Change::PaymentRequested { .. } => Type::PaymentRequested,
        Change::PaymentConfirmed { .. } => Type::PaymentConfirmed,
        Change::PaymentAuthorized { .. } => Type::PaymentAuthorized,
        Change::PaymentCaptured { .. } => Type::PaymentCaptured,
        Change::PaymentDeclined { .. } => Type::PaymentDeclined,
        Change::AttemptFailed { .. } => Type::AttemptFailed,
        Change::ApprovalRequested { .. } => Type::ApprovalRequested,
        Change::Reviewed { .. } => Type::Reviewed,
        Change::Held { .. } => Type::Held,
        Change::FulfillmentStarted => Type::FulfillmentStarted,
        Change::PickupRequested { .. } => Type::PickupRequested,
        Change::PickupReminded => Type::PickupReminded,
        Change::PickedUp { .. } => Type::PickedUp,
        Change::Shipped { .. } => Type::Shipped,
        Change::ReservationCommitted => Type::ReservationCommitted,
        Change::ShippingAddressUpdated { .. } => Type::ShippingAddressUpdated,
        Change::ShipmentRedirected => Type::ShipmentRedirected,
        Change::Delivered => Type::Delivered,
        Change::CancelRequested { .. } => Type::CancelRequested,
        Change::DeadlinePassed { .. } => Type::DeadlinePassed,
        Change::Compensated { .. } => Type::Compensated,
        Change::CommandRefused { .. } => Type::CommandRefused,
        Change::Closed { .. } => Type::Closed,
    }
}
