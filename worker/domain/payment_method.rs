//! What a customer pays with: a token of the payment provider, never a card number.

use serde::{Deserialize, Serialize};

/// The kind of payment method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentMethodType {
    /// Not said: a caller need not know it.
    #[default]
    Unspecified,
    /// A credit card.
    CreditCard,
    /// A debit card.
    DebitCard,
    /// PayPal.
    Paypal,
    /// A bank transfer.
    BankTransfer,
}

/// A payment method as the payment provider knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// The kind of method.
    pub kind: PaymentMethodType,
    /// The provider's token for it. Empty where the payment happens outside (ConfirmPayment).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// The last four digits, for people; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last4: String,
}
