//! ConfirmPayment: the payment happened outside, for exactly the total.

use super::Refusal;
use crate::domain::{
    event::Change, money::Money, order::Order, payment_method::PaymentMethodType, state::OrderState,
};
use serde::{Deserialize, Serialize};

/// An outside payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmPayment {
    /// The payer's name for the transaction.
    pub transaction_id: String,
    /// What was paid; must be the order's total.
    pub amount: Money,
    /// How it was paid; unspecified keeps the method that the order has.
    #[serde(default)]
    pub payment_method: PaymentMethodType,
    /// The last four digits of what it was paid with, for people; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last4: String,
}

pub(super) fn is_allowed(order: &Order) -> bool {
    order.state == OrderState::AwaitingPayment
}

impl ConfirmPayment {
    pub(super) fn decide(&self, order: &Order) -> Result<Change, Refusal> {
        if self.amount != order.total {
            return Err(Refusal::WrongAmount {
                amount: self.amount.clone(),
                total: order.total.clone(),
            });
        }
        Ok(Change::PaymentConfirmed {
            transaction_id: self.transaction_id.clone(),
            amount: self.amount.clone(),
            payment_method: self.payment_method,
            last4: self.last4.clone(),
        })
    }
}
