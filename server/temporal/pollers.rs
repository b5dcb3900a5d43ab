//! Whether anybody runs orders.

use super::{Temporal, TemporalError};
use orders_worker::clock;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};
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
        let heard = described
            .into_inner()
            .pollers
            .into_iter()
            .filter_map(|poller| {
                let time = poller.last_access_time?;
                SystemTime::try_from(time).ok()
            });
        Ok(heard
            .max()
            .is_some_and(|heard| self.newest.is_recent(heard)))
    }
}

/// The newest sign of life of a worker, by Temporal's clock, and when this process saw that it is new.
#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<Option<(SystemTime, Instant)>>);

impl Newest {
    /// Whether a sign of life that was given at `heard` is recent: by the clock, or, since that need
    /// not agree with Temporal's, because it was not there a moment ago.
    fn is_recent(&self, heard: SystemTime) -> bool {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let by_clock = SystemTime::from(clock::now()).checked_sub(RECENT) <= Some(heard);
        match *newest {
            Some((before, seen)) if before == heard => by_clock || seen.elapsed() < RECENT,
            // Of the first one nobody knows how old it is.
            before => {
                let new = before.is_some();
                let seen = Instant::now().checked_sub(if new { Duration::ZERO } else { RECENT });
                *newest = seen.map(|seen| (heard, seen));
                by_clock || new
            }
        }
    }
}
