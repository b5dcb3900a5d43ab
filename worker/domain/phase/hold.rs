//! Hold: wait for the release, or for StartFulfillment before it.

use super::Todo;
use crate::{event::Change, later::later, order::Order, state::OrderState};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    match order.state {
        OrderState::InFulfillment | OrderState::InTransit => None,
        OrderState::AwaitingRelease => Some(Todo::wait(order.next_deadline())),
        _ => Some(Todo::record(
            match (order.policy.release_grace, order.release_time) {
                (Some(grace), Some(release)) => Change::Held {
                    expire_time: later(release, grace),
                },
                _ => Change::FulfillmentStarted,
            },
        )),
    }
}
