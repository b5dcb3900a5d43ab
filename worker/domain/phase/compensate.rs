//! Compensate: undo what was done, newest first, and never give up.

use super::{Todo, call};
use crate::{order::Order, step::CompensationOutcome};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    order
        .compensations
        .iter()
        .find(|entry| entry.outcome == CompensationOutcome::Pending)
        .map(|entry| call(order, entry.step))
}
