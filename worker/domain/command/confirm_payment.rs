//! ConfirmPayment: money arrived from outside. It is a fact, so it is recorded whatever the order is doing.

use super::{Refusal, content, is_moving_forward};
use crate::{
    currency::payable_digits, event::Change, money::Money, order::Order,
    payment_method::PaymentMethodType, policy::PaymentMode, received::MOST_RECEIPTS, text,
};
use serde::{Deserialize, Serialize};

/// The most that one confirmation may say, in minor units: 90 trillion dollars. The sum of all the receipts
/// that an order may have still fits, so no slip in one confirmation keeps a later payment out.
pub const AMOUNT_MOST: i64 = 9_000_000_000_000_000;

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

/// Money may arrive at any time, also after the close, until the order has as many receipts as it may have.
/// Their sum plays a part only where an amount was recorded before [`AMOUNT_MOST`] was a rule.
pub(super) fn is_allowed(order: &Order) -> bool {
    let received = &order.payment.received;
    received.count < MOST_RECEIPTS && received.amount <= i64::MAX - AMOUNT_MOST
}

/// Why an order records no more receipts; none while it does.
pub(super) fn why_not(order: &Order) -> Option<&'static str> {
    let is_full = !is_allowed(order);
    is_full.then_some(
        "it has as many receipts as can be recorded; what arrives now has to be settled with the payer by hand",
    )
}

/// Whether the order still asks for money from outside.
pub(super) fn is_awaited(order: &Order) -> bool {
    order.policy.payment == PaymentMode::External
        && is_moving_forward(order)
        && !order.is_paid_outside()
        && is_allowed(order)
}

impl ConfirmPayment {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let Self {
            transaction_id,
            amount,
            payment_method: _,
            last4,
        } = self;
        content::name("transaction_id", transaction_id, text::ID_MOST)?;
        if payable_digits(&amount.currency).is_err() {
            let description = "must be a currency of ISO 4217 to pay in (three upper-case letters)";
            return Err(Refusal::invalid("amount.currency_code", description));
        }
        // After its currency, which is shown with it.
        if !is_recordable(amount.minor) {
            let amount = amount.clone();
            return Err(Refusal::WrongAmount { amount });
        }
        content::last4("payment_method.last4", last4)
    }

    /// Whether the transaction is known elsewhere is for the store to say.
    pub(super) fn decide(&self, order: &Order) -> Result<Change, Refusal> {
        let Money { currency, minor } = &self.amount;
        if *currency != order.total.currency {
            return Err(Refusal::WrongCurrency {
                amount: self.amount.clone(),
                currency: order.total.currency.clone(),
            });
        }
        if !is_recordable(*minor) {
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

/// Whether one confirmation may say so much, in minor units.
fn is_recordable(minor: i64) -> bool {
    (1..=AMOUNT_MOST).contains(&minor)
}

#[cfg(test)]
mod tests {
    use super::{AMOUNT_MOST, MOST_RECEIPTS};

    #[test]
    fn the_sum_of_all_receipts_fits() {
        assert!(AMOUNT_MOST.checked_mul(i64::from(MOST_RECEIPTS)).is_some());
    }
}
