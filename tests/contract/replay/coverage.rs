//! The newest release has what the gate is to look at: every way of the scenario table, every workflow,
//! and every kind of entry that these histories are known to hold.

use super::{
    folder::{self, Recorded},
    record::slug,
};
use crate::process::scenarios;
use std::collections::{BTreeMap, BTreeSet};
use temporalio_common::protos::temporal::api::{
    enums::v1::EventType, history::v1::history_event::Attributes,
};

/// What must stand in some history of the newest release.
const ENTRIES: &[EventType] = &[
    EventType::WorkflowExecutionCompleted,
    EventType::WorkflowExecutionContinuedAsNew,
    EventType::WorkflowExecutionTerminated,
    EventType::WorkflowExecutionSignaled,
    EventType::WorkflowExecutionCancelRequested,
    EventType::WorkflowExecutionUpdateAccepted,
    EventType::WorkflowExecutionUpdateCompleted,
    EventType::WorkflowTaskTimedOut,
    EventType::WorkflowTaskFailed,
    EventType::MarkerRecorded,
    EventType::ActivityTaskScheduled,
    EventType::ActivityTaskCompleted,
    EventType::TimerStarted,
    EventType::TimerFired,
    EventType::TimerCanceled,
    EventType::StartChildWorkflowExecutionInitiated,
    EventType::ChildWorkflowExecutionCompleted,
    EventType::ExternalWorkflowExecutionSignaled,
    EventType::UpsertWorkflowSearchAttributes,
];

const WORKFLOWS: [&str; 3] = ["OrderWorkflow", "ReplenishmentWorkflow", "ShippingWorkflow"];

#[tokio::test]
async fn the_newest_release_has_every_path() {
    let recorded = newest();
    let names: BTreeSet<&str> = recorded
        .iter()
        .filter_map(|one| one.name.split('/').nth(1))
        .collect();
    let table = scenarios::all();
    let paths = table
        .iter()
        .map(|scenario| slug(scenario.policy, scenario.path));
    let missing: Vec<String> = paths
        .filter(|path| !names.contains(path.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "no history of these ways; keep some with `make record RELEASE=...`: {missing:#?}"
    );
}

#[tokio::test]
async fn the_newest_release_has_every_kind_of_entry() {
    let mut found = BTreeSet::new();
    let mut ends = BTreeMap::<String, BTreeSet<EventType>>::new();
    for one in newest() {
        let events = one.history().into_events().await.unwrap();
        found.extend(events.iter().map(|event| event.event_type()));
        let Some(Attributes::WorkflowExecutionStartedEventAttributes(start)) =
            &events[0].attributes
        else {
            panic!("{}: does not begin with a start", one.name);
        };
        let kind = start.workflow_type.as_ref().unwrap().name.clone();
        ends.entry(kind)
            .or_default()
            .insert(events[events.len() - 1].event_type());
        if one.name.contains("same-moment") {
            assert_in_one_task(&one.name, &events);
        }
    }
    let missing: Vec<&EventType> = ENTRIES
        .iter()
        .filter(|kind| !found.contains(kind))
        .collect();
    assert!(missing.is_empty(), "no history holds {missing:?}");
    assert!(ends.keys().map(String::as_str).eq(WORKFLOWS), "{ends:#?}");
    for (kind, ends) in &ends {
        for end in [
            EventType::WorkflowExecutionCompleted,
            EventType::WorkflowExecutionContinuedAsNew,
        ] {
            assert!(ends.contains(&end), "no {kind} ends with {end:?}");
        }
    }
}

/// Some timer fired while the workflow had not heard of a command yet.
fn assert_in_one_task(
    name: &str,
    events: &[temporalio_common::protos::temporal::api::history::v1::HistoryEvent],
) {
    let tasks = events.split(|event| event.event_type() == EventType::WorkflowTaskCompleted);
    let task = tasks.clone().position(|task| {
        task.iter()
            .any(|event| event.event_type() == EventType::TimerFired)
    });
    let tasks: Vec<_> = tasks.collect();
    let task = task.unwrap_or_else(|| panic!("{name}: no timer fired"));
    let commands = [
        EventType::WorkflowExecutionSignaled,
        EventType::WorkflowExecutionUpdateAccepted,
    ];
    // A signal comes before the task; an update shows right after the task that took it in.
    let near = tasks[task].iter().chain(
        tasks
            .get(task + 1)
            .into_iter()
            .flat_map(|next| next.first()),
    );
    let mut near = near.map(|event| event.event_type());
    assert!(
        near.any(|kind| commands.contains(&kind)),
        "{name}: no command beside the timer"
    );
}

/// The histories of the release that was recorded last.
fn newest() -> Vec<Recorded> {
    let recorded = folder::read(&folder::histories());
    let number = |one: &Recorded| -> u32 {
        let release = one.name.split('/').next().unwrap();
        let number = release
            .strip_prefix('v')
            .and_then(|number| number.parse().ok());
        number.unwrap_or_else(|| panic!("{release}: a release is named v1, v2, ..."))
    };
    let newest = recorded
        .iter()
        .map(number)
        .max()
        .expect("there is a history");
    recorded
        .into_iter()
        .filter(|one| number(one) == newest)
        .collect()
}
