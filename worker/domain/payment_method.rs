//! What a customer pays with: a token of the payment provider, never a card number.

use super::{order::Order, policy::PaymentMode, step::Step};
use serde::{Deserialize, Serialize};
use std::fmt;

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

/// What people may see of a payment method. Its token is no part of an order: see [`PaymentToken`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// The kind of method.
    pub kind: PaymentMethodType,
    /// The last four digits, for people; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last4: String,
}

/// The payment provider's token for a payment method. It is worth money, so it is kept in a table of
/// its own and given to nobody but the provider: it has no JSON, and [`Debug`] does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentToken(String);

impl PaymentToken {
    /// The token, unless the text is empty.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The token itself: for the provider, and for the table of tokens.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What tells two tokens apart without showing them: a hash with the salt of the database.
    pub fn hashed(&self, salt: &str) -> String {
        super::fingerprint(["payment token", salt, &self.0])
    }
}

/// Whether a text is four digits: never a whole card number.
pub fn is_last4(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Debug for PaymentToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PaymentToken(..)")
    }
}

impl Order {
    /// Whether an authorization or a charge with the order's payment token may still be due. Once it
    /// is not, it never is again: what was authorized is captured, given back or resolved by the
    /// provider's own names and keys.
    pub fn needs_payment_token(&self) -> bool {
        let step = match self.policy.payment {
            PaymentMode::Sale => Step::ChargePayment,
            PaymentMode::AuthorizeCapture => Step::AuthorizePayment,
            PaymentMode::External => return false,
        };
        let may_be_asked = self.ending.is_none() && !self.state.is_closed();
        // What only a person vouched for may turn out not to have happened.
        let is_sure = self.has_done(step) && !self.has_unconfirmed_payment();
        may_be_asked && !is_sure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_shown_and_has_a_hash_of_its_own_in_each_database() {
        assert_eq!(PaymentToken::new(""), None);
        let token = PaymentToken::new("secret").unwrap();
        assert!(!format!("{token:?} {:?}", Some(&token)).contains("secret"));
        assert_eq!(token.expose(), "secret");
        assert_eq!(token.hashed("salt"), token.hashed("salt"));
        assert_ne!(token.hashed("salt"), token.hashed("other"));
        let other = PaymentToken::new("secret2").unwrap();
        assert_ne!(token.hashed("salt"), other.hashed("salt"));
    }
}
