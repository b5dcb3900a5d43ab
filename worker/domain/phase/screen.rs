//! Screen: the fraud check, before any money moves.

use super::Todo;
use crate::{order::Order, step::Step};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    let is_asked = order.policy.fraud_check && !order.screened;
    is_asked.then(|| Todo::step(order, Step::Screen))
}
