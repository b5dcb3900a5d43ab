//! Folding in what operators do: a step tried at once, a payment resolved; and what a provider says of it later.

use super::{
    command::{PaymentOutcome, Witness},
    event::Change,
    order::{Order, Vouched},
    state::{PaymentState, VouchState},
    step::{CompensationOutcome, Step},
};
use jiff::Timestamp;

/// What becomes of a person's word about a payment, once the provider has spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The provider says the same.
    Confirmed,
    /// The provider says the contrary, and too much has happened since: a person has to see to it.
    Kept,
    /// The movement never happened, and the order takes it back: it pays anew, or has nothing to give
    /// back.
    TakenBack,
    /// The movement happened, and the order has to undo it.
    Moved,
}

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

    /// Folds in a [`Change::PaymentVerified`]: what the provider says of a payment that a person vouched for.
    pub(super) fn verified(
        &mut self,
        step: Step,
        outcome: PaymentOutcome,
        transaction_id: &str,
        amount: i64,
        now: Timestamp,
    ) {
        let verdict = self.verdict(step, outcome);
        let mut all = self.vouched.iter_mut();
        let Some(vouched) = all.find(|vouched| vouched.step == step) else {
            return;
        };
        match verdict {
            Verdict::Confirmed => {
                vouched.state = VouchState::Confirmed;
                let id = Some(transaction_id.to_owned());
                vouched.confirmed_id = id.filter(|id| !id.is_empty());
                // What the person gave as the payment's name may be another one.
                if self.payment.transaction_id.as_ref() == Some(&vouched.transaction_id) {
                    self.payment.transaction_id = vouched.confirmed_id.clone();
                }
            }
            Verdict::Kept => vouched.state = VouchState::Contradicted,
            Verdict::TakenBack => {
                self.vouched.retain(|vouched| vouched.step != step);
                self.used_up.push(step);
                self.taken_back(step);
                self.never_happened(step, now);
            }
            Verdict::Moved => {
                self.vouched.retain(|vouched| vouched.step != step);
                self.happened(step, transaction_id, amount, now);
                self.compensate_again(step);
            }
        }
        // What waited because only a person had spoken waits no longer.
        if let Some(fault) = self.fault.as_mut().filter(|fault| fault.refused) {
            fault.refused = false;
            fault.retry_time = now;
        }
    }

    /// What becomes of a person's word when the provider says `outcome`.
    pub fn verdict(&self, step: Step, outcome: PaymentOutcome) -> Verdict {
        let mut vouched = self.vouched.iter();
        let vouched = vouched.find(|vouched| vouched.step == step);
        if vouched.is_none_or(|vouched| vouched.outcome == outcome) {
            return Verdict::Confirmed;
        }
        let undo = step.undone_by();
        let undone = self.compensations.iter();
        let mut undone = undone.filter(|entry| Some(entry.step) == undo);
        match outcome {
            PaymentOutcome::Succeeded if undo.is_some() && self.ending.is_some() => Verdict::Moved,
            // Goods that have left, and money that was given back by hand, cannot be taken back.
            PaymentOutcome::NotHappened
                if undo.is_some()
                    && !self.state.is_closed()
                    && !self.may_be_dispatched()
                    && undone.all(|entry| entry.outcome == CompensationOutcome::Pending) =>
            {
                Verdict::TakenBack
            }
            _ => Verdict::Kept,
        }
    }

    /// The amounts without a movement that never happened.
    fn taken_back(&mut self, step: Step) {
        self.done.retain(|done| *done != step);
        self.payment.captured = 0;
        self.payment.capture_time = None;
        if step != Step::CapturePayment {
            self.payment.authorized = 0;
            self.payment.transaction_id = None;
        }
    }

    /// Has the undoing of `step` done after all: it was taken to be needless.
    fn compensate_again(&mut self, step: Step) {
        let undo = step.undone_by();
        let mut entries = self.compensations.iter_mut();
        let Some(entry) = entries.find(|entry| Some(entry.step) == undo) else {
            return;
        };
        entry.outcome = CompensationOutcome::Pending;
        entry.time = None;
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
