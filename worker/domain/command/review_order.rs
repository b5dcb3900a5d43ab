//! ReviewOrder: a person approves or rejects an order above the threshold.

use super::{Refusal, content};
use crate::{
    event::{Change, is_named},
    order::Order,
    state::{OrderState, ReviewDecision},
    text,
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
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let Self {
            decision: _,
            reviewer,
            reason,
        } = self;
        content::name("reviewer", reviewer, text::ID_MOST)?;
        if !is_named(reviewer) || text::is_reserved_actor(reviewer) {
            let description = "must name the person who decided";
            return Err(Refusal::invalid("reviewer", description));
        }
        content::words("reason", reason, content::REASON_MOST)
    }

    pub(super) fn change(&self) -> Change {
        Change::Reviewed {
            decision: self.decision,
            reviewer: self.reviewer.clone(),
            reason: self.reason.clone(),
        }
    }
}
