//! Approve: a person decides about orders above the policy's threshold.

use super::Todo;
use crate::{event::Change, later::later, order::Order, state::DeadlineKind};
use jiff::Timestamp;

pub(super) fn todo(order: &Order, now: Timestamp) -> Option<Todo> {
    if !order.approval.required || order.approval.decision.is_some() {
        return None;
    }
    Some(match order.deadline_of(DeadlineKind::Approval) {
        Some(deadline) => Todo::wait(Some(deadline)),
        None => Todo::record(Change::ApprovalRequested {
            expire_time: later(now, order.policy.approval_timeout.unwrap_or_default()),
        }),
    })
}
