//! How Temporal sees the workflow of one order.

use super::{Temporal, TemporalError};
use orders_domain::{attention::WorkflowSight, order::Order, text};
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution,
    enums::v1::WorkflowExecutionStatus,
    failure::v1::Failure,
    history::v1::history_event::Attributes,
    workflowservice::v1::{
        DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse,
        GetWorkflowExecutionHistoryReverseRequest,
    },
};
use tonic::Request;

/// The newest events of a history, among which the failure of its newest task is looked for.
const NEWEST_EVENTS: i32 = 20;

/// A workflow that Temporal has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The newest run.
    pub run_id: String,
    /// In Temporal's words: `RUNNING`, `COMPLETED`, ...
    pub status: String,
    /// Events of its history.
    pub history_length: i64,
    /// How often its present task was tried; 0 without one.
    pub task_attempts: i32,
    /// Why its newest task failed; none when it does not keep failing.
    pub task_failure: Option<String>,
    /// The task queue on which it waits, where that is not the one of this process.
    pub elsewhere: Option<String>,
    /// The activities that Temporal knows of.
    pub activities: Vec<DescribedActivity>,
}

/// An activity that has not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribedActivity {
    /// Its type.
    pub name: String,
    /// Which attempt this is.
    pub attempt: i32,
    /// Why the one before failed; empty for the first.
    pub last_failure: String,
}

impl Described {
    /// What matters of a workflow; of none, that it is missing.
    pub fn sight(described: Option<&Described>) -> WorkflowSight {
        match described {
            None => WorkflowSight::Missing,
            Some(described) if described.status == RUNNING => WorkflowSight::Running {
                task_attempts: described.task_attempts,
                task_failure: described.task_failure.clone(),
                elsewhere: described.elsewhere.clone(),
            },
            Some(described) => WorkflowSight::Ended(described.status.clone()),
        }
    }
}

/// A workflow that goes on.
const RUNNING: &str = "RUNNING";

impl Temporal {
    /// The newest run of an order's workflow; none when Temporal has no such workflow. The caller
    /// bounds the time.
    ///
    /// # Errors
    /// When Temporal does not answer.
    pub async fn describe(&self, order_id: &str) -> Result<Option<Described>, TemporalError> {
        let execution = WorkflowExecution {
            workflow_id: Order::workflow_id(order_id),
            run_id: String::new(),
        };
        let request = DescribeWorkflowExecutionRequest {
            namespace: self.client.options().namespace.clone(),
            execution: Some(execution.clone()),
        };
        let mut service = self.client.clone();
        let answer =
            WorkflowService::describe_workflow_execution(&mut service, Request::new(request));
        let mut described = match answer.await.map_err(|status| TemporalError::from(&status)) {
            Ok(answer) => described(answer.into_inner()),
            Err(TemporalError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        described.elsewhere = described
            .elsewhere
            .filter(|queue| *queue != self.task_queue);
        if described.task_attempts > 1 {
            described.task_failure = self.task_failure(execution).await?;
        }
        Ok(Some(described))
    }

    /// Temporal writes down why a task failed the first time; the tries after that leave no trace.
    async fn task_failure(
        &self,
        execution: WorkflowExecution,
    ) -> Result<Option<String>, TemporalError> {
        let request = GetWorkflowExecutionHistoryReverseRequest {
            namespace: self.client.options().namespace.clone(),
            execution: Some(execution),
            maximum_page_size: NEWEST_EVENTS,
            ..Default::default()
        };
        let mut service = self.client.clone();
        let answer = WorkflowService::get_workflow_execution_history_reverse(
            &mut service,
            Request::new(request),
        );
        let answer = answer
            .await
            .map_err(|status| TemporalError::from(&status))?;
        let events = answer.into_inner().history.unwrap_or_default().events;
        Ok(events.into_iter().find_map(|event| match event.attributes {
            Some(Attributes::WorkflowTaskFailedEventAttributes(failed)) => {
                failed.failure.as_ref().map(words)
            }
            _ => None,
        }))
    }
}

fn described(answer: DescribeWorkflowExecutionResponse) -> Described {
    let info = answer.workflow_execution_info.unwrap_or_default();
    let status = info.status().as_str_name();
    let status = status.strip_prefix("WORKFLOW_EXECUTION_STATUS_");
    let activities = answer.pending_activities.into_iter();
    Described {
        status: status
            .unwrap_or(WorkflowExecutionStatus::Unspecified.as_str_name())
            .to_owned(),
        run_id: info.execution.unwrap_or_default().run_id,
        history_length: info.history_length,
        task_attempts: answer.pending_workflow_task.map_or(0, |task| task.attempt),
        task_failure: None,
        elsewhere: Some(text::words(&info.task_queue)),
        activities: activities
            .map(|activity| DescribedActivity {
                name: activity.activity_type.unwrap_or_default().name,
                attempt: activity.attempt,
                last_failure: activity
                    .last_failure
                    .as_ref()
                    .map(words)
                    .unwrap_or_default(),
            })
            .collect(),
    }
}

/// The words of a failure, and of the one at its bottom.
fn words(failure: &Failure) -> String {
    let mut deepest = failure;
    while let Some(cause) = deepest.cause.as_deref() {
        deepest = cause;
    }
    if deepest.message == failure.message {
        return text::words(&failure.message);
    }
    text::words(&format!("{}: {}", failure.message, deepest.message))
}
