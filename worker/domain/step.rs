//! The steps of the order process: the kinds of provider calls.

use super::effect::Effect;
use super::policy::{Policy, RetryPolicy};
use super::state::CloseReason;
use crate::named;
use serde::{Deserialize, Serialize};
use std::time::Duration;

named! {
    /// One kind of provider call of the order process. The name is also the activity's name in Temporal,
    /// and part of the key of each [`Effect`] of that kind.
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
        /// Make the package ready (policy `LANE`).
        PreparePackage = "prepare_package",
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

/// The shortest wait between two attempts of what goes on although somebody was asked for attention.
pub const PATIENT_WAIT: Duration = Duration::from_secs(1);

/// The longest wait between two attempts of what is never given up.
pub const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// The wait after a provider refused for good to give money back. It may think better of it, but a person is asked
/// meanwhile.
pub const REFUSED_WAIT: Duration = Duration::from_secs(3600);

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
            Self::PreparePackage | Self::RequestPickup => Some(Self::CancelShipment),
            _ => None,
        }
    }

    /// Whether the step gets the parcel to the carrier: what the shipping lane does.
    pub fn is_shipping(self) -> bool {
        matches!(
            self,
            Self::PreparePackage
                | Self::RequestPickup
                | Self::RedirectShipment
                | Self::DispatchShipment
        )
    }

    /// How failed attempts of this step are repeated.
    pub fn retry(self, policy: &Policy) -> &RetryPolicy {
        let own = match self {
            _ if self.is_payment() => &policy.payment_retry,
            _ if self.is_shipping() => &policy.shipping_retry,
            _ => &None,
        };
        own.as_ref().unwrap_or(&policy.retry)
    }

    /// The wait after `attempts` failed ones (1 or more).
    ///
    /// What is never given up is repeated for ever, but not for ever as quickly. Undoing, once somebody
    /// was asked for attention, and a parcel that the carrier may have, once the attempts of the policy
    /// are used up: the waits double up to [`LONGEST_WAIT`]. What the policy itself repeats without
    /// limit: at least [`PATIENT_WAIT`] once somebody was asked.
    pub fn wait_after(self, policy: &Policy, attempts: u32) -> Duration {
        let retry = self.retry(policy);
        let wait = retry.wait_after(attempts);
        let patient = match retry.max_attempts {
            _ if self.is_compensation() => policy.attention_after,
            0 if attempts >= policy.attention_after => return wait.max(PATIENT_WAIT),
            0 => return wait,
            attempts => attempts,
        };
        let Some(over) = attempts.checked_sub(patient) else {
            return wait;
        };
        let slower = PATIENT_WAIT.saturating_mul(1 << over.min(16));
        wait.max(slower.min(LONGEST_WAIT))
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

/// The compensation of one effect, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compensation {
    /// The effect that undoes.
    pub effect: Effect,
    /// The effect that is undone. Of a package that was prepared and asked to be fetched, the request.
    pub undoes: Effect,
    /// What that is about: a reservation, payment or shipment id.
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
