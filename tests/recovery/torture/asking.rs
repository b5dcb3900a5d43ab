//! What is asked of Temporal itself, past the server.

use orders_domain::order::Order;
use orders_test_support::temporal::connect;
use orders_worker::workflow::OrderWorkflow;
use temporalio_client::{
    UntypedWorkflow, WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowFetchHistoryOptions,
    WorkflowQueryOptions,
};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution,
    enums::v1::{EventType, WorkflowExecutionStatus},
    history::v1::{HistoryEvent, history_event::Attributes},
    workflowservice::v1::ResetWorkflowExecutionRequest,
};

/// The order as its workflow has it, also when that is closed.
pub async fn order(address: &str, order_id: &str) -> Result<Order, String> {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<OrderWorkflow>(Order::workflow_id(order_id));
    let asked = handle.query(OrderWorkflow::order, (), WorkflowQueryOptions::default());
    let limit = std::time::Duration::from_secs(10);
    let answer = tokio::time::timeout(limit, asked).await;
    let answer = answer.map_err(|_| "no answer".to_owned())?;
    let answer = answer.map_err(|error| error.to_string())?;
    answer.ok_or_else(|| "no order".to_owned())
}

/// Asks for the cancellation of an order's workflow; gives whether there is one. One that is closed
/// does not mind.
pub async fn cancel(address: &str, order_id: &str) -> bool {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(format!("order/{order_id}"));
    let _ = handle.cancel(WorkflowCancelOptions::default()).await;
    !events(address, order_id).await.is_empty()
}

/// The history of an order's newest run.
pub async fn events(address: &str, order_id: &str) -> Vec<HistoryEvent> {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(format!("order/{order_id}"));
    let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
    // Without any where it is not placed yet.
    history.into_events().await.unwrap_or_default()
}

/// The numbers of the completed workflow tasks of an order's newest run.
pub async fn tasks(address: &str, order_id: &str) -> Vec<i64> {
    let events = events(address, order_id).await.into_iter();
    let done = events.filter(|event| event.event_type() == EventType::WorkflowTaskCompleted);
    done.map(|event| event.event_id).collect()
}

/// Whether Temporal knows that an activity was done: the marker of a local one, or a workflow task
/// after a regular one.
pub async fn knows(address: &str, order_id: &str, activity: &str) -> bool {
    let mut scheduled = None;
    let mut done = false;
    for event in events(address, order_id).await {
        match event.attributes {
            Some(Attributes::MarkerRecordedEventAttributes(marker)) => {
                let mut payloads = marker.details.values().flat_map(|all| &all.payloads);
                let text = format!("\"{activity}\"");
                let names = |data: &[u8]| data.windows(text.len()).any(|w| w == text.as_bytes());
                if payloads.any(|payload| names(&payload.data)) {
                    return true;
                }
            }
            Some(Attributes::ActivityTaskScheduledEventAttributes(task))
                if task
                    .activity_type
                    .as_ref()
                    .is_some_and(|kind| kind.name == activity) =>
            {
                scheduled = Some(event.event_id);
            }
            Some(Attributes::ActivityTaskCompletedEventAttributes(task)) => {
                done |= scheduled == Some(task.scheduled_event_id);
            }
            Some(Attributes::WorkflowTaskCompletedEventAttributes(_)) if done => return true,
            _ => {}
        }
    }
    false
}

/// Whether the newest run of an order's workflow is completed.
pub async fn is_completed(address: &str, order_id: &str) -> bool {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(format!("order/{order_id}"));
    let described = handle.describe(WorkflowDescribeOptions::default()).await;
    described.is_ok_and(|described| {
        let info = described.into_raw().workflow_execution_info;
        info.is_some_and(|info| info.status() == WorkflowExecutionStatus::Completed)
    })
}

/// Resets an order's workflow to a completed workflow task.
pub async fn reset(address: &str, order_id: &str, task: i64) -> Result<(), String> {
    let client = connect(address).await;
    let request = ResetWorkflowExecutionRequest {
        namespace: "default".to_owned(),
        workflow_execution: Some(WorkflowExecution {
            workflow_id: format!("order/{order_id}"),
            run_id: String::new(),
        }),
        reason: "torture".to_owned(),
        workflow_task_finish_event_id: task,
        request_id: orders_test_support::unique("reset"),
        ..Default::default()
    };
    let mut service = client.connection().workflow_service();
    let reset = service.reset_workflow_execution(tonic::Request::new(request));
    reset.await.map(drop).map_err(|status| status.to_string())
}
