//! What an order waits for, and what would let it go on.

use super::{
    attention::{BY_HAND, Cause, WorkflowSight, workflow_cause},
    command::CommandKind,
    effect::Effect,
    order::{Deadline, Order},
    phase::{self, Due},
    step::Step,
};
use crate::named;
use jiff::Timestamp;

named! {
    /// What an order waits for.
    WaitsFor {
        /// Nothing: it is closed.
        Nothing = "NOTHING",
        /// A command, perhaps until a deadline.
        Command = "COMMAND",
        /// The answer of a provider that is being asked, or is about to be.
        Provider = "PROVIDER",
        /// The time of the next attempt, after a failed one.
        Retry = "RETRY",
        /// An operator. It goes on by itself, too, should what failed work again.
        Operator = "OPERATOR",
        /// Its workflow, which is late, failing or missing.
        Workflow = "WORKFLOW",
    }
}

/// Why an order stands where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// The effect that is next; none while it waits for a command.
    pub effect: Option<Effect>,
    /// How often that effect has failed in a row.
    pub failed_attempts: u32,
    /// How often it may fail before the order is undone; none when it is never given up.
    pub max_attempts: Option<u32>,
    /// Why it failed last; empty when it did not.
    pub last_error: String,
    /// When it is tried next.
    pub next_retry: Option<Timestamp>,
    /// Until when the order waits for a command.
    pub deadline: Option<Deadline>,
    /// Since when it waits like that.
    pub since: Timestamp,
    /// What would let it go on, in words.
    pub unblocked_by: String,
    /// What may be asked of it, also by operators.
    pub allowed: Vec<CommandKind>,
    /// The payment effects that ResolvePayment takes: their outcome is unknown, or the provider refuses to give the
    /// money back.
    pub unknown_payments: Vec<Effect>,
}

/// Why the order stands where it stands at `now`. Without a `workflow` Temporal was not asked, or did
/// not answer.
pub fn explain(order: &Order, now: Timestamp, workflow: Option<&WorkflowSight>) -> Explanation {
    let mut told = told(order);
    let is_gone = matches!(
        workflow,
        Some(WorkflowSight::Missing | WorkflowSight::Ended(_))
    );
    if is_gone || order.is_over() {
        allow_retry(order, is_gone, &mut told.allowed);
    }
    if let Some(cause) = workflow_cause(order, now, workflow).filter(|_| !order.is_over()) {
        let Cause {
            since,
            what,
            unblocked_by,
            ..
        } = cause;
        told.waits_for = WaitsFor::Workflow;
        told.since = since;
        told.unblocked_by = format!("{what}; {unblocked_by}");
    }
    told
}

/// Adds RetryOrder where it helps although the order itself has nothing to try: it starts a workflow that the
/// order lacks, and has the provider asked about what a person vouched for.
fn allow_retry(order: &Order, is_gone: bool, allowed: &mut Vec<CommandKind>) {
    let helps = if order.is_over() {
        order.to_verify().next().is_some()
    } else {
        is_gone
    };
    if helps && !allowed.contains(&CommandKind::RetryOrder) {
        allowed.push(CommandKind::RetryOrder);
        allowed.sort_unstable();
    }
}

/// By what the order itself knows.
fn told(order: &Order) -> Explanation {
    let plain = |waits_for, unblocked_by: String| Explanation {
        waits_for,
        effect: None,
        failed_attempts: 0,
        max_attempts: None,
        last_error: String::new(),
        next_retry: None,
        deadline: None,
        since: order.update_time,
        unblocked_by,
        allowed: order.all_allowed_commands(),
        unknown_payments: order.payments_to_resolve(),
    };
    let todo = phase::todo(order, order.update_time);
    if todo.record.is_some() {
        return plain(WaitsFor::Workflow, "its workflow, at any moment".to_owned());
    }
    if let Some(due) = todo.due.first() {
        return Explanation {
            deadline: todo.deadline,
            ..asking(order, due, plain)
        };
    }
    if todo.waits {
        return Explanation {
            deadline: todo.deadline,
            ..plain(WaitsFor::Command, waiting(order, todo.deadline))
        };
    }
    plain(WaitsFor::Nothing, "nothing: it is closed".to_owned())
}

/// An effect that is due, or failing.
fn asking(
    order: &Order,
    due: &Due,
    plain: impl FnOnce(WaitsFor, String) -> Explanation,
) -> Explanation {
    let Due { effect, not_before } = *due;
    let next = |plain: Explanation| Explanation {
        effect: Some(effect),
        max_attempts: limit(order, effect.step),
        next_retry: not_before,
        ..plain
    };
    let Some(fault) = order.fault_of(effect) else {
        return next(plain(WaitsFor::Provider, format!("the answer to {effect}")));
    };
    let mut for_operators = order.faults_for_operators();
    let waits_for = if for_operators.any(|fault| fault.effect == effect) {
        WaitsFor::Operator
    } else {
        WaitsFor::Retry
    };
    Explanation {
        failed_attempts: fault.attempts,
        last_error: fault.last_error.clone(),
        since: fault.since,
        ..next(plain(waits_for, failing(order, effect)))
    }
}

fn waiting(order: &Order, deadline: Option<Deadline>) -> String {
    let names = order.allowed_commands().into_iter();
    // An address, or a cancellation, is not what it waits for.
    let mut names = names.filter(|kind| {
        !matches!(
            kind,
            CommandKind::UpdateShippingAddress | CommandKind::CancelOrder
        )
    });
    let awaited = match (names.next(), order.missing()) {
        (Some(CommandKind::ConfirmPayment), Some(missing)) => {
            format!("{} of the missing {missing}", CommandKind::ConfirmPayment)
        }
        (Some(kind), _) => kind.to_string(),
        (None, _) => "a command".to_owned(),
    };
    match deadline {
        Some(_) => format!("{awaited}, or the end of the wait"),
        None => format!("{awaited}: it waits without end"),
    }
}

fn failing(order: &Order, effect: Effect) -> String {
    if order.is_refused(effect) {
        return BY_HAND.to_owned();
    }
    let unknown = match order.unknown_payments().is_empty() {
        true => "",
        false => "; or ResolvePayment with what the provider's books say",
    };
    format!("an attempt of {effect} that succeeds; RetryOrder makes one at once{unknown}")
}

/// As the fold counts: undoing is never given up, nor what the carrier may have.
fn limit(order: &Order, step: Step) -> Option<u32> {
    let patient = step.is_compensation() || order.may_be_dispatched();
    let most = step.retry(&order.policy).max_attempts;
    Some(most).filter(|most| *most > 0 && !patient)
}
