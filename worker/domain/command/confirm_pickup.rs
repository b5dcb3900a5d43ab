//! ConfirmPickup: the carrier has fetched the parcel.

use super::{Refusal, content};
use crate::{event::Change, order::Order, state::OrderState, step::Step, text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the carrier's driver confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmPickup {
    /// The number on the parcel; none keeps the carrier's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
}

/// Once the carrier was asked to fetch the parcel, whether or not it has answered, and only while it
/// knows the newest address. (It is asked after the capture, so no parcel leaves unpaid.)
pub(super) fn is_allowed(order: &Order) -> bool {
    waits(order) && order.pickup_was_requested() && !order.shipment.redirect_due
}

/// Why an order that waits for its pickup does not take the confirmation yet; none where the order
/// does not wait for a pickup at all.
pub(super) fn why_not(order: &Order) -> Option<&'static str> {
    if !waits(order) {
        return None;
    }
    if !order.pickup_was_requested() {
        return Some("the carrier was not asked for the pickup yet; send it again in a moment");
    }
    let due = order.shipment.redirect_due;
    due.then_some("the carrier is still being told the new address; send it again in a moment")
}

fn waits(order: &Order) -> bool {
    order.state == OrderState::InFulfillment && order.policy.pickup_reminder.is_some()
}

impl Order {
    /// Whether a van may be on its way, to the address that the order had when the carrier was asked. A
    /// request that failed counts: the carrier may know better than its answer said, and the confirmed
    /// pickup is then the end of asking.
    pub(crate) fn pickup_was_requested(&self) -> bool {
        let mut failed = self.faults.iter().map(|fault| fault.effect.step);
        self.has_done(Step::RequestPickup)
            || self.is_unknown(Step::RequestPickup)
            || failed.any(|step| step == Step::RequestPickup)
    }
}

impl ConfirmPickup {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        match &self.tracking_number {
            Some(number) => content::name("tracking_number", number, text::SHORT_MOST),
            None => Ok(()),
        }
    }

    pub(super) fn change(&self, order: &Order, now: Timestamp) -> Change {
        Change::PickedUp {
            tracking_number: self.tracking_number.clone(),
            estimated_delivery_time: order.estimated_delivery(now),
        }
    }
}
