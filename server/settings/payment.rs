//! The settings of payments.

use crate::payment_provider::{PaymentProviderError, RemotePayment};
use clap::Args;
use orders::{endpoint::ClientTls, pem::PemFile};
use orders_worker::provider::ExternalPaymentProvider;
use std::{path::PathBuf, sync::Arc};

/// Who moves money.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
pub struct PaymentSettings {
    /// A payment provider that serves orders.provider.v1.PaymentProviderService, as http://HOST:PORT
    /// or https://HOST:PORT. Without it payments are booked in the database only.
    #[arg(long, env = "ORDERS_PAYMENT_PROVIDER", value_name = "URL")]
    pub payment_provider: Option<String>,

    /// The CA that the payment provider's certificate must come from, a PEM file [default: those that the
    /// system trusts].
    #[arg(
        long,
        env = "ORDERS_PAYMENT_PROVIDER_CA",
        requires = "payment_provider",
        value_name = "FILE"
    )]
    pub payment_provider_ca: Option<PathBuf>,

    /// The certificate to show to the payment provider, a PEM file, if the provider asks for one.
    #[arg(
        long,
        env = "ORDERS_PAYMENT_PROVIDER_CERT",
        requires_all = ["payment_provider", "payment_provider_key"],
        value_name = "FILE"
    )]
    pub payment_provider_cert: Option<PathBuf>,

    /// The key of --payment-provider-cert, a PEM file.
    #[arg(
        long,
        env = "ORDERS_PAYMENT_PROVIDER_KEY",
        requires = "payment_provider_cert",
        value_name = "FILE"
    )]
    pub payment_provider_key: Option<PathBuf>,
}

impl PaymentSettings {
    /// The provider that is to be asked; none for the embedded one.
    ///
    /// # Errors
    /// When its address or a certificate cannot be used.
    pub fn provider(
        &self,
    ) -> Result<Option<Arc<dyn ExternalPaymentProvider>>, PaymentProviderError> {
        let Some(url) = &self.payment_provider else {
            return Ok(None);
        };
        Ok(Some(Arc::new(RemotePayment::new(url, &self.tls())?)))
    }

    fn tls(&self) -> ClientTls {
        let file = |flag, path: &Option<PathBuf>| Some(PemFile::new(flag, path.as_deref()?));
        let certificate = file("--payment-provider-cert", &self.payment_provider_cert);
        let key = file("--payment-provider-key", &self.payment_provider_key);
        ClientTls {
            ca: file("--payment-provider-ca", &self.payment_provider_ca),
            certificate: certificate.zip(key),
        }
    }
}
