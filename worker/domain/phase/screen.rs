//! Screen: the fraud check, before any money moves.

use super::{Todo, call};
use crate::{order::Order, step::Step};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    (order.policy.fraud_check && !order.screened).then(|| call(order, Step::Screen))
}
