//! What one order leaves in Temporal: history events, bytes, and the Actions that Temporal Cloud bills.

use crate::{floor::Floors, plan::Plan, shape::SHAPES, system::System};
use orders_test_support::{temporal::left_by, unique};
use serde::{Deserialize, Serialize};
use temporalio_common::protos::temporal::api::{enums::v1::EventType, history::v1::HistoryEvent};

/// Of one order.
#[derive(Debug, Deserialize, Serialize)]
pub struct Cost {
    /// The policy.
    pub policy: String,
    /// What it left.
    pub order: Left,
    /// What its twin left: the same, or the twin is none.
    pub twin: Left,
}

/// What one of them left, with all its workflows.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Left {
    /// Events in the histories.
    pub events: usize,
    /// Bytes of the histories, as Temporal counts them.
    pub bytes: i64,
    /// Actions, by the rules at docs.temporal.io/cloud/actions.
    pub actions: usize,
}

/// Runs an order of each policy and its twin, and looks at what they left.
pub async fn measure(system: &System, floors: &Floors) -> Vec<Cost> {
    let address = &system.temporal.address;
    let mut costs = Vec::new();
    for shape in SHAPES {
        let id = shape.order(&system.client, &system.sku).await;
        let workflow = format!("order/{id}");
        let (events, _) = left_by(address, &workflow).await;
        let plan = Plan::of(&shape, &events);
        let lane = plan.input.child.map(|_| format!("shipping/{id}"));
        let twin = unique("twin");
        let child = plan.input.child.map(|_| format!("{twin}/child"));
        floors.twin(plan, twin.clone()).await;
        costs.push(Cost {
            policy: shape.policy.to_owned(),
            order: left(address, [Some(workflow), lane]).await,
            twin: left(address, [Some(twin), child]).await,
        });
    }
    costs
}

async fn left(address: &str, workflows: [Option<String>; 2]) -> Left {
    let mut all = Left::default();
    for workflow in workflows.iter().flatten() {
        let (events, bytes) = left_by(address, workflow).await;
        all.events += events.len();
        all.bytes += bytes;
        all.actions += actions(&events);
    }
    all
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
