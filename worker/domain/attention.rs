//! Which orders need a person, why, and what would help.

use super::{
    effect::Effect,
    later::later,
    order::{Fault, Order, Vouched},
    phase,
    state::{PaymentState, VouchState},
};
use crate::named;
use jiff::{SignedDuration, Timestamp};
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
        /// The provider refuses for good to give money back. Somebody has to do it by other means.
        RefundByHand = "REFUND_BY_HAND",
        /// A person vouched for what became of a payment, and its provider has not confirmed it.
        PaymentVouched = "PAYMENT_VOUCHED",
        /// Money from outside does not match what the order asks for.
        PaymentUnmatched = "PAYMENT_UNMATCHED",
        /// The order is open or something is due for it, and Temporal has no open workflow of it.
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
        /// Its task queue, where that is not the one of the process that looked.
        elsewhere: Option<String>,
    },
}

impl Order {
    /// From when on the order is one for [`causes`] by what it is itself: the store keeps and indexes
    /// it. In the future for a payment that became indeterminate just now.
    pub fn attention_time(&self) -> Option<Timestamp> {
        let failing = self.faults_for_operators().map(|fault| fault.since);
        let unclear = indeterminate_since(self).map(|since| later(since, INDETERMINATE_LONG));
        let vouched = self.doubtful().map(|vouched| vouched.time);
        let unmatched = self.unmatched_since();
        let all = failing.chain(unclear).chain(vouched);
        all.chain(unmatched).min()
    }
}

/// Since when nobody knows what became of the order's payment.
fn indeterminate_since(order: &Order) -> Option<Timestamp> {
    let unclear =
        order.payment.state == PaymentState::Indeterminate || !order.unknown_payments().is_empty();
    if !unclear || order.is_over() {
        return None;
    }
    let failing = order.faults.iter();
    let failing = failing.filter(|fault| fault.effect.step.is_payment());
    let since = failing.map(|fault| fault.since).min();
    Some(since.unwrap_or(order.update_time))
}

/// Why the order needs a person at `now`; nothing for one that does not. Without a `workflow`
/// Temporal was not asked, or did not answer.
pub fn causes(order: &Order, now: Timestamp, workflow: Option<&WorkflowSight>) -> Vec<Cause> {
    // What nobody has confirmed stays in doubt after the order has closed.
    let mut found: Vec<Cause> = order.doubtful().map(in_doubt).collect();
    found.extend(unmatched(order));
    found.extend(order.faults_for_operators().map(failing));
    let unclear = indeterminate_since(order).map(|since| later(since, INDETERMINATE_LONG));
    if let Some(time) = unclear.filter(|time| *time <= now) {
        let effects = order.unknown_payments();
        let names: Vec<String> = effects.iter().map(Effect::to_string).collect();
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
    if !order.is_over() {
        found.extend(workflow_cause(order, now, workflow));
    }
    found
}

/// An effect that asks for an operator.
fn failing(fault: &Fault) -> Cause {
    let Fault {
        effect,
        attempts,
        last_error,
        since,
        ..
    } = fault;
    let (kind, what, unblocked_by) = if fault.refused {
        (
            CauseKind::RefundByHand,
            format!("the provider refuses {effect}: {last_error}"),
            BY_HAND,
        )
    } else {
        (
            CauseKind::StepFailing,
            format!("{effect} failed {attempts} times: {last_error}"),
            "whatever it asks works again; RetryOrder tries it at once",
        )
    };
    Cause {
        kind,
        since: *since,
        what,
        unblocked_by: unblocked_by.to_owned(),
    }
}

/// What helps when the provider refuses to give money back.
pub(super) const BY_HAND: &str = "give the money back by other means, then ResolvePayment with the transaction that \
                                  did; or ResolvePayment with NOT_HAPPENED, to have it tried anew";

/// What helps when an order has no workflow.
const GONE: &str = "RetryOrder starts it at once; else the server does so when something is due for the order, or a \
                    command comes";

fn in_doubt(vouched: &Vouched) -> Cause {
    let Vouched {
        effect,
        outcome,
        transaction_id,
        actor,
        time,
        state,
        confirmed_id: _,
    } = vouched;
    let named = match transaction_id.as_str() {
        "" => String::new(),
        id => format!(" as {id}"),
    };
    let (said, unblocked_by) = if *state == VouchState::Contradicted {
        (
            "the provider says the contrary",
            "settle it with the provider; RetryOrder asks it again",
        )
    } else {
        (
            "the provider has not confirmed it",
            "an answer of the provider, which is asked again; RetryOrder asks it at once",
        )
    };
    Cause {
        kind: CauseKind::PaymentVouched,
        since: *time,
        what: format!("{actor} vouched that {effect} {outcome}{named}; {said}"),
        unblocked_by: unblocked_by.to_owned(),
    }
}

/// What does not match between the money from outside and what the order asks for, also after the close.
fn unmatched(order: &Order) -> Option<Cause> {
    let since = order.unmatched_since()?;
    let received = &order.payment.received;
    let mut what = Vec::new();
    let mut help = Vec::new();
    if let Some(missing) = order.missing() {
        let captured = order.money(order.payment.captured);
        what.push(format!(
            "{captured} of {} arrived and {missing} is missing",
            order.total
        ));
        help.push("the missing amount, or the end of the wait, which gives back what arrived");
    }
    if received.surplus > 0 {
        let surplus = order.money(received.surplus);
        what.push(format!("{surplus} arrived that the order does not ask for"));
        help.push("giving the surplus back to the payer by hand");
    }
    if received.questioned > 0 {
        let (count, newest) = (received.questioned, &received.question);
        what.push(format!(
            "{count} confirmations are in question, the newest: {newest}"
        ));
        help.push("comparing the transaction with the bank's and the provider's statements");
    }
    Some(Cause {
        kind: CauseKind::PaymentUnmatched,
        since,
        what: what.join("; "),
        unblocked_by: help.join("; "),
    })
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
    let elsewhere;
    let (kind, what, unblocked_by) = match workflow {
        Some(WorkflowSight::Missing) => (
            CauseKind::NoWorkflow,
            "Temporal has no workflow of it".to_owned(),
            GONE,
        ),
        Some(WorkflowSight::Ended(status)) => (
            CauseKind::NoWorkflow,
            format!("its workflow has ended: {status}"),
            GONE,
        ),
        Some(WorkflowSight::Running {
            task_attempts,
            task_failure,
            ..
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
                    Some(WorkflowSight::Running {
                        elsewhere: Some(queue),
                        ..
                    }) => {
                        elsewhere = format!(
                            "a worker for the task queue {queue}, on which its workflow was started: \
                             orders worker --task-queue {queue}"
                        );
                        &elsewhere
                    }
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
