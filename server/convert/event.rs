//! An event as a message.

use super::{enums, time::timestamp};
use orders::v1::{self, OrderEventType};
use orders_domain::{
    command::{PaymentOutcome, Witness},
    effect::Effect,
    event::{Change, Event},
    money::Money,
    order::Order,
    step::{CompensationOutcome, Step},
};

/// What an event says beside its type.
#[derive(Default)]
struct Said {
    reason: String,
    step: Option<Step>,
    attempt: u32,
    error: String,
}

/// An event as a message, with the order as it was right after it.
pub fn event(order_after: &Order, event: &Event) -> v1::OrderEvent {
    let Event {
        revision,
        time,
        actor,
        request_id,
        change,
    } = event;
    let (kind, said) = said(change, order_after);
    let Said {
        reason,
        step,
        attempt,
        error,
    } = said;
    v1::OrderEvent {
        order_id: order_after.order_id.clone(),
        revision: *revision,
        r#type: kind.into(),
        actor: actor.clone(),
        reason,
        time: Some(timestamp(*time)),
        order_state: enums::order_state(order_after.state).into(),
        payment_state: enums::payment_state(order_after.payment.state).into(),
        reservation_state: enums::reservation_state(order_after.reservation.state).into(),
        shipment_state: enums::shipment_state(order_after.shipment.state).into(),
        step: step.map(enums::step).unwrap_or_default().into(),
        attempt: i64::from(attempt),
        error,
        request_id: request_id.clone().unwrap_or_default(),
    }
}

