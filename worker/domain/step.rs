//! The steps of the order process: each is one call of a provider.

use super::policy::{Policy, RetryPolicy};
use super::state::{CloseReason, named};
use serde::{Deserialize, Serialize};

named! {
    /// One provider call of the order process. The name is also the activity's name in Temporal,
    /// and part of the key that the provider sees (`order_id/step`).
    Step {
        /// Ask the fraud check.
        Screen = "screen_order",
        /// Reserve the stock of every line item.
        ReserveInventory = "reserve_inventory",
        /// Have the amount held.
        AuthorizePayment = "authorize_payment",
        /// Take the authorized amount.
        CapturePayment = "capture_payment",
        /// Take the amount at once (policy `SALE`).
        ChargePayment = "charge_payment",
        /// Create the shipment and ask the carrier to fetch it.
        RequestPickup = "request_pickup",
        /// Tell the carrier an address that changed after the pickup was requested.
        RedirectShipment = "redirect_shipment",
        /// Hand the parcel to the carrier; from here on nothing can be called back.
        DispatchShipment = "dispatch_shipment",
        /// Take what was dispatched out of the stock.
        CommitReservation = "commit_reservation",
        /// Undo: call the pickup off.
        CancelShipment = "cancel_shipment",
        /// Undo: give the captured amount back.
        RefundPayment = "refund_payment",
        /// Undo: give the authorization back.
        VoidAuthorization = "void_authorization",
        /// Undo: give the reserved stock back.
        ReleaseReservation = "release_reservation",
    }
}

impl Step {
    /// Whether the step undoes another one. Undoing is never fenced off and never given up.
    pub fn is_compensation(self) -> bool {
        matches!(
            self,
            Self::CancelShipment
                | Self::RefundPayment
                | Self::VoidAuthorization
                | Self::ReleaseReservation
        )
    }

    /// Whether the step moves money.
    pub fn is_payment(self) -> bool {
        matches!(
            self,
            Self::AuthorizePayment
                | Self::CapturePayment
                | Self::ChargePayment
                | Self::RefundPayment
                | Self::VoidAuthorization
        )
    }

    /// The step that undoes this one; none where there is nothing to undo.
    pub fn undone_by(self) -> Option<Step> {
        match self {
            Self::ReserveInventory => Some(Self::ReleaseReservation),
            Self::AuthorizePayment => Some(Self::VoidAuthorization),
            Self::CapturePayment | Self::ChargePayment => Some(Self::RefundPayment),
            Self::RequestPickup => Some(Self::CancelShipment),
            _ => None,
        }
    }

    /// How failed attempts of this step are repeated.
    pub fn retry(self, policy: &Policy) -> &RetryPolicy {
        match &policy.payment_retry {
            Some(retry) if self.is_payment() => retry,
            _ => &policy.retry,
        }
    }

    /// How the order ends when the attempts of this forward step are used up.
    pub fn exhausted_reason(self) -> CloseReason {
        if self.is_payment() {
            CloseReason::PaymentFailed
        } else {
            CloseReason::FulfillmentFailed
        }
    }
}

/// One thing to undo, and how far that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compensation {
    /// The undoing step.
    pub step: Step,
    /// What it undoes: a reservation, payment or shipment id.
    pub resource: String,
    /// How often the provider was asked.
    pub attempts: u32,
    /// How far it is.
    pub outcome: CompensationOutcome,
    /// When the outcome was reached.
    pub time: Option<jiff::Timestamp>,
}

named! {
    /// How far a compensation is.
    CompensationOutcome {
        /// Still to do.
        Pending = "PENDING",
        /// Undone.
        Done = "DONE",
        /// The step had never happened (its answer was lost before it did).
        NotNeeded = "NOT_NEEDED",
    }
}
