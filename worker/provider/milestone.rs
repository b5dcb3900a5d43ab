//! The moments of an order that people are told about.

use crate::domain::{
    event::{Change, Event},
    order::Order,
    state::{CloseReason, ReviewDecision},
    step::Step,
};

/// A moment of an order. Its name is unique within the order, so that a receiver can tell a
/// repeated message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Milestone(pub String);

/// The milestone that an event is, if it is one. `order` is the order after it.
pub fn of(event: &Event, order: &Order) -> Option<Milestone> {
    let name = match &event.change {
        Change::Placed { .. } => "received",
        Change::PaymentCaptured { .. } | Change::PaymentConfirmed { .. } => "paid",
        Change::ApprovalRequested { .. } => "approval_needed",
        Change::Reviewed {
            decision: ReviewDecision::Reject,
            ..
        } => "approval_rejected",
        Change::FulfillmentStarted => "fulfillment_started",
        Change::PickupReminded => {
            return Some(Milestone(format!(
                "pickup_reminder/{}",
                order.shipment.reminders
            )));
        }
        Change::PickedUp { .. } => "picked_up",
        Change::Shipped { .. } => "shipped",
        Change::Delivered => "delivered",
        Change::DeadlinePassed { .. } if order.shipment.delivery_time.is_some() => "delivered",
        Change::Compensated {
            step: Step::RefundPayment,
            amount,
            ..
        } if *amount > 0 => "refunded",
        Change::Closed { reason } if *reason != CloseReason::Completed => "cancelled",
        _ => return None,
    };
    Some(Milestone(name.to_owned()))
}
