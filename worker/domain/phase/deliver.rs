//! Deliver: wait until the parcel has arrived, or counts as arrived, and take it out of the stock meanwhile.

use super::{Todo, due};
use crate::{
    order::Order,
    state::{ReservationState, ShipmentState},
    step::Step,
};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    let is_reserved = order.reservation.state == ReservationState::Reserved;
    let commit = is_reserved.then(|| due(order, order.effect(Step::CommitReservation)));
    let waits = order.shipment.state != ShipmentState::Delivered;
    if commit.is_none() && !waits {
        return None;
    }
    // The parcel arrives whatever the inventory does.
    Some(Todo {
        due: commit.into_iter().collect(),
        waits,
        deadline: order.next_deadline(),
        ..Todo::default()
    })
}
