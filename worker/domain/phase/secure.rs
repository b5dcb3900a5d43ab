//! Secure: have the stock and the money, in the order that the policy asks for.

use super::{Todo, call};
use crate::{
    event::Change,
    later::later,
    order::Order,
    policy::{PaymentMode, SecureOrder},
    state::ReservationState,
    step::Step,
};
use jiff::Timestamp;

pub(super) fn todo(order: &Order, now: Timestamp) -> Option<Todo> {
    match order.policy.secure {
        SecureOrder::ReserveThenPay => reserve(order).or_else(|| pay(order, now)),
        SecureOrder::PayThenReserve => pay(order, now).or_else(|| reserve(order)),
        SecureOrder::PayOnly => pay(order, now),
    }
}

fn reserve(order: &Order) -> Option<Todo> {
    (order.reservation.state == ReservationState::None).then(|| call(order, Step::ReserveInventory))
}

fn pay(order: &Order, now: Timestamp) -> Option<Todo> {
    let done = |step| order.has_done(step);
    match order.policy.payment {
        PaymentMode::Sale => (!done(Step::ChargePayment)).then(|| call(order, Step::ChargePayment)),
        PaymentMode::AuthorizeCapture => {
            (!done(Step::AuthorizePayment)).then(|| call(order, Step::AuthorizePayment))
        }
        // A part may have arrived: the order waits until all of it has.
        PaymentMode::External if order.is_paid_outside() => None,
        PaymentMode::External => Some(match order.deadline {
            Some(deadline) => Todo::Wait(Some(deadline)),
            None => Todo::Record(Change::PaymentRequested {
                expire_time: later(now, order.policy.payment_timeout.unwrap_or_default()),
            }),
        }),
    }
}
