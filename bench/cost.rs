//! What one order leaves in Temporal: history events, bytes, and the Actions that Temporal Cloud bills.

use crate::{harness::temporal::connect, shape::SHAPES, system::System};
use serde::{Deserialize, Serialize};
use temporalio_client::{UntypedWorkflow, WorkflowDescribeOptions, WorkflowFetchHistoryOptions};
use temporalio_common::protos::temporal::api::{enums::v1::EventType, history::v1::HistoryEvent};

/// Of one order, with all its workflows.
#[derive(Debug, Deserialize, Serialize)]
pub struct Cost {
    /// The policy.
    pub policy: String,
    /// Events in the histories.
    pub events: usize,
    /// Bytes of the histories, as Temporal counts them.
    pub bytes: i64,
    /// Actions, by the rules at docs.temporal.io/cloud/actions.
    pub actions: usize,
}

/// Runs an order of each policy, and looks at what it left.
pub async fn measure(system: &System) -> Vec<Cost> {
    let client = connect(&system.temporal.address).await;
    let mut costs = Vec::new();
    for shape in SHAPES {
        let id = shape.order(&system.client, &system.sku).await;
        let mut cost = Cost {
            policy: shape.policy.to_owned(),
            events: 0,
            bytes: 0,
            actions: 0,
        };
        let mut workflows = vec![format!("order/{id}")];
        if shape.policy == "shipping-lane" {
            workflows.push(format!("shipping/{id}"));
        }
        for workflow in workflows {
            let handle = client.get_workflow_handle::<UntypedWorkflow>(&workflow);
            let events = crate::harness::eventually("the workflow's end", async || {
                let history = handle.fetch_history(WorkflowFetchHistoryOptions::default());
                let events = history.into_events().await.unwrap();
                let last = events.last()?.event_type();
                (last == EventType::WorkflowExecutionCompleted).then_some(events)
            })
            .await;
            let described = handle
                .describe(WorkflowDescribeOptions::default())
                .await
                .unwrap();
            let info = described.raw().workflow_execution_info.clone().unwrap();
            cost.events += events.len();
            cost.bytes += info.history_size_bytes;
            cost.actions += actions(&events);
        }
        costs.push(cost);
    }
    costs
}

/// One for each start, message, timer, activity, marker's workflow task and change of search
/// attributes; a child costs two, of which one is its own start.
fn actions(events: &[HistoryEvent]) -> usize {
    let mut actions = 0;
    // All local activities of one workflow task are one Action.
    let mut with_markers = std::collections::BTreeSet::new();
    for event in events {
        match event.event_type() {
            EventType::WorkflowExecutionStarted
            | EventType::WorkflowExecutionUpdateAccepted
            | EventType::WorkflowExecutionSignaled
            | EventType::TimerStarted
            | EventType::ActivityTaskScheduled
            | EventType::UpsertWorkflowSearchAttributes
            | EventType::StartChildWorkflowExecutionInitiated
            | EventType::SignalExternalWorkflowExecutionInitiated => actions += 1,
            EventType::MarkerRecorded => {
                with_markers.insert(completed_task(event));
            }
            _ => {}
        }
    }
    actions + with_markers.len()
}

fn completed_task(event: &HistoryEvent) -> i64 {
    use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
    match &event.attributes {
        Some(Attributes::MarkerRecordedEventAttributes(marker)) => {
            marker.workflow_task_completed_event_id
        }
        _ => event.event_id,
    }
}
