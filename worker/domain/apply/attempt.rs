//! Folding in what became of an attempt at an effect.

use crate::{
    command::PaymentOutcome,
    effect::Effect,
    later::later,
    order::{Fault, Order},
    state::{CloseReason, PaymentState},
    step::{REFUSED_WAIT, Step},
};
use jiff::Timestamp;

impl Order {
    /// An effect was had: nothing about it is open any more.
    pub(crate) fn succeeded(&mut self, effect: Effect) {
        self.faults.retain(|fault| fault.effect != effect);
        self.unknown.retain(|unknown| *unknown != effect);
        // A person who said that it had not happened is answered.
        self.vouched.retain(|vouched| {
            vouched.effect != effect || vouched.outcome == PaymentOutcome::Succeeded
        });
        self.in_flight = self.in_flight.filter(|asked| *asked != effect);
        if effect.step.undone_by().is_some() && !self.done.contains(&effect) {
            self.done.push(effect);
        }
    }

    /// A provider refused, and the order ends.
    pub(super) fn refused(&mut self, effect: Effect, reason: CloseReason) {
        self.unknown.retain(|unknown| *unknown != effect);
        self.end(reason);
    }

    /// An attempt at an effect failed.
    pub(super) fn failed(
        &mut self,
        effect: Effect,
        error: &str,
        unknown: bool,
        refused: bool,
        now: Timestamp,
    ) {
        let step = effect.step;
        let (attempts, since, before_unknown) = match self.fault_of(effect) {
            Some(fault) => (fault.attempts + 1, fault.since, fault.unknown),
            None => (1, now, false),
        };
        let lasting = step.undone_by().is_some() || step == Step::DispatchShipment;
        if unknown && lasting && !self.unknown.contains(&effect) {
            self.unknown.push(effect);
        }
        self.in_flight = self.in_flight.filter(|asked| *asked != effect);
        if unknown && step.is_payment() {
            self.payment.state = PaymentState::Indeterminate;
        } else if step.is_payment() && self.payment.state == PaymentState::Pending {
            self.payment.state = PaymentState::None;
        }
        // A refusal says nothing of an earlier attempt whose own answer was lost ("given back already", say):
        // the provider is asked what became of that one, before a person is.
        let refused = refused && !before_unknown;
        if let Some(entry) = self.compensation_mut(effect) {
            entry.attempts += 1;
        }
        let retry = step.retry(&self.policy);
        // Undoing is never given up, and what the carrier (perhaps) has cannot be called back.
        let must_go_on = step.is_compensation() || self.may_be_dispatched();
        if retry.is_exhausted(attempts) && !must_go_on {
            self.end(step.exhausted_reason());
            return;
        }
        let wait = if refused {
            REFUSED_WAIT
        } else {
            step.wait_after(&self.policy, attempts)
        };
        let fault = Fault {
            effect,
            attempts,
            last_error: error.to_owned(),
            since,
            retry_time: later(now, wait),
            unknown: unknown || before_unknown,
            refused,
        };
        match self.fault_mut(effect) {
            Some(before) => *before = fault,
            None => self.faults.push(fault),
        }
    }
}
