//! Replaying the histories that a Temporal keeps: whether this build could go on with the orders of the
//! one that runs now. Only reads, one history at a time.

use super::{Temporal, TemporalError, caller::rpc_options, run_worker::Role};
use futures::StreamExt;
use jiff::Timestamp;
use orders_worker::workflow::replay::{ReplayError, replay};
use temporalio_client::{
    WorkflowExecution, WorkflowExecutionInfo, WorkflowExecutionStatus, WorkflowFetchHistoryOptions,
    WorkflowHistory, WorkflowListOptions, errors::ClientError,
};
use temporalio_common::protos::temporal::api::history::v1::History;
use tonic::Code;

/// Which histories are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection {
    /// Beside the open workflows, those that closed since then.
    pub closed_since: Option<Timestamp>,
    /// At most so many; the open ones come first.
    pub limit: Option<usize>,
}

/// A history that was looked at.
#[derive(Debug)]
pub struct Replayed {
    /// As in `order/order-1`.
    pub workflow_id: String,
    /// Which run of it.
    pub run_id: String,
    /// Whether it goes on.
    pub open: bool,
    /// Why this build cannot go on with it; none when it can.
    pub failure: Option<ReplayError>,
}

impl Temporal {
    /// Replays the histories of the workflows on our task queues, whatever their type, and says of each
    /// what came of it.
    ///
    /// # Errors
    /// When Temporal cannot be asked (any more).
    pub async fn replay(
        &self,
        selection: Selection,
        mut tell: impl FnMut(Replayed),
    ) -> Result<(), TemporalError> {
        let mut left = selection.limit;
        for query in self.queries(selection) {
            let options = WorkflowListOptions::builder()
                .maybe_limit(left)
                .rpc_options(rpc_options())
                .build();
            // Page by page, as they are looked at.
            let mut found = self.client.list_workflows(query, options);
            while let Some(found) = found.next().await {
                left = left.map(|left| left.saturating_sub(1));
                if let Some(replayed) = self.replay_one(&found.map_err(unlisted)?).await? {
                    tell(replayed);
                }
            }
            if left == Some(0) {
                break;
            }
        }
        Ok(())
    }

    /// In Temporal's own language, the open ones first.
    fn queries(&self, selection: Selection) -> Vec<String> {
        let [orders, shipping] = [Role::Orders, Role::Shipping].map(|role| {
            let queue = self.task_queue_of(role);
            queue.replace('\\', "\\\\").replace('\'', "\\'")
        });
        let ours = format!("TaskQueue IN ('{orders}', '{shipping}')");
        let mut queries = vec![format!("{ours} AND ExecutionStatus = 'Running'")];
        if let Some(since) = selection.closed_since {
            queries.push(format!(
                "{ours} AND ExecutionStatus != 'Running' AND CloseTime >= '{since}'"
            ));
        }
        queries
    }

    /// None when it is not there any more.
    async fn replay_one(
        &self,
        found: &WorkflowExecution,
    ) -> Result<Option<Replayed>, TemporalError> {
        let info = WorkflowExecutionInfo::builder()
            .namespace(&self.client.options().namespace)
            .workflow_id(found.id())
            .run_id(found.run_id())
            .build();
        let handle = info.bind_untyped(self.client.clone());
        let options = WorkflowFetchHistoryOptions::builder()
            .rpc_options(rpc_options())
            .build();
        let fetched = handle.fetch_history(options).into_events().await;
        let events = match fetched.map_err(TemporalError::from) {
            Ok(events) => events,
            // Deleted since it was listed.
            Err(TemporalError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let history = WorkflowHistory::from(History { events });
        Ok(Some(Replayed {
            workflow_id: found.id().to_owned(),
            run_id: found.run_id().to_owned(),
            open: found.status() == WorkflowExecutionStatus::Running,
            failure: replay(history).await.err(),
        }))
    }
}

fn unlisted(error: ClientError) -> TemporalError {
    match error {
        ClientError::Rpc(status) if status.code() == Code::InvalidArgument => {
            TemporalError::Unexpected(status.message().to_owned())
        }
        ClientError::Rpc(status) => TemporalError::Unavailable(status.to_string()),
        other => TemporalError::Unexpected(other.to_string()),
    }
}
