//! ConfirmPickup: the carrier has fetched the parcel.

use crate::domain::{event::Change, order::Order, state::OrderState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the carrier's driver confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmPickup {
    /// The number on the parcel; none keeps the carrier's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
}

/// Once the money is there: a parcel must not leave before the capture that its policy asks for.
pub(super) fn is_allowed(order: &Order) -> bool {
    order.state == OrderState::InFulfillment
        && order.policy.pickup_reminder.is_some()
        && order.payment.captured > 0
}

impl ConfirmPickup {
    pub(super) fn change(&self, order: &Order, now: Timestamp) -> Change {
        Change::PickedUp {
            tracking_number: self.tracking_number.clone(),
            estimated_delivery_time: order.estimated_delivery(now),
        }
    }
}
