//! Waiting for the namespace. Until Temporal describes it, no worker is built and no search attribute
//! is registered: the SDK validates a worker by describing its namespace, and a worker that failed
//! cannot be taken back by everybody who uses the same client.

use super::Temporal;
use std::time::Duration;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Request};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// How long one try may take. A frozen Temporal answers when it goes on, so a try need not be short.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a wait that goes on is said again.
const REMIND: Duration = Duration::from_secs(60);

/// Why the namespace cannot be used now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamespaceError {
    /// Temporal answers that it has no such namespace. It also says so while its own database is
    /// away.
    #[error(
        "Temporal at {address} does not find the namespace {namespace}. If it was never created, \
         create it with: temporal operator namespace create --namespace {namespace} --address \
         {address}"
    )]
    Missing {
        /// The namespace of the orders.
        namespace: String,
        /// Where Temporal is.
        address: String,
    },
    /// Temporal does not answer, or not with a namespace.
    #[error("Temporal at {address} does not describe the namespace {namespace}: {reason}")]
    Unknown {
        /// The namespace of the orders.
        namespace: String,
        /// Where Temporal is.
        address: String,
        /// Why, in words.
        reason: String,
    },
}

impl Temporal {
    /// Asks Temporal once for the namespace of the orders.
    ///
    /// # Errors
    /// When Temporal does not have it, or does not answer in time.
    pub async fn check_namespace(&self) -> Result<(), NamespaceError> {
        let namespace = self.namespace().to_owned();
        let address = self.address.clone();
        let request = DescribeNamespaceRequest {
            namespace: namespace.clone(),
            ..DescribeNamespaceRequest::default()
        };
        let mut service = self.client.clone();
        let described = WorkflowService::describe_namespace(&mut service, Request::new(request));
        let reason = match timeout(PATIENCE, described).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(status)) => match status.code() {
                Code::NotFound => return Err(NamespaceError::Missing { namespace, address }),
                // A server that does not know the call has no namespaces to check.
                Code::Unimplemented => return Ok(()),
                code => format!("{code:?}: {}", status.message()),
            },
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        Err(NamespaceError::Unknown {
            namespace,
            address,
            reason,
        })
    }

    /// Waits until Temporal describes the namespace. Meanwhile the log says what is waited for: when
    /// the wait begins, when its cause changes, and once a minute. Several may wait at once; only one
    /// of them asks and logs.
    pub async fn wait_for_namespace(&self) {
        let _alone = self.namespace_gate.lock().await;
        let mut said: Option<(NamespaceError, Instant)> = None;
        loop {
            let error = match self.check_namespace().await {
                Ok(()) => break,
                Err(error) => error,
            };
            let is_known = said
                .as_ref()
                .is_some_and(|(before, at)| *before == error && at.elapsed() < REMIND);
            if !is_known {
                tracing::warn!("no order can run yet: {error}");
                said = Some((error, Instant::now()));
            }
            sleep(PAUSE).await;
        }
        if said.is_some() {
            let namespace = self.namespace();
            tracing::info!(
                namespace,
                "Temporal describes the namespace: orders can run"
            );
        }
    }
}
