//! CancelOrder: undo the order, until the policy's cut-off.

use super::{Refusal, content, is_moving_forward};
use crate::{event::Change, order::Order, policy::CancelCutoff, state::OrderState};
use serde::{Deserialize, Serialize};

/// Why the order is to be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelOrder {
    /// In the caller's words.
    #[serde(default)]
    pub reason: String,
}

pub(super) fn is_allowed(order: &Order) -> bool {
    if !is_moving_forward(order) {
        return false;
    }
    match order.policy.cancel_until {
        CancelCutoff::Fulfillment => !matches!(
            order.state,
            OrderState::InFulfillment | OrderState::InTransit
        ),
        CancelCutoff::Dispatch => !order.may_be_dispatched(),
    }
}

impl CancelOrder {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        content::words("reason", &self.reason, content::REASON_MOST)
    }

    pub(super) fn change(&self) -> Change {
        Change::CancelRequested {
            reason: self.reason.clone(),
        }
    }
}
