//! Folding in what operators do: a step tried at once, a payment resolved.

use super::{
    command::PaymentOutcome,
    order::Order,
    state::PaymentState,
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

    pub(super) fn resolved(
        &mut self,
        step: Step,
        outcome: PaymentOutcome,
        transaction_id: &str,
        amount: i64,
        now: Timestamp,
    ) {
        match outcome {
            PaymentOutcome::Succeeded => self.happened(step, transaction_id, amount, now),
            PaymentOutcome::NotHappened => self.never_happened(step, now),
        }
        self.retry_now(now);
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
        }
        if self.unknown_payments().is_empty() {
            self.payment.state = match &self.payment {
                payment if payment.refunded > 0 => PaymentState::Refunded,
                payment if payment.captured > 0 && self.ending.is_some() => PaymentState::Refunding,
                payment if payment.captured > 0 => PaymentState::Captured,
                payment if payment.authorized > 0 => PaymentState::Authorized,
                _ => PaymentState::None,
            };
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
}
