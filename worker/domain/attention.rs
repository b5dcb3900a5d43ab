//! Which orders need a person, why, and what would help.

use super::{
    apply::later,
    order::Order,
    phase,
    state::{PaymentState, named},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A payment of which nobody knows what became is nobody's business for so long: most answers that
/// were lost are had by asking again.
pub const INDETERMINATE_LONG: Duration = Duration::from_secs(5 * 60);

/// What is next for an order may be late by so much before it is worth a look.
pub const OVERDUE_LONG: SignedDuration = SignedDuration::from_secs(30);

/// A workflow task may fail so often before it counts as one that keeps failing.
const TASK_ATTEMPTS: i32 = 2;

named! {
    /// Why an order needs a person.
    CauseKind {
        /// A step failed as often as the policy tolerates. It goes on being tried.
        StepFailing = "STEP_FAILING",
        /// Nobody has known for long what became of a payment.
        PaymentIndeterminate = "PAYMENT_INDETERMINATE",
        /// The order is open, and Temporal has no open workflow of it.
        NoWorkflow = "NO_WORKFLOW",
        /// The workflow runs, and its tasks fail: a build with a bug.
        WorkflowFailing = "WORKFLOW_FAILING",
        /// It should have gone on, and has not; why is not known.
        Overdue = "OVERDUE",
    }
}

/// One reason why an order needs a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Which.
    pub kind: CauseKind,
    /// Since when.
    pub since: Timestamp,
    /// What is the matter, in words.
    pub what: String,
    /// What would help, in words.
    pub unblocked_by: String,
}

/// An order's workflow, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkflowSight {
    /// There is none.
    Missing,
    /// It has ended; how.
    Ended(String),
    /// It runs.
    Running {
        /// How often its present task was tried; 0 without one.
        task_attempts: i32,
        /// Why its newest task failed, where that is known.
        task_failure: Option<String>,
    },
}

impl Order {
    /// From when on the order is one for [`causes`] by what it is itself: the store keeps and indexes
    /// it. In the future for a payment that became indeterminate just now.
    pub fn attention_time(&self) -> Option<Timestamp> {
        let failing = self.attention().map(|fault| fault.since);
        let unclear = indeterminate_since(self).map(|since| later(since, INDETERMINATE_LONG));
        failing.into_iter().chain(unclear).min()
    }
}

/// Since when nobody knows what became of the order's payment.
fn indeterminate_since(order: &Order) -> Option<Timestamp> {
    let unclear =
        order.payment.state == PaymentState::Indeterminate || !order.unknown_payments().is_empty();
    if !unclear || order.state.is_closed() {
        return None;
    }
    let failing = order.fault.as_ref().filter(|fault| fault.step.is_payment());
    Some(failing.map_or(order.update_time, |fault| fault.since))
}

/// Why the order needs a person at `now`; nothing for one that does not. Without a `workflow`
/// Temporal was not asked, or did not answer.
pub fn causes(order: &Order, now: Timestamp, workflow: Option<&WorkflowSight>) -> Vec<Cause> {
    if order.state.is_closed() {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Some(fault) = order.attention() {
        found.push(Cause {
            kind: CauseKind::StepFailing,
            since: fault.since,
            what: format!(
                "{} failed {} times: {}",
                fault.step, fault.attempts, fault.last_error
            ),
            unblocked_by: "whatever it asks works again; RetryOrder tries it at once".to_owned(),
        });
    }
    let unclear = indeterminate_since(order).map(|since| later(since, INDETERMINATE_LONG));
    if let Some(time) = unclear.filter(|time| *time <= now) {
        let steps = order.unknown_payments();
        let names: Vec<&str> = steps.iter().map(|step| step.as_str()).collect();
        found.push(Cause {
            kind: CauseKind::PaymentIndeterminate,
            since: later_by(time, -INDETERMINATE_LONG.as_secs().cast_signed()),
            what: format!("the answer to {} was lost", names.join(" and ")),
            unblocked_by:
                "an answer of the provider, which is asked again; or ResolvePayment with \
                           what the provider's books say"
                    .to_owned(),
        });
    }
    found.extend(workflow_cause(order, now, workflow));
    found
}

fn later_by(time: Timestamp, seconds: i64) -> Timestamp {
    time.saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(time)
}

/// What is wrong with the order's workflow.
pub(super) fn workflow_cause(
    order: &Order,
    now: Timestamp,
    workflow: Option<&WorkflowSight>,
) -> Option<Cause> {
    let due = phase::due_time(order);
    let since = due.map_or(order.update_time, |due| due.min(now));
    let (kind, what, unblocked_by) = match workflow {
        Some(WorkflowSight::Missing) => (
            CauseKind::NoWorkflow,
            "Temporal has no workflow of it".to_owned(),
            "the server starts it by itself, as RetryOrder does at once",
        ),
        Some(WorkflowSight::Ended(status)) => (
            CauseKind::NoWorkflow,
            format!("its workflow has ended: {status}"),
            "the server starts it anew by itself, as RetryOrder does at once",
        ),
        Some(WorkflowSight::Running {
            task_attempts,
            task_failure,
        }) if *task_attempts > TASK_ATTEMPTS => (
            CauseKind::WorkflowFailing,
            match task_failure {
                Some(failure) => {
                    format!("its workflow task fails, {task_attempts} times: {failure}")
                }
                None => format!("its workflow task is not done, after {task_attempts} attempts"),
            },
            "a worker with a build that can run it: the one before, or a fixed one",
        ),
        _ => {
            let late = now.duration_since(due?);
            if late <= OVERDUE_LONG {
                return None;
            }
            (
                CauseKind::Overdue,
                format!("it should have gone on {} s ago", late.as_secs()),
                match workflow {
                    Some(_) => "a worker that polls, and a database that it can write to",
                    None => "Temporal cannot be asked: look there first",
                },
            )
        }
    };
    Some(Cause {
        kind,
        since,
        what,
        unblocked_by: unblocked_by.to_owned(),
    })
}
