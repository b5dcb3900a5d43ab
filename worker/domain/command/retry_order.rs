//! RetryOrder: an operator has what the order itself would do later tried at once.

use super::{Refusal, content};
use crate::{event::Change, order::Order, phase};
use serde::{Deserialize, Serialize};

/// Why it is to be tried now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryOrder {
    /// In the operator's words.
    #[serde(default)]
    pub reason: String,
}

/// Whenever the order is to go on by itself, also where nothing has failed yet: its workflow may be
/// what is missing; and while the provider is to be asked about what a person vouched for. Otherwise not while it
/// waits for a command, nor once it has closed and nothing is due.
pub(super) fn is_allowed(order: &Order) -> bool {
    let doubtful = !order.is_over() && order.to_verify().next().is_some();
    doubtful || phase::todo(order, order.update_time).is_work()
}

impl RetryOrder {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        content::required_words("reason", &self.reason, content::REASON_MOST)
    }

    pub(super) fn change(&self) -> Change {
        Change::RetryRequested {
            reason: self.reason.clone(),
        }
    }
}
