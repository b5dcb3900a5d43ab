//! Events: in histories as the answers of activities, and in the table `order_events`.

use super::{
    orders::{address, money, new_order, second},
    sample::{Sample, time},
};
use orders_domain::{
    command::{PaymentOutcome, Witness},
    effect::Effect,
    event::{Change, Event},
    payment_method::PaymentMethodType,
    state::{CloseReason, DeadlineKind, ReviewDecision},
    step::{CompensationOutcome, Step},
};

/// One of each change.
pub fn samples() -> Vec<Sample> {
    changes().into_iter().map(of_change).collect()
}

fn of_change(change: Change) -> Sample {
    let name = change.type_name().to_lowercase().replace('_', "-");
    Sample::new(format!("event-{name}"), event(change))
}

pub fn event(change: Change) -> Event {
    Event {
        revision: 2,
        time: time(1),
        actor: "ada".to_owned(),
        request_id: Some("request-1".to_owned()),
        change,
    }
}

/// Every change that there is, each made from the one before: a new one does not compile until it
/// has its place in the row.
fn changes() -> Vec<Change> {
    let first = Change::Placed {
        order: Box::new(new_order()),
    };
    std::iter::successors(Some(first), after).collect()
}

fn after(change: &Change) -> Option<Change> {
    let text = |text: &str| text.to_owned();
    Some(match change {
        Change::Placed { .. } => Change::Screened {
            effect: Effect::first(Step::Screen),
        },
        Change::Screened { .. } => Change::FraudDetected {
            effect: Effect::first(Step::Screen),
            reason: text("a known fraud"),
        },
        Change::FraudDetected { .. } => Change::InventoryReserved {
            effect: Effect::first(Step::ReserveInventory),
            reservation_id: text("res-1"),
        },
        Change::InventoryReserved { .. } => Change::OutOfStock {
            effect: Effect::first(Step::ReserveInventory),
            reason: text("sku-1: 1 of 2"),
        },
        Change::OutOfStock { .. } => Change::PaymentRequested {
            expire_time: time(60),
        },
        Change::PaymentRequested { .. } => Change::PaymentConfirmed {
            transaction_id: text("txn-1"),
            amount: money(),
            counted: money().minor,
            payment_method: PaymentMethodType::BankTransfer,
            last4: text("4242"),
        },
        Change::PaymentConfirmed { .. } => Change::PaymentRefused {
            transaction_id: text("txn-1"),
            amount: money(),
            reason: text("it belongs to another payment"),
            other_order_id: Some(text("order-2")),
        },
        Change::PaymentRefused { .. } => Change::PaymentDisputed {
            transaction_id: text("txn-1"),
            other_order_id: text("order-2"),
        },
        Change::PaymentDisputed { .. } => Change::PaymentInitiated {
            effect: Effect::first(Step::CapturePayment),
        },
        Change::PaymentInitiated { .. } => Change::PaymentAuthorized {
            effect: Effect::first(Step::AuthorizePayment),
            transaction_id: text("txn-1"),
            amount: 3998,
        },
        Change::PaymentAuthorized { .. } => Change::PaymentCaptured {
            effect: Effect::first(Step::CapturePayment),
            transaction_id: text("txn-1"),
            amount: 3998,
        },
        Change::PaymentCaptured { .. } => Change::PaymentDeclined {
            effect: Effect::first(Step::CapturePayment),
            reason: text("declined"),
        },
        Change::PaymentDeclined { .. } => Change::AttemptFailed {
            effect: second(Step::ChargePayment),
            attempt: 2,
            error: text("no answer"),
            unknown: true,
            refused: true,
        },
        Change::AttemptFailed { .. } => Change::ApprovalRequested {
            expire_time: time(60),
        },
        Change::ApprovalRequested { .. } => Change::Reviewed {
            decision: ReviewDecision::Reject,
            reviewer: text("admin@example.com"),
            reason: text("too much"),
        },
        Change::Reviewed { .. } => Change::Held {
            expire_time: time(60),
        },
        Change::Held { .. } => Change::FulfillmentStarted,
        Change::FulfillmentStarted => Change::PackagePrepared {
            effect: Effect::first(Step::PreparePackage),
            shipment_id: text("ship-1"),
            carrier: text("carrier-1"),
            tracking_number: text("TRACK-1"),
        },
        Change::PackagePrepared { .. } => Change::PickupRequested {
            effect: Effect::first(Step::RequestPickup),
            shipment_id: text("ship-1"),
            carrier: text("carrier-1"),
            tracking_number: text("TRACK-1"),
        },
        Change::PickupRequested { .. } => Change::PickupReminded,
        Change::PickupReminded => Change::PickedUp {
            tracking_number: Some(text("TRACK-2")),
            estimated_delivery_time: time(90),
        },
        Change::PickedUp { .. } => Change::Shipped {
            effect: Effect::first(Step::DispatchShipment),
            shipment_id: text("ship-1"),
            carrier: text("carrier-1"),
            tracking_number: text("TRACK-1"),
            estimated_delivery_time: time(90),
        },
        Change::Shipped { .. } => Change::ReservationCommitted {
            effect: Effect::first(Step::CommitReservation),
        },
        Change::ReservationCommitted { .. } => {
            Change::ShippingAddressUpdated { address: address() }
        }
        Change::ShippingAddressUpdated { .. } => Change::ShipmentRedirected {
            effect: second(Step::RedirectShipment),
        },
        Change::ShipmentRedirected { .. } => Change::Delivered,
        Change::Delivered => Change::CancelRequested {
            reason: text("changed my mind"),
        },
        Change::CancelRequested { .. } => Change::DeadlinePassed {
            kind: DeadlineKind::Release,
        },
        Change::DeadlinePassed { .. } => Change::Compensated {
            effect: second(Step::RefundPayment),
            outcome: CompensationOutcome::Done,
            amount: 3998,
        },
        Change::Compensated { .. } => Change::CommandRefused {
            command: text("CANCEL_ORDER"),
            reason: text("not any more"),
        },
        Change::CommandRefused { .. } => Change::RetryRequested {
            reason: text("the bank is back"),
        },
        Change::RetryRequested { .. } => Change::PaymentResolved {
            effect: Effect::first(Step::ChargePayment),
            outcome: PaymentOutcome::Succeeded,
            witness: Witness::Person,
            new_key: true,
            transaction_id: text("txn-1"),
            amount: 3998,
            evidence: text("the bank's statement"),
            reason: text("asked by telephone"),
        },
        Change::PaymentResolved { .. } => Change::PaymentVerified {
            effect: Effect::first(Step::ChargePayment),
            outcome: PaymentOutcome::Succeeded,
            transaction_id: text("txn-1"),
            amount: 3998,
        },
        Change::PaymentVerified { .. } => Change::Closed {
            reason: CloseReason::CustomerCancelled,
        },
        Change::Closed { .. } => return None,
    })
}
