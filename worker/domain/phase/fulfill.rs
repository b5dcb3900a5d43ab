//! Fulfil: take the authorized money, then get the parcel to the carrier.

use super::{Todo, due};
use crate::{
    order::Order,
    policy::{PaymentMode, ShippingMode},
    step::Step,
};

pub(super) fn todo(order: &Order) -> Option<Todo> {
    // Once the carrier has the parcel, it is asked for nothing more: a request that failed before the
    // pickup was confirmed would only send a second van.
    if order.shipment.dispatched {
        return None;
    }
    let needs = |step| !order.has_done(step);
    if order.policy.payment == PaymentMode::AuthorizeCapture && needs(Step::CapturePayment) {
        // A provider is never asked to capture what only a person says that it holds: the name of the
        // authorization would be a text of that person. The provider's confirmation ends the wait.
        if order.has_unconfirmed_payment() {
            return Some(Todo::wait(None));
        }
        return Some(Todo::step(order, Step::CapturePayment));
    }
    let lane = order.policy.shipping == ShippingMode::Lane;
    if lane && needs(Step::PreparePackage) {
        return Some(Todo::step(order, Step::PreparePackage));
    }
    if order.policy.pickup_reminder.is_none() {
        return Some(Todo::step(order, Step::DispatchShipment));
    }
    if needs(Step::RequestPickup) {
        return Some(Todo::step(order, Step::RequestPickup));
    }
    // The carrier is reminded also while it cannot be told the new address.
    let redirect = order.shipment.redirect_due;
    let redirect = redirect.then(|| due(order, order.effect(Step::RedirectShipment)));
    Some(Todo {
        due: redirect.into_iter().collect(),
        ..Todo::wait(order.next_deadline())
    })
}
