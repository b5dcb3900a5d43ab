//! The embedded fraud check: it knows one bad token.

use crate::provider::{Call, FraudProvider, ProviderError, test_token};
use async_trait::async_trait;
use orders_store::ledger::Ledger;

/// Refuses orders that are paid with [`test_token::FRAUD`].
pub(in crate::provider) struct EmbeddedFraud;

#[async_trait]
impl FraudProvider for EmbeddedFraud {
    async fn screen(&self, ledger: &mut Ledger<'_>, call: &Call<'_>) -> Result<(), ProviderError> {
        let payment_id = &call.order.payment.payment_id;
        if ledger.is_token(payment_id, test_token::FRAUD).await? {
            let known = "the payment token is known for fraud".to_owned();
            return Err(ProviderError::Refused(known));
        }
        Ok(())
    }
}
