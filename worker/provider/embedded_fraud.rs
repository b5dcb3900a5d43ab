//! The embedded fraud check: knows one bad token.

use super::{Call, FraudProvider, ProviderError, test_token};
use crate::store::Connection;
use async_trait::async_trait;

pub(super) struct EmbeddedFraud;

#[async_trait]
impl FraudProvider for EmbeddedFraud {
    async fn screen(&self, db: &mut Connection, call: &Call<'_>) -> Result<(), ProviderError> {
        // Only compared: no token leaves its table here.
        let bad = sqlx::query("SELECT 1 FROM payment_tokens WHERE payment_id = $1 AND token = $2")
            .bind(&call.order.payment.payment_id)
            .bind(test_token::FRAUD)
            .fetch_optional(db)
            .await?;
        match bad {
            Some(_) => Err(ProviderError::Refused(
                "the payment token is known for fraud".to_owned(),
            )),
            None => Ok(()),
        }
    }
}
