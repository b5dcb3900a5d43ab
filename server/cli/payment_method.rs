//! The options of a payment method.

use super::words::{method_type, small};
use clap::ValueEnum;
use orders::v1::{PaymentMethod, PaymentMethodType};

/// Kind of a payment method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Credit card.
    CreditCard,
    /// Debit card.
    DebitCard,
    /// PayPal account.
    Paypal,
    /// Bank transfer.
    BankTransfer,
}

impl From<Kind> for PaymentMethodType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::CreditCard => Self::CreditCard,
            Kind::DebitCard => Self::DebitCard,
            Kind::Paypal => Self::Paypal,
            Kind::BankTransfer => Self::BankTransfer,
        }
    }
}

/// The method; none when no part of it was given.
pub fn method(
    kind: Option<Kind>,
    token: Option<String>,
    last4: Option<String>,
) -> Option<PaymentMethod> {
    let kind = kind.map(PaymentMethodType::from).unwrap_or_default();
    let method = PaymentMethod {
        r#type: kind.into(),
        token: token.unwrap_or_default(),
        last4: last4.unwrap_or_default(),
    };
    (method != PaymentMethod::default()).then_some(method)
}

/// A method in words: `credit card ending in 4242`. Its token is left out: it is worth money.
pub fn text(method: &PaymentMethod) -> String {
    let PaymentMethod {
        r#type: _,
        token: _,
        last4,
    } = method;
    let kind = match method.r#type() {
        PaymentMethodType::Unspecified => String::new(),
        kind => small(method_type(kind), " "),
    };
    let ending = match last4.as_str() {
        "" => String::new(),
        last4 => format!(" ending in {last4}"),
    };
    format!("{kind}{ending}").trim().to_owned()
}
