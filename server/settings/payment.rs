//! The settings of payments.

use crate::payment_provider::{PaymentProviderError, RemotePayment};
use clap::Args;
use orders_worker::provider::ExternalPaymentProvider;
use std::sync::Arc;

/// Who moves money.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
pub struct PaymentSettings {
    /// A payment provider that serves orders.provider.v1.PaymentProviderService, as http://HOST:PORT
    /// or https://HOST:PORT. Without it payments are booked in the database only.
    #[arg(long, env = "ORDERS_PAYMENT_PROVIDER", value_name = "URL")]
    pub payment_provider: Option<String>,
}

impl PaymentSettings {
    /// The provider that is to be asked; none for the embedded one.
    ///
    /// # Errors
    /// When its address cannot be used.
    pub fn provider(
        &self,
    ) -> Result<Option<Arc<dyn ExternalPaymentProvider>>, PaymentProviderError> {
        let Some(url) = &self.payment_provider else {
            return Ok(None);
        };
        Ok(Some(Arc::new(RemotePayment::new(url)?)))
    }
}
