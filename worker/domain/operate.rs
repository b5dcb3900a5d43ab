//! Folding in what operators do: a step tried at once, a payment resolved; and what a provider says of it later.

use super::{
    command::{PaymentOutcome, Witness},
    event::Change,
    order::{Order, Vouched},
    state::{PaymentState, VouchState},
    step::{CompensationOutcome, Step},
};
use jiff::Timestamp;

impl Order {
    /// What waits after a failure waits no longer. The failures stay counted: if it fails again, the
    /// next wait is as long as it would have been.
    pub(super) fn retry_now(&mut self, now: Timestamp) {
        if let Some(fault) = &mut self.fault {
            fault.retry_time = now;
        }
    }

    /// Folds in a [`Change::PaymentResolved`], which came of a command of `actor`.
    pub(super) fn resolved(&mut self, change: &Change, actor: &str, now: Timestamp) {
        let Change::PaymentResolved {
            step,
            outcome,
            witness,
            new_key,
            transaction_id,
            amount,
            ..
        } = change
        else {
            return;
        };
        let refused = self.refused_payment() == Some(*step);
        match outcome {
            PaymentOutcome::Succeeded => self.happened(*step, transaction_id, *amount, now),
            PaymentOutcome::NotHappened => self.never_happened(*step, now),
        }
        if *new_key {
            self.used_up.push(*step);
        }
        // Whatever was said of the step before is settled now.
        self.vouched.retain(|vouched| vouched.step != *step);
        if *witness == Witness::Person && (*outcome == PaymentOutcome::Succeeded || !refused) {
            self.vouched.push(Vouched {
                step: *step,
                outcome: *outcome,
                transaction_id: transaction_id.clone(),
                actor: actor.to_owned(),
                time: now,
                state: if refused {
                    VouchState::ByHand
                } else {
                    VouchState::Unconfirmed
                },
                confirmed_id: None,
            });
        }
        self.retry_now(now);
    }

    /// The provider has said what it knows of a payment that a person vouched for.
    pub(super) fn verified(&mut self, step: Step, outcome: PaymentOutcome, transaction_id: &str) {
        let mut vouched = self.vouched.iter_mut();
        let Some(vouched) = vouched.find(|vouched| vouched.step == step) else {
            return;
        };
        if vouched.outcome == outcome {
            vouched.state = VouchState::Confirmed;
            let id = Some(transaction_id.to_owned());
            vouched.confirmed_id = id.filter(|id| !id.is_empty());
            // What the person gave as the payment's name may be another one.
            if self.payment.transaction_id.as_ref() == Some(&vouched.transaction_id) {
                self.payment.transaction_id = vouched.confirmed_id.clone();
            }
        } else {
            vouched.state = VouchState::Contradicted;
        }
    }

    /// As if the provider had answered.
    fn happened(&mut self, step: Step, transaction_id: &str, amount: i64, now: Timestamp) {
        match step {
            Step::RefundPayment | Step::VoidAuthorization => {
                self.undone(step, CompensationOutcome::Done, amount, now);
            }
            Step::AuthorizePayment => {
                self.payment.state = PaymentState::Authorized;
                self.payment.transaction_id = Some(transaction_id.to_owned());
                self.payment.authorized = amount;
                self.succeeded(step);
            }
            _ => {
                self.payment.authorized = self.payment.authorized.max(amount);
                self.captured(step, transaction_id, amount, now);
                if self.ending.is_some() {
                    self.payment.state = PaymentState::Refunding;
                }
            }
        }
    }

    /// Forward, and undoing, it is tried anew. What is not there need not be undone.
    fn never_happened(&mut self, step: Step, now: Timestamp) {
        self.unknown.retain(|unknown| *unknown != step);
        if let Some(fault) = self.fault.as_mut().filter(|fault| fault.step == step) {
            fault.unknown = false;
            fault.refused = false;
        }
        if self.unknown_payments().is_empty() {
            self.payment.state = self.known_payment_state();
        }
        let Some(undo) = step.undone_by().filter(|_| self.ending.is_some()) else {
            return;
        };
        let steps = self.done.iter().chain(&self.unknown);
        if steps
            .into_iter()
            .all(|other| other.undone_by() != Some(undo))
        {
            self.undone(undo, CompensationOutcome::NotNeeded, 0, now);
        }
    }

    /// Where the payment stands by its amounts, when no answer is missing.
    pub(super) fn known_payment_state(&self) -> PaymentState {
        match &self.payment {
            payment if payment.refunded > 0 => PaymentState::Refunded,
            payment if payment.captured > 0 && self.ending.is_some() => PaymentState::Refunding,
            payment if payment.captured > 0 => PaymentState::Captured,
            payment if payment.authorized > 0 => PaymentState::Authorized,
            _ => PaymentState::None,
        }
    }
}
