//! A movement of money, as a payment provider outside of the process is asked for it.

use super::money::{amount, money};
use orders::provider::v1::{self, outcome::Result as Ended};
use orders_domain::money::Money;
use orders_worker::provider::{PaymentRequest, ProviderError, Receipt};

/// The movement as a message.
pub fn movement(request: &PaymentRequest) -> v1::Movement {
    let movement = &request.movement;
    v1::Movement {
        idempotency_key: movement.key.clone(),
        payment_id: movement.payment_id.clone(),
        order_id: request.order_id.clone(),
        customer_id: request.customer_id.clone(),
        amount: Some(money(&Money::new(&request.currency, movement.amount))),
    }
}

/// The provider's token of what the order is paid with; empty where it has none.
pub fn payment_token(request: &PaymentRequest) -> String {
    let token = request.payment_token.as_ref();
    token.map_or_else(String::new, |token| token.expose().to_owned())
}

/// What an answer to a movement says, with the amount that the provider moved, which is never taken from the request.
///
/// # Errors
/// That it was declined, or that the answer says nothing certain.
pub fn moved(
    request: &PaymentRequest,
    outcome: Option<v1::Outcome>,
) -> Result<Receipt, ProviderError> {
    let nothing = |what: &str| ProviderError::NoAnswer(format!("the provider answered {what}"));
    match outcome.and_then(|outcome| outcome.result) {
        Some(Ended::Accepted(accepted)) if accepted.transaction_id.is_empty() => {
            Err(nothing("without a transaction_id"))
        }
        Some(Ended::Accepted(accepted)) => match accepted.amount.as_ref().map(amount) {
            None => Err(nothing("without the amount that moved")),
            Some(Some(moved)) if moved.currency == request.currency => Ok(Receipt {
                transaction_id: accepted.transaction_id,
                amount: moved.minor,
            }),
            Some(_) => Err(nothing("with an amount that is none of the currency")),
        },
        Some(Ended::Declined(declined)) => Err(ProviderError::Refused(declined.reason)),
        None => Err(nothing("without an outcome")),
    }
}

/// What an answer to the question for a movement says: none when it did not happen.
///
/// # Errors
/// When the answer says nothing.
pub fn resolved(
    request: &PaymentRequest,
    response: v1::ResolveResponse,
) -> Result<Option<Receipt>, ProviderError> {
    match response.outcome {
        None => Ok(None),
        outcome => match moved(request, outcome) {
            Err(ProviderError::Refused(_)) => Ok(None),
            receipt => receipt.map(Some),
        },
    }
}
