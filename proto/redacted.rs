//! What messages with a payment token show of themselves: all but the token.

use crate::{
    provider::v1::{AuthorizeRequest, ChargeRequest},
    v1::PaymentMethod,
};
use std::fmt::{Debug, Formatter, Result};

/// Whether there is a token, and nothing else of it.
fn redacted(token: &str) -> &'static str {
    if token.is_empty() { "" } else { ".." }
}

impl Debug for PaymentMethod {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        formatter
            .debug_struct("PaymentMethod")
            .field("type", &self.r#type())
            .field("token", &redacted(&self.token))
            .field("last4", &self.last4)
            .finish()
    }
}

impl Debug for AuthorizeRequest {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        formatter
            .debug_struct("AuthorizeRequest")
            .field("movement", &self.movement)
            .field("payment_token", &redacted(&self.payment_token))
            .finish()
    }
}

impl Debug for ChargeRequest {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        formatter
            .debug_struct("ChargeRequest")
            .field("movement", &self.movement)
            .field("payment_token", &redacted(&self.payment_token))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{ConfirmPaymentRequest, PlaceOrderRequest};

    #[test]
    fn no_message_shows_its_payment_token() {
        let method = PaymentMethod {
            token: "canary".to_owned(),
            last4: "4242".to_owned(),
            ..PaymentMethod::default()
        };
        let place = PlaceOrderRequest {
            payment_method: Some(method.clone()),
            ..PlaceOrderRequest::default()
        };
        let confirm = ConfirmPaymentRequest {
            payment_method: Some(method.clone()),
            ..ConfirmPaymentRequest::default()
        };
        let payment_token = "canary".to_owned();
        let authorize = AuthorizeRequest {
            payment_token: payment_token.clone(),
            ..AuthorizeRequest::default()
        };
        let charge = ChargeRequest {
            payment_token,
            ..ChargeRequest::default()
        };
        let shown = format!("{method:?} {place:?} {confirm:?} {authorize:?} {charge:#?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("4242"), "{shown}");
    }
}
