//! ReviewOrder: a person approves or rejects an order above the threshold.

use crate::{
    event::Change,
    order::Order,
    state::{OrderState, ReviewDecision},
};
use serde::{Deserialize, Serialize};

/// A person's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewOrder {
    /// What was decided.
    pub decision: ReviewDecision,
    /// Who decided.
    pub reviewer: String,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
}

pub(super) fn is_allowed(order: &Order) -> bool {
    order.state == OrderState::AwaitingApproval
}

impl ReviewOrder {
    pub(super) fn change(&self) -> Change {
        Change::Reviewed {
            decision: self.decision,
            reviewer: self.reviewer.clone(),
            reason: self.reason.clone(),
        }
    }
}
