//! A payment provider outside of the process: the client of `orders.provider.v1`.

use crate::convert::{moved, movement, payment_token, resolved};
use async_trait::async_trait;
use orders::endpoint::{ClientTls, EndpointError, KeepAlive, endpoint};
use orders::pem::PemError;
use orders::provider::v1::{
    AuthorizeRequest, CaptureRequest, ChargeRequest, RefundRequest, ResolveRequest, VoidRequest,
    payment_provider_service_client::PaymentProviderServiceClient,
};
use orders_domain::movement::MovementKind;
use orders_worker::provider::{ExternalPaymentProvider, PaymentRequest, ProviderError, Receipt};
use std::time::Duration;
use tonic::{Code, Status, transport::Channel};

/// How long a connection may take to be made. Attempts have their own, shorter, limit.
const CONNECT: Duration = Duration::from_secs(5);

/// A silent provider is pinged, so that a connection that a firewall forgot costs no payment an attempt.
const KEEP_ALIVE: KeepAlive = KeepAlive {
    interval: Duration::from_secs(10),
    timeout: Duration::from_secs(5),
};

/// The codes by which a provider promises that this call moved nothing.
const MOVED_NOTHING: [Code; 5] = [
    Code::ResourceExhausted,
    Code::Unauthenticated,
    Code::PermissionDenied,
    Code::Unimplemented,
    Code::InvalidArgument,
];

/// Asks a payment provider by gRPC.
pub struct RemotePayment {
    client: PaymentProviderServiceClient<Channel>,
}

/// Why nobody can be asked at an address.
#[derive(Debug, thiserror::Error)]
pub enum PaymentProviderError {
    /// It is no address.
    #[error(
        "--payment-provider cannot be used ({0}): give it as http://HOST:PORT or https://HOST:PORT"
    )]
    Address(EndpointError),
    /// A file of the TLS settings cannot be used.
    #[error(transparent)]
    Pem(PemError),
}

impl From<EndpointError> for PaymentProviderError {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::Pem(error) => Self::Pem(error),
            error => Self::Address(error),
        }
    }
}

impl RemotePayment {
    /// A provider at `url`, which is connected to with the first call, and again whenever it is lost.
    ///
    /// # Errors
    /// When that cannot be an address, or a file of `tls` cannot be used.
    pub fn new(url: &str, tls: &ClientTls) -> Result<Self, PaymentProviderError> {
        let endpoint = endpoint(url, KEEP_ALIVE, tls)?;
        let endpoint = endpoint.connect_timeout(CONNECT);
        Ok(Self {
            client: PaymentProviderServiceClient::new(endpoint.connect_lazy()),
        })
    }
}

#[async_trait]
impl ExternalPaymentProvider for RemotePayment {
    async fn perform(&self, request: &PaymentRequest) -> Result<Receipt, ProviderError> {
        let mut client = self.client.clone();
        let asked_for = Some(movement(request));
        let original = request.movement.original.clone().unwrap_or_default();
        let outcome = match request.movement.kind {
            MovementKind::Authorize => {
                let asked = AuthorizeRequest {
                    movement: asked_for,
                    payment_token: payment_token(request),
                };
                let answer = client.authorize(asked).await.map_err(failure)?;
                answer.into_inner().outcome
            }
            MovementKind::Capture => {
                let asked = CaptureRequest {
                    movement: asked_for,
                    authorization_id: original,
                };
                client
                    .capture(asked)
                    .await
                    .map_err(failure)?
                    .into_inner()
                    .outcome
            }
            MovementKind::Charge => {
                let asked = ChargeRequest {
                    movement: asked_for,
                    payment_token: payment_token(request),
                };
                client
                    .charge(asked)
                    .await
                    .map_err(failure)?
                    .into_inner()
                    .outcome
            }
            MovementKind::Refund => {
                let asked = RefundRequest {
                    movement: asked_for,
                    capture_id: original,
                };
                client
                    .refund(asked)
                    .await
                    .map_err(failure)?
                    .into_inner()
                    .outcome
            }
            MovementKind::Void => {
                let asked = VoidRequest {
                    movement: asked_for,
                    authorization_id: original,
                };
                client
                    .void(asked)
                    .await
                    .map_err(failure)?
                    .into_inner()
                    .outcome
            }
            // Booked with its command, and asked of nobody.
            MovementKind::Confirm => {
                let why = "a confirmed payment is asked of nobody".to_owned();
                return Err(ProviderError::Failed(why));
            }
        };
        moved(request, outcome)
    }

    async fn resolve(&self, request: &PaymentRequest) -> Result<Option<Receipt>, ProviderError> {
        let asked = ResolveRequest {
            idempotency_key: request.movement.key.clone(),
            payment_id: request.movement.payment_id.clone(),
        };
        let mut client = self.client.clone();
        let answer = client.resolve(asked).await.map_err(failure)?;
        resolved(request, answer.into_inner())
    }
}

/// An error says that nobody knows, but for the codes of the contract.
fn failure(status: Status) -> ProviderError {
    let words = match status.message() {
        "" => format!("the payment provider: {:?}", status.code()),
        message => format!("the payment provider: {:?}: {message}", status.code()),
    };
    match MOVED_NOTHING.contains(&status.code()) {
        true => ProviderError::Failed(words),
        false => ProviderError::NoAnswer(words),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use orders::pem::PemFile;
    use orders_test_support::{
        PaymentProvider,
        certificates::{Authority, Wanted},
    };

    #[tokio::test]
    async fn a_provider_that_asks_for_a_certificate_is_shown_one() {
        let folder = tempfile::tempdir().unwrap();
        let (own, clients) = (Authority::new("own"), Authority::new("clients"));
        let certificate = own.issue(&Wanted::new("provider"));
        let provider = PaymentProvider::start_tls(&certificate, &clients).await;
        let ca = own.write(folder.path(), "ca.pem");
        let shown = clients.issue(&Wanted::new("orders"));
        let (shown, key) = shown.write(folder.path(), "client");
        let ask = async |tls: &ClientTls| {
            let remote = RemotePayment::new(&provider.url, tls).unwrap();
            let asked = ResolveRequest {
                idempotency_key: "key".to_owned(),
                payment_id: "payment".to_owned(),
            };
            remote.client.clone().resolve(asked).await.map(drop)
        };
        let mut tls = ClientTls {
            ca: Some(PemFile::new("--payment-provider-ca", &ca)),
            certificate: Some((
                PemFile::new("--payment-provider-cert", &shown),
                PemFile::new("--payment-provider-key", &key),
            )),
        };
        ask(&tls).await.unwrap();
        tls.certificate = None;
        assert!(ask(&tls).await.is_err());
    }
}
