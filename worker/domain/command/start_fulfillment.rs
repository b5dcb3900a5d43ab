//! StartFulfillment: leave the hold.

use crate::{event::Change, order::Order, state::OrderState};

pub(super) fn is_allowed(order: &Order) -> bool {
    order.state == OrderState::AwaitingRelease
}

pub(super) fn change() -> Change {
    Change::FulfillmentStarted
}
