//! Whether anybody runs orders.

use super::{Temporal, TemporalError};
use std::time::{Duration, SystemTime};
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType, taskqueue::v1::TaskQueue,
    workflowservice::v1::DescribeTaskQueueRequest,
};

/// A poller that was heard of within this time is alive: a poll ends after a minute at the latest.
const RECENT: Duration = Duration::from_secs(70);

impl Temporal {
    /// Whether Temporal answers and a worker, here or elsewhere, polls the task queue.
    ///
    /// # Errors
    /// When Temporal does not answer.
    pub async fn has_worker(&self) -> Result<bool, TemporalError> {
        let request = DescribeTaskQueueRequest {
            namespace: self.client.options().namespace.clone(),
            task_queue: Some(TaskQueue {
                name: self.task_queue.clone(),
                ..Default::default()
            }),
            task_queue_type: TaskQueueType::Workflow.into(),
            ..Default::default()
        };
        let mut service = self.client.clone();
        let described =
            WorkflowService::describe_task_queue(&mut service, tonic::Request::new(request));
        let described = described
            .await
            .map_err(|status| TemporalError::Unavailable(status.to_string()))?;
        let since = SystemTime::now().checked_sub(RECENT);
        Ok(described.into_inner().pollers.iter().any(|poller| {
            let heard = poller
                .last_access_time
                .and_then(|time| SystemTime::try_from(time).ok());
            heard >= since
        }))
    }
}
