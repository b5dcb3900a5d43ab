//! Approve: a person decides about orders above the policy's threshold.

use super::Todo;
use crate::{event::Change, later::later, order::Order};
use jiff::Timestamp;

pub(super) fn todo(order: &Order, now: Timestamp) -> Option<Todo> {
    if !order.approval.required || order.approval.decision.is_some() {
        return None;
    }
    Some(match order.deadline {
        Some(deadline) => Todo::Wait(Some(deadline)),
        None => Todo::Record(Change::ApprovalRequested {
            expire_time: later(now, order.policy.approval_timeout.unwrap_or_default()),
        }),
    })
}
