//! Compensate: undo what was done, newest first, and never give up.

use super::Todo;
use crate::{order::Order, step::CompensationOutcome};

/// One compensation after the other: the reverse of what was done.
pub(super) fn todo(order: &Order) -> Option<Todo> {
    order
        .compensations
        .iter()
        .find(|entry| entry.outcome == CompensationOutcome::Pending)
        .map(|entry| Todo::effect(order, entry.effect))
}
