//! Compensate: undo what was done, newest first, and never give up.

use super::{Todo, call_for};
use crate::{order::Order, step::CompensationOutcome};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    order
        .compensations
        .iter()
        .find(|entry| entry.outcome == CompensationOutcome::Pending)
        .map(|entry| call_for(order, entry.effect))
}
