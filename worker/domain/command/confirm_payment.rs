//! ConfirmPayment: money arrived from outside. It is a fact, so it is recorded whatever the order is doing.

use super::{Refusal, is_moving_forward};
use crate::{
    event::Change, money::Money, order::Order, payment_method::PaymentMethodType,
    policy::PaymentMode, received::MOST_RECEIPTS,
};
use serde::{Deserialize, Serialize};

/// A payment from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmPayment {
    /// The payer's name for the transaction.
    pub transaction_id: String,
    /// The amount that arrived.
    pub amount: Money,
    /// How it was paid; unspecified keeps the method that the order has.
    #[serde(default)]
    pub payment_method: PaymentMethodType,
    /// The last four digits of what it was paid with, for people; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last4: String,
}

/// Money may arrive at any time, also after the close.
pub(super) fn is_allowed(order: &Order) -> bool {
    order.payment.received.count < MOST_RECEIPTS
}

/// Whether the order still asks for money from outside.
pub(super) fn is_awaited(order: &Order) -> bool {
    order.policy.payment == PaymentMode::External
        && is_moving_forward(order)
        && !order.is_paid_outside()
        && is_allowed(order)
}

impl ConfirmPayment {
    /// Whether the transaction is known elsewhere is for the store to say.
    pub(super) fn decide(&self, order: &Order) -> Result<Change, Refusal> {
        let Money { currency, minor } = &self.amount;
        if *currency != order.total.currency {
            return Err(Refusal::WrongCurrency {
                amount: self.amount.clone(),
                currency: order.total.currency.clone(),
            });
        }
        let sum = order.payment.received.amount.checked_add(*minor);
        if *minor <= 0 || sum.is_none() {
            return Err(Refusal::WrongAmount {
                amount: self.amount.clone(),
            });
        }
        Ok(Change::PaymentConfirmed {
            transaction_id: self.transaction_id.clone(),
            amount: self.amount.clone(),
            counted: order.countable(*minor),
            payment_method: self.payment_method,
            last4: self.last4.clone(),
        })
    }
}
