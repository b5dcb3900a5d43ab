//! ResolvePayment: an operator says what became of a payment whose answer was lost.

use super::Refusal;
use crate::domain::{event::Change, order::Order, state::named, step::Step};
use serde::{Deserialize, Serialize};

named! {
    /// What became of a movement of money.
    PaymentOutcome {
        /// The money moved.
        Succeeded = "SUCCEEDED",
        /// It did not, and never will.
        NotHappened = "NOT_HAPPENED",
    }
}

/// What became of a payment, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvePayment {
    /// Which payment step.
    pub step: Step,
    /// What became of it.
    pub outcome: PaymentOutcome,
    /// The provider's name for the movement; empty when it did not happen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transaction_id: String,
    /// Where that stands: the provider's statement, a ticket.
    #[serde(default)]
    pub evidence: String,
    /// In the operator's words.
    #[serde(default)]
    pub reason: String,
}

pub(super) fn is_allowed(order: &Order) -> bool {
    !order.unknown_payments().is_empty()
}

impl ResolvePayment {
    pub(super) fn decide(&self, order: &Order) -> Result<Change, Refusal> {
        let unknown = order.unknown_payments();
        if !unknown.contains(&self.step) {
            let names: Vec<&str> = unknown.iter().map(|step| step.as_str()).collect();
            return Err(Refusal::PaymentKnown {
                step: self.step,
                known: format!("unknown is what became of {}", names.join(" and ")),
            });
        }
        Ok(Change::PaymentResolved {
            step: self.step,
            outcome: self.outcome,
            transaction_id: self.transaction_id.clone(),
            amount: match self.outcome {
                PaymentOutcome::Succeeded => amount(order, self.step),
                PaymentOutcome::NotHappened => 0,
            },
            evidence: self.evidence.clone(),
            reason: self.reason.clone(),
        })
    }
}

/// What the step moves. Undoing a payment whose own answer was lost gives back the whole of it.
fn amount(order: &Order, step: Step) -> i64 {
    let known = match step {
        Step::RefundPayment => order.payment.captured - order.payment.refunded,
        Step::VoidAuthorization => order.payment.authorized,
        _ => 0,
    };
    match known {
        0 => order.total.minor,
        known => known,
    }
}
