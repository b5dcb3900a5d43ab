//! Telling our workflows from those that somebody else started under the same id. Anybody who reaches
//! Temporal can take an id in advance, so "exists already" says nothing about whose workflow it is.
//!
//! The type and the memo decide. The task queue does not: it is a setting of ours, which may have changed since
//! the workflow was started. Ending such a workflow would lose the signals that wait for it.

use super::{Temporal, TemporalError};
use orders_domain::order::Order;
use orders_store::supplier_orders::SupplierOrder;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::{
    MemoValues,
    protos::temporal::api::{
        common::v1::WorkflowExecution,
        enums::v1::WorkflowExecutionStatus,
        workflow::v1::WorkflowExecutionInfo,
        workflowservice::v1::{
            DescribeWorkflowExecutionRequest, TerminateWorkflowExecutionRequest,
        },
    },
};
use tonic::Request;

/// The memo that names the placing of a workflow's order.
const PLACED: &str = "placed";

/// The memo that names the sku of a replenishment.
const SKU: &str = "sku";

/// Why a foreign workflow is ended, as Temporal shows it.
const REASON: &str = "orders: this workflow id belongs to this service, and this workflow is not the \
     one that the service starts under it";

/// A workflow as this service starts it.
pub(super) struct Ours {
    workflow_id: String,
    workflow_type: &'static str,
    /// The name of the memo, and what it says.
    memo: (&'static str, String),
}

/// What Temporal has under the id of a workflow of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Missing,
    /// Ours, and it runs.
    Running,
    /// Ours, and it runs on another task queue.
    Elsewhere,
    /// Ours, and it has ended.
    Ended,
    /// Somebody else's: the run, if it still runs.
    Foreign(Option<String>),
}

impl Ours {
    /// The workflow of an order. The time of the placing is not known before the placing, so nobody can
    /// start a workflow in advance that passes for the order's own.
    pub(super) fn order(order: &Order) -> Self {
        Self {
            workflow_id: Order::workflow_id(&order.order_id),
            workflow_type: "OrderWorkflow",
            memo: (PLACED, order.place_time.to_string()),
        }
    }

    /// The workflow of a sku's replenishment.
    pub(super) fn replenishment(sku: &str) -> Self {
        Self {
            workflow_id: SupplierOrder::workflow_id(sku),
            workflow_type: "ReplenishmentWorkflow",
            memo: (SKU, sku.to_owned()),
        }
    }

    /// The memo with which it is started.
    pub(super) fn memo(&self) -> MemoValues {
        let (name, value) = &self.memo;
        let mut memo = MemoValues::new();
        memo.insert(*name, value.clone());
        memo
    }

    fn compare(&self, task_queue: &str, info: WorkflowExecutionInfo) -> Found {
        let runs = info.status() == WorkflowExecutionStatus::Running;
        let (name, value) = &self.memo;
        let memo = info.memo.unwrap_or_default().fields;
        let memo: Option<String> = memo
            .get(*name)
            .and_then(|payload| serde_json::from_slice(&payload.data).ok());
        let workflow_type = info.r#type.unwrap_or_default().name;
        if workflow_type == self.workflow_type && memo.as_ref() == Some(value) {
            return match runs {
                false => Found::Ended,
                true if info.task_queue == task_queue => Found::Running,
                true => Found::Elsewhere,
            };
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
            Ok(answer) => {
                let info = answer.into_inner().workflow_execution_info;
                let info = info.unwrap_or_default();
                let queue = info.task_queue.clone();
                let found = ours.compare(&self.task_queue, info);
                if found == Found::Elsewhere {
                    let noted = &self.other_queues;
                    noted.note(&ours.workflow_id, &queue, &self.task_queue);
                }
                Ok(found)
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use temporalio_common::protos::temporal::api::common::v1::{Memo, Payload, WorkflowType};

    fn info(kind: &str, queue: &str, memo: &[(&str, &str)]) -> WorkflowExecutionInfo {
        let fields = memo.iter().map(|(name, value)| {
            let data = serde_json::to_vec(value).unwrap();
            let payload = Payload {
                data,
                ..Payload::default()
            };
            ((*name).to_owned(), payload)
        });
        let mut info = WorkflowExecutionInfo {
            r#type: Some(WorkflowType {
                name: kind.to_owned(),
            }),
            task_queue: queue.to_owned(),
            memo: Some(Memo {
                fields: fields.collect(),
            }),
            execution: Some(WorkflowExecution {
                run_id: "run".to_owned(),
                ..WorkflowExecution::default()
            }),
            ..WorkflowExecutionInfo::default()
        };
        info.set_status(WorkflowExecutionStatus::Running);
        info
    }

    #[test]
    fn the_type_and_the_memo_decide_whose_a_workflow_is_and_not_its_queue() {
        let ours = Ours::replenishment("mug");
        let kind = "ReplenishmentWorkflow";
        let compare = |kind: &str, queue: &str, memo: &[(&str, &str)]| {
            ours.compare("orders", info(kind, queue, memo))
        };
        let foreign = Found::Foreign(Some("run".to_owned()));
        for (queue, found) in [("orders", Found::Running), ("orders2", Found::Elsewhere)] {
            assert_eq!(compare(kind, queue, &[("sku", "mug")]), found);
            assert_eq!(compare(kind, queue, &[("sku", "cup")]), foreign);
            assert_eq!(compare(kind, queue, &[]), foreign);
            assert_eq!(compare("OrderWorkflow", queue, &[("sku", "mug")]), foreign);
        }
        let mut ended = info(kind, "orders2", &[("sku", "mug")]);
        ended.set_status(WorkflowExecutionStatus::Terminated);
        assert_eq!(ours.compare("orders", ended), Found::Ended);
    }
}
