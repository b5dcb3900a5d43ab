//! Folding in money that was taken, or that arrived from outside.

use crate::{
    effect::Effect,
    order::Order,
    payment_method::{PaymentMethod, PaymentMethodType},
    state::{DeadlineKind, OrderState, PaymentState},
    step::Step,
};
use jiff::Timestamp;

impl Order {
    /// The amount was taken.
    pub(crate) fn captured(
        &mut self,
        effect: Effect,
        transaction_id: &str,
        amount: i64,
        now: Timestamp,
    ) {
        self.payment.state = PaymentState::Captured;
        self.payment.transaction_id = Some(transaction_id.to_owned());
        self.payment.captured = amount;
        self.payment.capture_time = Some(now);
        self.succeeded(effect);
    }

    /// Shows what the payer paid with, as a confirmation names it.
    pub(super) fn paid_with(&mut self, kind: PaymentMethodType, last4: &str) {
        let given = PaymentMethod {
            kind,
            last4: last4.to_owned(),
        };
        match &mut self.payment_method {
            Some(method) if given.kind == PaymentMethodType::Unspecified => {
                if !given.last4.is_empty() {
                    method.last4 = given.last4;
                }
            }
            method => *method = Some(given),
        }
    }

    /// Money from outside counts towards the total. The order stops waiting once all of it is there.
    pub(super) fn counted(&mut self, transaction_id: &str, counted: i64, now: Timestamp) {
        // Parts are given back together, so they count as one effect: the first receipt.
        let effect = Effect::first(Step::ChargePayment);
        let captured = self.payment.captured + counted;
        self.payment.authorized = captured;
        if captured < self.total.minor {
            self.payment.captured = captured;
            self.payment.transaction_id = Some(transaction_id.to_owned());
            self.succeeded(effect);
            return;
        }
        self.captured(effect, transaction_id, captured, now);
        if self.state == OrderState::AwaitingPayment {
            self.state = OrderState::Placed;
            self.wait_no_longer(DeadlineKind::Payment);
        }
    }
}
