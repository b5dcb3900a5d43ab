//! The embedded fraud check: knows one bad token.

use super::{Call, FraudProvider, ProviderError, test_token, token};
use crate::store::Connection;
use async_trait::async_trait;

pub(super) struct EmbeddedFraud;

#[async_trait]
impl FraudProvider for EmbeddedFraud {
    async fn screen(&self, _: &mut Connection, call: &Call<'_>) -> Result<(), ProviderError> {
        match token(call.order) {
            test_token::FRAUD => Err(ProviderError::Refused(
                "the payment token is known for fraud".to_owned(),
            )),
            _ => Ok(()),
        }
    }
}
