//! The moments of an order that people are told about, and who they are.

use super::{
    command::PaymentOutcome,
    event::{Change, Event},
    order::Order,
    state::{CloseReason, ReviewDecision},
    step::Step,
};
use crate::named;

/// A moment of an order. It comes once in an order's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// The order was accepted.
    Received,
    /// The money was taken, or the payment elsewhere confirmed.
    Paid,
    /// The order waits for a review.
    ApprovalNeeded,
    /// A reviewer rejected it.
    ApprovalRejected,
    /// The hold is over, or there was none.
    FulfillmentStarted,
    /// The parcel still waits for the carrier; the how manieth reminder, from 1.
    PickupReminder(u32),
    /// The carrier has fetched the parcel.
    PickedUp,
    /// The parcel was handed over.
    Shipped,
    /// The parcel arrived, or counts as arrived.
    Delivered,
    /// The money was given back.
    Refunded,
    /// The order closed without being fulfilled.
    Cancelled,
}

named! {
    /// Who is told of a milestone.
    Audience {
        /// Whose order it is.
        Customer = "CUSTOMER",
        /// Who decides on large orders.
        Reviewers = "REVIEWERS",
        /// Who has the parcel ready and sees that the carrier fetches it.
        Fulfillment = "FULFILLMENT",
    }
}

impl Milestone {
    /// The milestone that an event is, if it is one. `order` is the order after it.
    pub fn of(event: &Event, order: &Order) -> Option<Milestone> {
        Some(match &event.change {
            Change::Placed { .. } => Self::Received,
            Change::PaymentCaptured { .. } => Self::Paid,
            // A part of the total is no milestone, and neither is a surplus.
            Change::PaymentConfirmed { counted, .. } if *counted > 0 && order.is_paid_outside() => {
                Self::Paid
            }
            Change::ApprovalRequested { .. } => Self::ApprovalNeeded,
            Change::Reviewed {
                decision: ReviewDecision::Reject,
                ..
            } => Self::ApprovalRejected,
            Change::FulfillmentStarted => Self::FulfillmentStarted,
            Change::PickupReminded => Self::PickupReminder(order.shipment.reminders),
            Change::PickedUp { .. } => Self::PickedUp,
            Change::Shipped { .. } => Self::Shipped,
            Change::Delivered => Self::Delivered,
            Change::DeadlinePassed { .. } if order.shipment.delivery_time.is_some() => {
                Self::Delivered
            }
            Change::Compensated { effect, amount, .. }
                if effect.step == Step::RefundPayment && *amount > 0 =>
            {
                Self::Refunded
            }
            Change::PaymentResolved {
                effect,
                outcome: PaymentOutcome::Succeeded,
                ..
            } => return Self::of_money(effect.step, order),
            Change::Closed { reason } if *reason != CloseReason::Completed => Self::Cancelled,
            _ => return None,
        })
    }

    /// What an operator, or the provider that was asked for him, said became of the order's money.
    fn of_money(step: Step, order: &Order) -> Option<Milestone> {
        match step {
            Step::ChargePayment | Step::CapturePayment if order.payment.captured > 0 => {
                Some(Self::Paid)
            }
            Step::RefundPayment if order.payment.refunded > 0 => Some(Self::Refunded),
            _ => None,
        }
    }

    /// The name, unique within the order: with the order's id it is how a receiver tells a
    /// repeated message.
    pub fn name(self) -> String {
        let name = match self {
            Self::Received => "received",
            Self::Paid => "paid",
            Self::ApprovalNeeded => "approval_needed",
            Self::ApprovalRejected => "approval_rejected",
            Self::FulfillmentStarted => "fulfillment_started",
            Self::PickupReminder(count) => return format!("pickup_reminder/{count}"),
            Self::PickedUp => "picked_up",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
        };
        name.to_owned()
    }

    /// Who is told. The customer does not hear of what others have to do.
    pub fn audience(self) -> Audience {
        match self {
            Self::ApprovalNeeded => Audience::Reviewers,
            Self::PickupReminder(_) => Audience::Fulfillment,
            _ => Audience::Customer,
        }
    }
}
