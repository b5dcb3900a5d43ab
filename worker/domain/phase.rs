//! The story of an order: which phase it is in, and what is next.
//!
//! Each phase answers for itself: `None` when it is through (or was never asked for), else what it
//! still needs. Nothing is remembered beside the order, so a process that starts anew, or a
//! workflow that is reset, resumes exactly where the order stands.
//!
//! A wait or a failure of one effect holds back only what depends on it. So whoever carries effects out
//! skips those whose time has not come, and a deadline passes also while an effect is failing.
//!
//! What is due decides, not whether the order has closed: a closed order may have something due again.

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
    state::{CloseReason, DeadlineKind},
    step::Step,
};
use jiff::Timestamp;

/// What is next for an order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Todo {
    /// What follows from the order as it stands. It is recorded at once, and nobody is asked.
    pub record: Option<Change>,
    /// The effects that are due, in the order in which they are carried out, one at a time.
    pub due: Vec<Due>,
    /// Whether the order waits for a command.
    pub waits: bool,
    /// The earliest end of that wait; none when it is without end.
    pub deadline: Option<Deadline>,
}

/// An effect that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The effect.
    pub effect: Effect,
    /// The end of the wait after a failed attempt; none when it did not fail.
    pub not_before: Option<Timestamp>,
}

impl Due {
    /// Whether the effect may be carried out at `now`.
    pub fn is_ready(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|time| time <= now)
    }
}

impl Todo {
    fn record(change: Change) -> Self {
        Self {
            record: Some(change),
            ..Self::default()
        }
    }

    /// One effect, and nothing beside it.
    fn effect(order: &Order, effect: Effect) -> Self {
        Self {
            due: vec![due(order, effect)],
            ..Self::default()
        }
    }

    /// The next effect of a step, and nothing beside it.
    fn step(order: &Order, step: Step) -> Self {
        Self::effect(order, order.effect(step))
    }

    fn wait(deadline: Option<Deadline>) -> Self {
        Self {
            waits: true,
            deadline,
            ..Self::default()
        }
    }

    /// Whether there is something to do, now or later, that needs no command.
    pub fn is_work(&self) -> bool {
        self.record.is_some() || !self.due.is_empty()
    }

    /// Whether there is nothing to do, and nothing to wait for.
    pub fn is_nothing(&self) -> bool {
        !self.is_work() && !self.waits
    }

    /// The effects that may be carried out at `now`, in their order.
    pub fn ready(&self, now: Timestamp) -> impl Iterator<Item = Effect> {
        let ready = self.due.iter().filter(move |due| due.is_ready(now));
        ready.map(|due| due.effect)
    }

    /// The fence: whether an effect may be carried out at `now`.
    pub fn allows(&self, effect: Effect, now: Timestamp) -> bool {
        self.ready(now).any(|ready| ready == effect)
    }

    /// The earliest time that is waited for: the next attempt of a failed effect, or the deadline.
    pub fn next_time(&self) -> Option<Timestamp> {
        let attempts = self.due.iter().filter_map(|due| due.not_before);
        let deadline = self.deadline.map(|deadline| deadline.expire_time);
        attempts.chain(deadline).min()
    }
}

/// What is next for `order`, seen at `now`. Pure: the same order and time give the same answer.
pub fn todo(order: &Order, now: Timestamp) -> Todo {
    // A provider may find after the close that it had moved money: then that is to be undone.
    if order.state.is_closed() {
        return compensate::todo(order).unwrap_or_default();
    }
    if let Some(reason) = order.ending {
        let undo = compensate::todo(order);
        return undo.unwrap_or_else(|| Todo::record(Change::Closed { reason }));
    }
    let phases = screen::todo(order)
        .or_else(|| secure::todo(order, now))
        .or_else(|| approve::todo(order, now))
        .or_else(|| hold::todo(order))
        .or_else(|| fulfill::todo(order))
        .or_else(|| deliver::todo(order));
    phases.unwrap_or_else(|| {
        Todo::record(Change::Closed {
            reason: CloseReason::Completed,
        })
    })
}

/// The earliest time at which anything is due for `order`; none when nothing is, or only a command without
/// end. An order that is long past it was forgotten by its workflow.
pub fn due_time(order: &Order) -> Option<Timestamp> {
    let todo = todo(order, order.update_time);
    let is_first = todo.due.iter().any(|due| due.not_before.is_none());
    if todo.record.is_some() || is_first {
        return Some(order.update_time);
    }
    todo.next_time()
}

/// What the end of a wait means: none when the order does not wait for that any more, so that a
/// deadline counts once, and never after its way out was taken.
pub fn deadline_passed(order: &Order, deadline: &Deadline, now: Timestamp) -> Option<Change> {
    if !order.deadlines.contains(deadline) || now < deadline.expire_time {
        return None;
    }
    Some(match deadline.kind {
        DeadlineKind::PickupReminder => Change::PickupReminded,
        kind => Change::DeadlinePassed { kind },
    })
}

/// An effect that is due, after the wait that its last failure asks for.
fn due(order: &Order, effect: Effect) -> Due {
    let fault = order.fault_of(effect);
    Due {
        effect,
        not_before: fault.map(|fault| fault.retry_time),
    }
}
