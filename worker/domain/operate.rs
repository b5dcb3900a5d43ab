//! Folding in what operators do: a step tried at once, a payment resolved; and what a provider says of it later.

use super::{
    command::{PaymentOutcome, Witness},
    effect::Effect,
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
        for fault in &mut self.faults {
            fault.retry_time = now;
        }
    }

    /// Folds in a [`Change::PaymentResolved`], which came of a command of `actor`.
    pub(super) fn resolved(&mut self, change: &Change, actor: &str, now: Timestamp) {
        let Change::PaymentResolved {
            effect,
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
        let refused = self.is_refused(*effect);
        match outcome {
            PaymentOutcome::Succeeded => self.happened(*effect, transaction_id, *amount, now),
            PaymentOutcome::NotHappened => self.never_happened(*effect, now),
        }
        if *new_key {
            self.use_up(*effect);
        }
        // Whatever was said of the effect before is settled now.
        self.vouched.retain(|vouched| vouched.effect != *effect);
        if *witness == Witness::Person && (*outcome == PaymentOutcome::Succeeded || !refused) {
            self.vouched.push(Vouched {
                effect: *effect,
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
        effect: Effect,
        outcome: PaymentOutcome,
        transaction_id: &str,
        amount: i64,
        now: Timestamp,
    ) {
        let verdict = self.verdict(effect, outcome);
        let mut all = self.vouched.iter_mut();
        let Some(vouched) = all.find(|vouched| vouched.effect == effect) else {
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
                self.vouched.retain(|vouched| vouched.effect != effect);
                self.taken_back(effect);
                self.never_happened(effect, now);
                self.use_up(effect);
            }
            Verdict::Moved => {
                self.vouched.retain(|vouched| vouched.effect != effect);
                self.happened(effect, transaction_id, amount, now);
                self.compensate_again(effect);
            }
        }
        // What waited because only a person had spoken waits no longer.
        for fault in self.faults.iter_mut().filter(|fault| fault.refused) {
            fault.refused = false;
            fault.retry_time = now;
        }
    }

    /// What becomes of a person's word when the provider says `outcome`.
    pub fn verdict(&self, effect: Effect, outcome: PaymentOutcome) -> Verdict {
        let mut vouched = self.vouched.iter();
        let vouched = vouched.find(|vouched| vouched.effect == effect);
        if vouched.is_none_or(|vouched| vouched.outcome == outcome) {
            return Verdict::Confirmed;
        }
        let can_be_undone = effect.step.undone_by().is_some();
        let undone = self.compensation_of(effect);
        match outcome {
            PaymentOutcome::Succeeded if can_be_undone && self.ending.is_some() => Verdict::Moved,
            // Goods that have left, and money that was given back by hand, cannot be taken back.
            PaymentOutcome::NotHappened
                if can_be_undone
                    && !self.state.is_closed()
                    && !self.may_be_dispatched()
                    && undone.is_none_or(|entry| entry.outcome == CompensationOutcome::Pending) =>
            {
                Verdict::TakenBack
            }
            _ => Verdict::Kept,
        }
    }

    /// The amounts without a movement that never happened.
    fn taken_back(&mut self, effect: Effect) {
        self.done.retain(|done| *done != effect);
        self.payment.captured = 0;
        self.payment.capture_time = None;
        if effect.step != Step::CapturePayment {
            self.payment.authorized = 0;
            self.payment.transaction_id = None;
        }
    }

    /// Nothing can come of an effect any more: its step continues with the next number. The failures stay counted.
    fn use_up(&mut self, effect: Effect) {
        self.used_up.push(effect);
        let next = self.effect(effect.step);
        if let Some(fault) = self.fault_mut(effect) {
            fault.effect = next;
        }
        if let Some(entry) = self.compensation_mut(effect) {
            entry.effect = next;
        }
    }

    /// Has an effect undone after all: that was taken to be needless.
    fn compensate_again(&mut self, effect: Effect) {
        let Some(entry) = self.compensation_of(effect).cloned() else {
            let step = effect.step.undone_by();
            let entry = step.map(|step| self.compensation(step, effect));
            self.compensations.extend(entry);
            return;
        };
        // One that was asked for may have had its outcome: what is due now is another effect.
        if entry.outcome != CompensationOutcome::Pending && entry.attempts > 0 {
            self.use_up(entry.effect);
        }
        let mut entries = self.compensations.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.undoes == effect) {
            entry.outcome = CompensationOutcome::Pending;
            entry.time = None;
        }
    }

    /// As if the provider had answered.
    fn happened(&mut self, effect: Effect, transaction_id: &str, amount: i64, now: Timestamp) {
        match effect.step {
            Step::RefundPayment | Step::VoidAuthorization => {
                self.undone(effect, CompensationOutcome::Done, amount, now);
            }
            Step::AuthorizePayment => {
                self.payment.state = PaymentState::Authorized;
                self.payment.transaction_id = Some(transaction_id.to_owned());
                self.payment.authorized = amount;
                self.succeeded(effect);
            }
            _ => {
                self.payment.authorized = self.payment.authorized.max(amount);
                self.captured(effect, transaction_id, amount, now);
                if self.ending.is_some() {
                    self.payment.state = PaymentState::Refunding;
                }
            }
        }
    }

    /// Forward, and undoing, it is tried anew. What is not there need not be undone.
    fn never_happened(&mut self, effect: Effect, now: Timestamp) {
        self.unknown.retain(|unknown| *unknown != effect);
        if let Some(fault) = self.fault_mut(effect) {
            fault.unknown = false;
            fault.refused = false;
        }
        if self.unknown_payments().is_empty() {
            self.payment.state = self.known_payment_state();
        }
        if let Some(undo) = self.compensation_of(effect).map(|entry| entry.effect) {
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
