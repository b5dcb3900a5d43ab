//! Secure: have the stock and the money, in the order that the policy asks for.

use super::Todo;
use crate::{
    event::Change,
    later::later,
    order::Order,
    policy::{PaymentMode, SecureOrder},
    state::{DeadlineKind, ReservationState},
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
    let is_missing = order.reservation.state == ReservationState::None;
    is_missing.then(|| Todo::step(order, Step::ReserveInventory))
}

fn pay(order: &Order, now: Timestamp) -> Option<Todo> {
    let once = |step| (!order.has_done(step)).then(|| Todo::step(order, step));
    match order.policy.payment {
        PaymentMode::Sale => once(Step::ChargePayment),
        PaymentMode::AuthorizeCapture => once(Step::AuthorizePayment),
        // A part may have arrived: the order waits until all of it has.
        PaymentMode::External if order.is_paid_outside() => None,
        PaymentMode::External => Some(match order.deadline_of(DeadlineKind::Payment) {
            Some(deadline) => Todo::wait(Some(deadline)),
            None => Todo::record(Change::PaymentRequested {
                expire_time: later(now, order.policy.payment_timeout.unwrap_or_default()),
            }),
        }),
    }
}
