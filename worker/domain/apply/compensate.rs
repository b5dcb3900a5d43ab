//! Folding in the end of an order, and what is undone for it.

use crate::{
    command::PaymentOutcome,
    effect::Effect,
    order::Order,
    state::{CloseReason, OrderState, PaymentState, ReservationState, ShipmentState},
    step::{Compensation, CompensationOutcome, Step},
};
use jiff::Timestamp;

impl Order {
    /// Turns the order round: from here on it is undone, newest step first.
    pub(super) fn end(&mut self, reason: CloseReason) {
        self.state = OrderState::Cancelling;
        self.ending = Some(reason);
        self.deadlines.clear();
        self.faults.clear();
        self.compensations = self.compensation_plan();
        // Its answer comes too late to count: what it was is asked by its key when it is undone.
        let late = self.in_flight.take();
        if let Some(effect) = late.filter(|effect| !self.unknown.contains(effect)) {
            self.unknown.push(effect);
            self.payment.state = PaymentState::Indeterminate;
        }
        if self.payment.captured > 0 {
            self.payment.state = PaymentState::Refunding;
        } else if self.payment.state == PaymentState::Pending {
            self.payment.state = PaymentState::None;
        }
    }

    /// An attempt at a compensation had its outcome.
    pub(super) fn compensated(
        &mut self,
        effect: Effect,
        outcome: CompensationOutcome,
        amount: i64,
        now: Timestamp,
    ) {
        if let Some(entry) = self.compensation_mut(effect) {
            entry.attempts += 1;
        }
        self.undone(effect, outcome, amount, now);
    }

    /// The compensation that an effect is.
    pub(crate) fn compensation_mut(&mut self, effect: Effect) -> Option<&mut Compensation> {
        let mut all = self.compensations.iter_mut();
        all.find(|entry| entry.effect == effect)
    }

    /// A compensation has its outcome.
    pub(crate) fn undone(
        &mut self,
        effect: Effect,
        outcome: CompensationOutcome,
        amount: i64,
        now: Timestamp,
    ) {
        let done = outcome == CompensationOutcome::Done;
        let mut undone = None;
        if let Some(entry) = self.compensation_mut(effect) {
            entry.outcome = outcome;
            entry.time = Some(now);
            undone = Some(entry.undoes).filter(|_| done);
        }
        // A person who said that this had never happened is answered.
        self.vouched.retain(|vouched| {
            Some(vouched.effect) != undone || vouched.outcome == PaymentOutcome::Succeeded
        });
        self.succeeded(effect);
        match effect.step {
            Step::RefundPayment if done => {
                // The refund of a capture whose answer was lost shows that it had happened.
                self.payment.captured = self.payment.captured.max(amount);
                self.payment.authorized = self.payment.authorized.max(amount);
                self.payment.refunded = amount;
                self.payment.state = PaymentState::Refunded;
            }
            Step::VoidAuthorization if done => {
                self.payment.authorized = self.payment.authorized.max(amount);
                self.payment.state = PaymentState::Voided;
            }
            Step::RefundPayment | Step::VoidAuthorization
                if self.payment.state == PaymentState::Indeterminate =>
            {
                self.payment.state = match &self.payment {
                    payment if payment.refunded > 0 => PaymentState::Refunded,
                    payment if payment.authorized > 0 => PaymentState::Authorized,
                    _ => PaymentState::None,
                };
            }
            Step::ReleaseReservation if done => self.reservation.state = ReservationState::Released,
            Step::CancelShipment if done => self.shipment.state = ShipmentState::Cancelled,
            _ => {}
        }
    }
}
