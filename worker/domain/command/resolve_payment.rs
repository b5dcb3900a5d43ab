//! ResolvePayment: an operator settles a payment whose answer was lost, or that the provider refuses to give back.
//!
//! The provider is asked before an operator is believed. What is decided here is what would be recorded if the
//! operator were the only witness: the activity replaces it by the provider's answer where there is one.

use super::{Refusal, content};
use crate::{event::Change, named, order::Order, step::Step, text};
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

named! {
    /// Who says what became of a movement of money.
    Witness {
        /// The provider that was asked for it.
        Provider = "PROVIDER",
        /// A person, who vouches for it with a name and with evidence.
        Person = "PERSON",
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
    !order.payments_to_resolve().is_empty()
}

impl ResolvePayment {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let Self {
            step,
            outcome,
            transaction_id,
            evidence,
            reason,
        } = self;
        if !step.is_payment() {
            return Err(Refusal::invalid("step", "must be a step that moves money"));
        }
        match outcome {
            PaymentOutcome::Succeeded => {
                content::name("transaction_id", transaction_id, text::ID_MOST)?;
            }
            PaymentOutcome::NotHappened if transaction_id.is_empty() => {}
            PaymentOutcome::NotHappened => {
                let description = "must be empty for a payment that did not happen";
                return Err(Refusal::invalid("transaction_id", description));
            }
        }
        content::required_words("evidence", evidence, content::REASON_MOST)?;
        content::required_words("reason", reason, content::REASON_MOST)
    }

    pub(super) fn decide(&self, order: &Order) -> Result<Change, Refusal> {
        let open = order.payments_to_resolve();
        let mut meant = open.iter().copied();
        let Some(effect) = meant.find(|effect| effect.step == self.step) else {
            let names: Vec<&str> = open.iter().map(|effect| effect.step.as_str()).collect();
            return Err(Refusal::PaymentKnown {
                step: self.step,
                known: format!("what is to be resolved is {}", names.join(" and ")),
            });
        };
        let happened = self.outcome == PaymentOutcome::Succeeded;
        Ok(Change::PaymentResolved {
            effect,
            outcome: self.outcome,
            witness: Witness::Person,
            // The provider's refusal under the old key is final.
            new_key: !happened && order.is_refused(effect),
            transaction_id: self.transaction_id.clone(),
            amount: if happened {
                amount(order, self.step)
            } else {
                0
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
