//! Telling what happens to one order, step by step.

use super::{
    ledger::Answer,
    scenario::{START, address, world},
    world::{Op, Outcome, World},
};
use crate::{
    command::{
        CancelOrder, Command, CommandRequest, ConfirmPayment, ConfirmPickup, ReviewOrder,
        UpdateShippingAddress,
    },
    effect::Effect,
    event::{Change, Event},
    money::Money,
    order::{Fault, LineItem, Order},
    payment_method::PaymentMethodType,
    phase::todo,
    policy::{CancelCutoff, Policy, book::PolicyBook},
    state::{CloseReason, OrderState, ReviewDecision},
    step::Step,
};
use jiff::{SignedDuration, Timestamp};

/// An order of two pieces, 100.00 in all.
pub(super) const SMALL: i64 = 5_000;
/// An order of two pieces, 6,000.00 in all: above the threshold of the presets.
pub(super) const BIG: i64 = 300_000;

pub(super) fn preset(name: &str) -> Policy {
    let book = PolicyBook::presets().expect("the presets can be read");
    book.get(name).expect("a preset").clone()
}

/// `pre-order`, but with a way back until the carrier has the parcel.
pub(super) fn pickup_until_dispatch() -> Policy {
    Policy {
        cancel_until: CancelCutoff::Dispatch,
        ..preset("pre-order")
    }
}

/// An order that was just placed: two pieces at `price`, ten in stock, released in 48 hours.
pub(super) fn placed(policy: &Policy, price: i64) -> World {
    let item = LineItem {
        sku: "sku-0".to_owned(),
        name: String::new(),
        quantity: 2,
        unit_price: Money::new("USD", price),
    };
    let release = policy
        .holds()
        .then_some(START + SignedDuration::from_hours(48));
    world(policy, vec![item], 10, release)
}

pub(super) fn answers(world: &mut World, step: Step, answers: &[Answer]) {
    world
        .step_answers
        .insert(step, answers.iter().copied().collect());
}

/// The effect that is next, and its earliest time.
pub(super) fn next_call(order: &Order, now: Timestamp) -> Option<(Effect, Option<Timestamp>)> {
    let due = todo(order, now).due;
    due.first().map(|due| (due.effect, due.not_before))
}

/// The step that can be carried out at `now`.
pub(super) fn due_step(order: &Order, now: Timestamp) -> Option<Step> {
    let effect = todo(order, now).ready(now).next();
    effect.map(|effect| effect.step)
}

/// What follows from the order as it stands.
pub(super) fn follows(order: &Order, now: Timestamp) -> Option<Change> {
    todo(order, now).record
}

/// The only effect that is failing.
pub(super) fn the_fault(order: &Order) -> Option<Fault> {
    assert!(order.faults.len() <= 1, "{:?}", order.faults);
    order.faults.first().cloned()
}

/// The steps that undo the order, in their order.
pub(super) fn undoing(order: &Order) -> Vec<Step> {
    let entries = order.compensations.iter();
    entries.map(|entry| entry.effect.step).collect()
}

/// Makes the next call, after its wait; false when none is next.
pub(super) fn call(world: &mut World) -> bool {
    loop {
        let todo = todo(&world.order, world.clock);
        if todo.record.is_some() {
            world.transact(&Op::Settle);
            continue;
        }
        let Some(due) = todo.due.first() else {
            return false;
        };
        let time = due.not_before.unwrap_or(world.clock);
        world.clock = world.clock.max(time);
        world.transact(&Op::Effect(due.effect));
        return true;
    }
}

/// Makes all calls until the order waits or is closed.
pub(super) fn calls(world: &mut World) {
    for _ in 0..100 {
        if !call(world) {
            return;
        }
    }
    panic!("no end of calls");
}

/// Lets the time of the wait pass.
pub(super) fn pass_deadline(world: &mut World) {
    let deadline = world.order.next_deadline().expect("a deadline");
    world.clock = deadline.expire_time;
    world.transact(&Op::Deadline(deadline));
}

/// Asks for something, as a fresh request.
pub(super) fn say(world: &mut World, command: Command) -> Outcome {
    let request = CommandRequest {
        request_id: format!("say-{}", world.order.revision),
        actor: "somebody".to_owned(),
        expected_revision: None,
        seen_revision: 0,
        attempt: String::new(),
        command,
    };
    let outcome = world.transact(&Op::Command(request, None));
    outcome.expect("a command has an outcome")
}

/// Asks for something that is done.
pub(super) fn done(world: &mut World, command: Command) {
    assert_eq!(say(world, command), Outcome::Done { replayed: false });
}

/// What the order waits for, said by whom it may concern; at the end of an automatic wait, its
/// deadline. False when it is closed.
pub(super) fn way_out(world: &mut World) -> bool {
    match world.order.state {
        OrderState::AwaitingPayment => done(world, pay(&world.order.clone())),
        OrderState::AwaitingApproval => done(world, review(ReviewDecision::Approve)),
        OrderState::AwaitingRelease => done(world, Command::StartFulfillment),
        OrderState::InFulfillment => done(world, pickup(None)),
        OrderState::InTransit if !world.order.deadlines.is_empty() => pass_deadline(world),
        OrderState::InTransit => done(world, Command::ConfirmDelivery),
        _ => return false,
    }
    true
}

/// The world after each transaction of an order that goes well, the first after its placing.
pub(super) fn happy_path(policy: &Policy, price: i64) -> Vec<World> {
    let mut world = placed(policy, price);
    let mut path = vec![world.clone()];
    while call(&mut world) || way_out(&mut world) {
        path.push(world.clone());
    }
    path
}

/// Each event with the order's state after it.
pub(super) fn told(world: &World) -> Vec<String> {
    let mut order = Order::from_placed(&world.events[0]).expect("placed first");
    let tell = |event: &Event| {
        order.apply(event);
        format!("{} {}", event.change.type_name(), order.state)
    };
    world.events.iter().map(tell).collect()
}

/// The order is closed for `reason`, and exactly these steps undid it, in this order.
pub(super) fn assert_closed(world: &World, reason: CloseReason, undone: &[Step], name: &str) {
    assert_eq!(world.order.close_reason(), Some(reason), "{name}");
    let steps: Vec<Step> = undoing(&world.order);
    assert_eq!(steps, undone, "{name}");
}

pub(super) fn pay(order: &Order) -> Command {
    confirm("bank-1", order.total.clone())
}

/// A part of the total, and more than half of it.
pub(super) fn pay_part(order: &Order) -> Command {
    confirm("bank-part", order.money(order.total.minor / 2 + 1))
}

pub(super) fn confirm(transaction_id: &str, amount: Money) -> Command {
    Command::ConfirmPayment(ConfirmPayment {
        transaction_id: transaction_id.to_owned(),
        amount,
        payment_method: PaymentMethodType::BankTransfer,
        last4: String::new(),
    })
}

pub(super) fn review(decision: ReviewDecision) -> Command {
    Command::ReviewOrder(ReviewOrder {
        decision,
        reviewer: "reviewer".to_owned(),
        reason: "because".to_owned(),
    })
}

pub(super) fn pickup(tracking_number: Option<&str>) -> Command {
    Command::ConfirmPickup(ConfirmPickup {
        tracking_number: tracking_number.map(str::to_owned),
    })
}

pub(super) fn move_to(line1: &str) -> Command {
    Command::UpdateShippingAddress(UpdateShippingAddress {
        shipping_address: address(line1),
    })
}

pub(super) fn cancel() -> Command {
    Command::CancelOrder(CancelOrder {
        reason: "changed my mind".to_owned(),
    })
}