/// The type, the step and the words of a change. What else it carries shows in the order.
fn said(change: &Change, order_after: &Order) -> (OrderEventType, Said) {
    use OrderEventType as Type;
    let nothing = Said::default();
    match change {
        Change::Placed { order: _ } => (Type::Placed, nothing),
        Change::Screened { effect } => (Type::Screened, of(*effect)),
        Change::FraudDetected { effect, reason } => (Type::FraudDetected, of(*effect).why(reason)),
        Change::InventoryReserved {
            effect,
            reservation_id: _,
        } => (Type::InventoryReserved, of(*effect)),
        Change::OutOfStock { effect, reason } => (Type::OutOfStock, of(*effect).why(reason)),
        Change::PaymentRequested { expire_time: _ } => (Type::PaymentRequested, nothing),
        Change::PaymentConfirmed {
            transaction_id: _,
            amount,
            counted,
            payment_method: _,
            last4: _,
        } => {
            let why = received(amount, *counted, order_after);
            (Type::PaymentConfirmed, nothing.why(&why))
        }
        Change::PaymentRefused {
            transaction_id: _,
            amount,
            reason,
            // The other order may be another customer's.
            other_order_id: _,
        } => {
            let why = format!("{amount} is not counted as paid: {reason}");
            (Type::PaymentRefused, nothing.why(&why))
        }
        Change::PaymentDisputed {
            transaction_id,
            other_order_id: _,
        } => {
            let why = format!(
                "the transaction {transaction_id} was confirmed by a caller and answered by the payment provider"
            );
            (Type::PaymentDisputed, nothing.why(&why))
        }
        Change::PaymentInitiated { effect } => (Type::PaymentInitiated, of(*effect)),
        Change::PaymentAuthorized {
            effect,
            transaction_id: _,
            amount: _,
        } => (Type::PaymentAuthorized, of(*effect)),
        Change::PaymentCaptured {
            effect,
            transaction_id: _,
            amount: _,
        } => (Type::PaymentCaptured, of(*effect)),
        Change::PaymentDeclined { effect, reason } => {
            (Type::PaymentDeclined, of(*effect).why(reason))
        }
        Change::AttemptFailed {
            effect,
            attempt,
            error,
            unknown,
            refused,
        } => {
            let why = match (unknown, refused) {
                (true, _) => "the outcome is unknown: the effect may have happened",
                (_, true) => "the provider refuses for good: the money is to be given back by hand",
                _ => "",
            };
            let said = Said {
                attempt: *attempt,
                error: error.clone(),
                ..of(*effect).why(why)
            };
            (Type::AttemptFailed, said)
        }
        Change::ApprovalRequested { expire_time: _ } => (Type::ApprovalRequested, nothing),
        Change::Reviewed {
            decision: _,
            reviewer: _,
            reason,
        } => (Type::Reviewed, nothing.why(reason)),
        Change::Held { expire_time: _ } => (Type::Held, nothing),
        Change::FulfillmentStarted => (Type::FulfillmentStarted, nothing),
        Change::PackagePrepared {
            effect,
            shipment_id: _,
            carrier: _,
            tracking_number: _,
        } => (Type::PackagePrepared, of(*effect)),
        Change::PickupRequested {
            effect,
            shipment_id: _,
            carrier: _,
            tracking_number: _,
        } => (Type::PickupRequested, of(*effect)),
        Change::PickupReminded => (Type::PickupReminded, nothing),
        Change::PickedUp {
            tracking_number: _,
            estimated_delivery_time: _,
        } => (Type::PickedUp, nothing),
        Change::Shipped {
            effect,
            shipment_id: _,
            carrier: _,
            tracking_number: _,
            estimated_delivery_time: _,
        } => (Type::Shipped, of(*effect)),
        Change::ReservationCommitted { effect } => (Type::ReservationCommitted, of(*effect)),
        Change::ShippingAddressUpdated { address: _ } => (Type::ShippingAddressUpdated, nothing),
        Change::ShipmentRedirected { effect } => (Type::ShipmentRedirected, of(*effect)),
        Change::Delivered => (Type::Delivered, nothing),
        Change::CancelRequested { reason } => (Type::CancelRequested, nothing.why(reason)),
        Change::DeadlinePassed { kind } => {
            let kind = enums::deadline_kind(*kind).as_str_name();
            (Type::DeadlinePassed, nothing.why(kind))
        }
        Change::Compensated {
            effect,
            outcome,
            amount: _,
        } => {
            let never = *outcome == CompensationOutcome::NotNeeded;
            let said = Said {
                attempt: attempts(order_after, *effect),
                ..of(*effect).why(if never {
                    "there was nothing to undo"
                } else {
                    ""
                })
            };
            (Type::Compensated, said)
        }
        Change::CommandRefused { command, reason } => {
            let named = reason.contains(command.as_str());
            let why = match named {
                true => reason.clone(),
                false => format!("{command}: {reason}"),
            };
            (Type::CommandRefused, nothing.why(&why))
        }
        Change::RetryRequested { reason } => (Type::RetryRequested, nothing.why(reason)),
        Change::PaymentResolved {
            effect,
            outcome,
            witness,
            new_key: _,
            transaction_id,
            amount: _,
            evidence,
            reason,
        } => {
            let by = match witness {
                Witness::Provider => "the provider says",
                Witness::Person => "vouched for",
            };
            let outcome = outcome_as(*outcome, transaction_id);
            let why = format!("{by}: {outcome}; evidence: {evidence}; {reason}");
            (Type::PaymentResolved, of(*effect).why(&why))
        }
        Change::PaymentVerified {
            effect,
            outcome,
            transaction_id,
            amount: _,
        } => {
            let why = format!(
                "the provider says: {}",
                outcome_as(*outcome, transaction_id)
            );
            (Type::PaymentVerified, of(*effect).why(&why))
        }
        Change::Closed { reason } => {
            let reason = enums::close_reason(*reason).as_str_name();
            (Type::Closed, nothing.why(reason))
        }
    }
}

fn outcome_as(outcome: PaymentOutcome, transaction_id: &str) -> String {
    match transaction_id {
        "" => outcome.to_string(),
        transaction_id => format!("{outcome} as {transaction_id}"),
    }
}

/// What a receipt means where it is not simply the payment. Empty where it is.
fn received(amount: &Money, counted: i64, order_after: &Order) -> String {
    if counted == 0 {
        return format!("{amount} arrived that the order does not ask for: it is due to the payer");
    }
    let mut parts = Vec::new();
    if let Some(missing) = order_after.missing() {
        parts.push(format!("{amount} arrived, {missing} is missing"));
    } else if counted < order_after.total.minor {
        parts.push(format!("{amount} arrived and completes the total"));
    }
    if counted < amount.minor {
        let surplus = order_after.money(amount.minor - counted);
        parts.push(format!("{surplus} is too much and due to the payer"));
    }
    parts.join("; ")
}

fn of(effect: Effect) -> Said {
    Said {
        step: Some(effect.step),
        ..Said::default()
    }
}

/// How often a compensation was tried until it was done.
fn attempts(order_after: &Order, effect: Effect) -> u32 {
    let mut entries = order_after.compensations.iter();
    let entry = entries.find(|entry| entry.effect == effect);
    entry.map_or(0, |entry| entry.attempts)
}

impl Said {
    fn why(self, reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
