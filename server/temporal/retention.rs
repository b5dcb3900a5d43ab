//! How long the embedded Temporal keeps the histories of closed orders.

use super::Temporal;
use std::time::Duration;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    namespace::v1::NamespaceConfig, workflowservice::v1::UpdateNamespaceRequest,
};

/// Its own default is a day, too short to look at last week's order. (What decides about
/// duplicates and answers reads is our store, which keeps everything.)
const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);

impl Temporal {
    /// Sets the retention of the namespace. A failure is only logged: orders work without.
    pub async fn keep_histories(&self) {
        let request = UpdateNamespaceRequest {
            namespace: self.client.options().namespace.clone(),
            config: Some(NamespaceConfig {
                workflow_execution_retention_ttl: RETENTION.try_into().ok(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut service = self.client.clone();
        let request = tonic::Request::new(request);
        if let Err(error) = WorkflowService::update_namespace(&mut service, request).await {
            tracing::warn!(%error, "the retention of the embedded Temporal is not set");
        }
    }
}
