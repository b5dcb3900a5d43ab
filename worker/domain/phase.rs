//! The story of an order: which phase it is in, and what is next.
//!
//! Each phase answers for itself: `None` when it is through (or was never asked for), else what it
//! still needs. Nothing is remembered beside the order, so a process that starts anew, or a
//! workflow that is reset, goes on exactly where the order stands.

mod approve;
mod compensate;
mod deliver;
mod fulfill;
mod hold;
mod screen;
mod secure;

use super::{
    effect::Effect,
    event::Change,
    order::{Deadline, Order},
    state::CloseReason,
    step::Step,
};
use jiff::Timestamp;

/// What is next for an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Todo {
    /// Something follows from the order as it stands: record it, ask nobody.
    Record(Change),
    /// A provider is to be asked.
    Call {
        /// For which effect.
        effect: Effect,
        /// Not earlier than this: the wait after a failed attempt.
        not_before: Option<Timestamp>,
    },
    /// A command is to come; with a deadline, at most until then.
    Wait(Option<Deadline>),
    /// Nothing, ever.
    Nothing,
}

/// What is next for `order`, seen at `now`. Pure: the same order and time give the same answer.
pub fn todo(order: &Order, now: Timestamp) -> Todo {
    if order.state.is_closed() {
        return Todo::Nothing;
    }
    if let Some(reason) = order.ending {
        return compensate::todo(order).unwrap_or(Todo::Record(Change::Closed { reason }));
    }
    screen::todo(order)
        .or_else(|| secure::todo(order, now))
        .or_else(|| approve::todo(order, now))
        .or_else(|| hold::todo(order))
        .or_else(|| fulfill::todo(order))
        .or_else(|| deliver::todo(order))
        .unwrap_or(Todo::Record(Change::Closed {
            reason: CloseReason::Completed,
        }))
}

/// When what is next for `order` is due; none when nothing is, or only a command without end. An
/// order that is long past it was forgotten by its workflow.
pub fn due_time(order: &Order) -> Option<Timestamp> {
    match todo(order, order.update_time) {
        Todo::Call { not_before, .. } => Some(not_before.unwrap_or(order.update_time)),
        Todo::Record(_) => Some(order.update_time),
        Todo::Wait(deadline) => deadline.map(|deadline| deadline.expire_time),
        Todo::Nothing => None,
    }
}

/// What the end of a wait means: none when the order does not wait for that any more, so that a
/// deadline counts once, and never after its way out was taken.
pub fn deadline_passed(order: &Order, deadline: &Deadline, now: Timestamp) -> Option<Change> {
    use super::state::DeadlineKind;
    if order.deadline.as_ref() != Some(deadline) || now < deadline.expire_time {
        return None;
    }
    Some(match deadline.kind {
        DeadlineKind::PickupReminder => Change::PickupReminded,
        kind => Change::DeadlinePassed { kind },
    })
}

/// The next effect of `step`.
fn call(order: &Order, step: Step) -> Todo {
    call_for(order, order.effect(step))
}

/// A call for `effect`, after the wait that its last failure asks for.
fn call_for(order: &Order, effect: Effect) -> Todo {
    let fault = order.fault.as_ref();
    let fault = fault.filter(|fault| fault.effect == effect);
    Todo::Call {
        effect,
        not_before: fault.map(|fault| fault.retry_time),
    }
}
