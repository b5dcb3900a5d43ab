//! Fulfil: take the authorized money, then get the parcel to the carrier.

use super::{Todo, call};
use crate::domain::{
    order::Order,
    policy::{PaymentMode, ShippingMode},
    state::ReservationState,
    step::Step,
};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    let done = |step| order.done.contains(&step);
    if order.policy.payment == PaymentMode::AuthorizeCapture && !done(Step::CapturePayment) {
        return Some(call(order, Step::CapturePayment));
    }
    let lane = order.policy.shipping == ShippingMode::Lane;
    // A pickup that was confirmed before the lane had prepared it has left all the same.
    if lane && !done(Step::PreparePackage) && !order.shipment.dispatched {
        return Some(call(order, Step::PreparePackage));
    }
    if order.policy.pickup_reminder.is_some() {
        if !done(Step::RequestPickup) {
            return Some(call(order, Step::RequestPickup));
        }
        if order.shipment.redirect_due {
            return Some(call(order, Step::RedirectShipment));
        }
        if !order.shipment.dispatched {
            return Some(Todo::Wait(order.deadline));
        }
    } else if !order.shipment.dispatched {
        return Some(call(order, Step::DispatchShipment));
    }
    (order.reservation.state == ReservationState::Reserved)
        .then(|| call(order, Step::CommitReservation))
}
