//! Telling our workflows from those that somebody else started under the same id. Anybody who reaches
//! Temporal can take an id in advance, so "exists already" says nothing about whose workflow it is.

use super::{Temporal, TemporalError};
use orders_domain::order::Order;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::{
    MemoValues,
    protos::temporal::api::{
        common::v1::WorkflowExecution,
        enums::v1::WorkflowExecutionStatus,
        workflowservice::v1::{
            DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse,
            TerminateWorkflowExecutionRequest,
        },
    },
};
use tonic::Request;

/// The memo that names the placing of a workflow's order.
const PLACED: &str = "placed";

/// Why a foreign workflow is ended, as Temporal shows it.
const REASON: &str = "orders: this workflow id belongs to this service, and this workflow is not the \
     one that the service starts under it";

/// A workflow as this service starts it.
pub(super) struct Ours {
    workflow_id: String,
    workflow_type: &'static str,
    /// The memo; none where a workflow has none.
    placed: Option<String>,
}

/// What Temporal has under the id of a workflow of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Missing,
    /// Ours, and it runs.
    Running,
    /// Ours, and it has ended.
    Ended,
    /// Somebody else's: the run, if it still runs.
    Foreign(Option<String>),
}

/// The memo of an order's workflow. The time of the placing is not known before the placing, so nobody
/// can start a workflow in advance that passes for the order's own.
pub(super) fn memo(order: &Order) -> MemoValues {
    let mut memo = MemoValues::new();
    memo.insert(PLACED, placed(order));
    memo
}

fn placed(order: &Order) -> String {
    order.place_time.to_string()
}

impl Ours {
    /// The workflow of an order.
    pub(super) fn order(order: &Order) -> Self {
        Self {
            workflow_id: Order::workflow_id(&order.order_id),
            workflow_type: "OrderWorkflow",
            placed: Some(placed(order)),
        }
    }

    /// The workflow of a sku's replenishment.
    pub(super) fn replenishment(workflow_id: String) -> Self {
        Self {
            workflow_id,
            workflow_type: "ReplenishmentWorkflow",
            placed: None,
        }
    }

    fn compare(&self, task_queue: &str, described: DescribeWorkflowExecutionResponse) -> Found {
        let info = described.workflow_execution_info.unwrap_or_default();
        let runs = info.status() == WorkflowExecutionStatus::Running;
        let memo = info.memo.unwrap_or_default().fields;
        let placed: Option<String> = memo
            .get(PLACED)
            .and_then(|payload| serde_json::from_slice(&payload.data).ok());
        let workflow_type = info.r#type.unwrap_or_default().name;
        let is_ours = workflow_type == self.workflow_type
            && info.task_queue == task_queue
            && (self.placed.is_none() || placed == self.placed);
        if is_ours {
            return if runs { Found::Running } else { Found::Ended };
        }
        let (workflow_id, queue) = (&self.workflow_id, &info.task_queue);
        tracing::warn!(
            workflow_id,
            workflow_type,
            queue,
            runs,
            "somebody else has started a workflow under an id of this service"
        );
        let run_id = info.execution.unwrap_or_default().run_id;
        Found::Foreign(Some(run_id).filter(|_| runs))
    }
}

impl Temporal {
    /// Says what Temporal has under the id of a workflow of ours.
    ///
    /// # Errors
    /// When Temporal cannot be reached.
    pub(super) async fn find(&self, ours: &Ours) -> Result<Found, TemporalError> {
        let request = DescribeWorkflowExecutionRequest {
            namespace: self.client.options().namespace.clone(),
            execution: Some(WorkflowExecution {
                workflow_id: ours.workflow_id.clone(),
                run_id: String::new(),
            }),
        };
        let mut service = self.client.clone();
        let answer =
            WorkflowService::describe_workflow_execution(&mut service, Request::new(request));
        match answer.await.map_err(|status| TemporalError::from(&status)) {
            Ok(answer) => Ok(ours.compare(&self.task_queue, answer.into_inner())),
            Err(TemporalError::NotFound(_)) => Ok(Found::Missing),
            Err(error) => Err(error),
        }
    }

    /// Ends the run of somebody else's workflow, and no other: meanwhile ours may have begun.
    ///
    /// # Errors
    /// When Temporal cannot be reached.
    pub(super) async fn end_foreign(
        &self,
        ours: &Ours,
        run_id: String,
    ) -> Result<(), TemporalError> {
        let workflow_id = ours.workflow_id.clone();
        tracing::warn!(workflow_id, run_id, "a foreign workflow is ended");
        let request = TerminateWorkflowExecutionRequest {
            namespace: self.client.options().namespace.clone(),
            workflow_execution: Some(WorkflowExecution {
                workflow_id,
                run_id,
            }),
            reason: REASON.to_owned(),
            ..Default::default()
        };
        let mut service = self.client.clone();
        let ended =
            WorkflowService::terminate_workflow_execution(&mut service, Request::new(request));
        match ended.await.map_err(|status| TemporalError::from(&status)) {
            Ok(_) | Err(TemporalError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
