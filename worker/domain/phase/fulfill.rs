//! Fulfil: take the authorized money, then get the parcel to the carrier.

use super::{Todo, call};
use crate::{
    order::Order,
    policy::{PaymentMode, ShippingMode},
    state::ReservationState,
    step::Step,
};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    let done = |step| order.has_done(step);
    if order.policy.payment == PaymentMode::AuthorizeCapture && !done(Step::CapturePayment) {
        // A provider is never asked to capture what only a person says that it holds: the name of the
        // authorization would be a text of that person. The provider's confirmation ends the wait.
        if order.has_unconfirmed_payment() {
            return Some(Todo::Wait(None));
        }
        return Some(call(order, Step::CapturePayment));
    }
    // Once the carrier has the parcel, it is asked for nothing more: a request that failed before the
    // pickup was confirmed would only send a second van.
    if order.shipment.dispatched {
        return (order.reservation.state == ReservationState::Reserved)
            .then(|| call(order, Step::CommitReservation));
    }
    let lane = order.policy.shipping == ShippingMode::Lane;
    if lane && !done(Step::PreparePackage) {
        return Some(call(order, Step::PreparePackage));
    }
    if order.policy.pickup_reminder.is_none() {
        return Some(call(order, Step::DispatchShipment));
    }
    if !done(Step::RequestPickup) {
        return Some(call(order, Step::RequestPickup));
    }
    if order.shipment.redirect_due {
        return Some(call(order, Step::RedirectShipment));
    }
    Some(Todo::Wait(order.deadline))
}
