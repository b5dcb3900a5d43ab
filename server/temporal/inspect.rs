//! Looking at workflows from outside: whether they are there, whether they go on, what they know.
//! Needs no worker, and leaves no trace.

use super::{Temporal, TemporalError};
use orders_domain::{event::Event, order::Order};
use orders_worker::activities::News;
use std::collections::BTreeMap;
use temporalio_client::{
    UntypedWorkflow, WorkflowDescribeOptions, WorkflowFetchHistoryOptions,
    WorkflowTerminateOptions, grpc::WorkflowService,
};
use temporalio_common::protos::temporal::api::{
    common::v1::{Payload, Payloads},
    enums::v1::WorkflowExecutionStatus,
    history::v1::history_event::Attributes,
    workflowservice::v1::ListWorkflowExecutionsRequest,
};
use tonic::Code;

/// Workflows listed at once.
const PAGE: i32 = 500;

/// Where a workflow stands.
#[derive(Clone, Debug)]
pub enum Standing {
    /// Temporal has none of that id.
    Missing,
    /// It has ended: how.
    Closed(String),
    /// It runs.
    Open(Progress),
}

/// How well a workflow that runs goes on.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The how manieth attempt its workflow task is at; 0 when it has none.
    pub task_attempt: i32,
    /// The task queue on which it waits.
    pub task_queue: String,
    /// The activities that failed and are tried again: name, attempts, last error.
    pub failing: Vec<(String, i32, String)>,
}

/// What an order's workflow knows, as its history shows.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// The order as the workflow's run was started with it, and everything since folded in.
    pub order: Option<Order>,
    /// The events that it was told of, by revision.
    pub events: BTreeMap<i64, Event>,
}

impl Knowledge {
    /// The newest revision that it knows; 0 when it knows nothing.
    pub fn revision(&self) -> i64 {
        self.order.as_ref().map_or(0, |order| order.revision)
    }
}

/// Some orders whose workflows run, and where the next page begins.
#[derive(Debug)]
pub struct RunningPage {
    /// Their ids.
    pub order_ids: Vec<String>,
    /// Empty after the last page.
    pub next: Vec<u8>,
}

impl Temporal {
    /// Where a workflow stands.
    ///
    /// # Errors
    /// When Temporal cannot be reached.
    pub async fn standing(&self, workflow_id: &str) -> Result<Standing, TemporalError> {
        let handle = self
            .client
            .get_workflow_handle::<UntypedWorkflow>(workflow_id);
        let described = match handle.describe(WorkflowDescribeOptions::default()).await {
            Ok(described) => described,
            Err(error) => {
                return match TemporalError::from(error) {
                    TemporalError::NotFound(_) => Ok(Standing::Missing),
                    error => Err(error),
                };
            }
        };
        let raw = described.into_raw();
        let info = raw.workflow_execution_info.unwrap_or_default();
        let status = info.status();
        if status != WorkflowExecutionStatus::Running {
            let name = status
                .as_str_name()
                .replace("WORKFLOW_EXECUTION_STATUS_", "");
            return Ok(Standing::Closed(name));
        }
        let failing = raw.pending_activities.into_iter().filter_map(|activity| {
            let error = activity.last_failure?.message;
            let name = activity.activity_type.map(|kind| kind.name);
            Some((name.unwrap_or_default(), activity.attempt, error))
        });
        Ok(Standing::Open(Progress {
            task_attempt: raw.pending_workflow_task.map_or(0, |task| task.attempt),
            task_queue: info.task_queue,
            failing: failing.collect(),
        }))
    }

    /// What the workflow of an order knows. From its history, so no worker is needed.
    ///
    /// # Errors
    /// When there is no such workflow, or Temporal cannot be reached.
    pub async fn knowledge(&self, order_id: &str) -> Result<Knowledge, TemporalError> {
        let workflow_id = Order::workflow_id(order_id);
        let handle = self
            .client
            .get_workflow_handle::<UntypedWorkflow>(workflow_id);
        let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
        let mut knowledge = Knowledge::default();
        for event in history.into_events().await? {
            match event.attributes {
                Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => {
                    knowledge.order = payloads(started.input).find_map(|input| read(&input));
                }
                // The results of local activities are markers.
                Some(Attributes::MarkerRecordedEventAttributes(marker)) => {
                    let details = marker.details.into_values();
                    knowledge.learn(details.flat_map(|details| details.payloads));
                }
                Some(Attributes::ActivityTaskCompletedEventAttributes(completed)) => {
                    knowledge.learn(payloads(completed.result));
                }
                Some(Attributes::ChildWorkflowExecutionCompletedEventAttributes(completed)) => {
                    knowledge.learn(payloads(completed.result));
                }
                _ => {}
            }
        }
        Ok(knowledge)
    }

    /// The orders on our task queue whose workflows run, from where `next` says. None where Temporal
    /// keeps no list. What began or ended just now may not be listed yet.
    ///
    /// # Errors
    /// When Temporal cannot be reached.
    pub async fn running_orders(
        &self,
        next: Vec<u8>,
    ) -> Result<Option<RunningPage>, TemporalError> {
        let request = ListWorkflowExecutionsRequest {
            namespace: self.client.options().namespace.clone(),
            page_size: PAGE,
            next_page_token: next,
            query: "WorkflowType = 'OrderWorkflow' AND ExecutionStatus = 'Running'".to_owned(),
        };
        let mut service = self.client.clone();
        let request = tonic::Request::new(request);
        let listed = WorkflowService::list_workflow_executions(&mut service, request).await;
        let listed = match listed {
            Ok(listed) => listed.into_inner(),
            Err(status) if matches!(status.code(), Code::Unimplemented | Code::InvalidArgument) => {
                return Ok(None);
            }
            Err(status) => return Err(TemporalError::Unavailable(status.to_string())),
        };
        // Other deployments may share the namespace.
        let ours = listed.executions.into_iter();
        let ours = ours.filter(|info| info.task_queue == self.task_queue);
        let ids = ours.filter_map(|info| info.execution);
        let ids = ids.filter_map(|run| run.workflow_id.strip_prefix("order/").map(str::to_owned));
        Ok(Some(RunningPage {
            order_ids: ids.collect(),
            next: listed.next_page_token,
        }))
    }

    /// Ends a workflow at once, without its having a say. That it has ended, or never was, is fine.
    ///
    /// # Errors
    /// When Temporal cannot be reached.
    pub async fn terminate(&self, workflow_id: &str, reason: &str) -> Result<(), TemporalError> {
        let handle = self
            .client
            .get_workflow_handle::<UntypedWorkflow>(workflow_id);
        let options = WorkflowTerminateOptions::builder().reason(reason).build();
        match handle.terminate(options).await.map_err(TemporalError::from) {
            Ok(()) | Err(TemporalError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Knowledge {
    fn learn(&mut self, results: impl Iterator<Item = Payload>) {
        for news in results.filter_map(|payload| read::<News>(&payload)) {
            for event in news.events {
                if let Some(order) = &mut self.order {
                    order.apply(&event);
                }
                self.events.insert(event.revision, event);
            }
        }
    }
}

fn payloads(of: Option<Payloads>) -> impl Iterator<Item = Payload> {
    of.into_iter().flat_map(|payloads| payloads.payloads)
}

/// What a payload holds, if it is that.
fn read<T: serde::de::DeserializeOwned>(payload: &Payload) -> Option<T> {
    serde_json::from_slice(&payload.data).ok()
}
