//! Deliver: wait until the parcel has arrived, or counts as arrived.

use super::Todo;
use crate::{order::Order, state::ShipmentState};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    (order.shipment.state != ShipmentState::Delivered).then_some(Todo::Wait(order.deadline))
}
