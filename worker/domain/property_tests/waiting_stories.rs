//! Deadlines, the waits between attempts, and what ends a wait.

use super::{
    ledger::Answer::{Failed, Lost},
    story::{
        BIG, SMALL, answers, call, calls, cancel, done, move_to, next_call, pass_deadline,
        pickup_until_dispatch, placed, preset, review,
    },
    world::Op,
};
use crate::{
    command::Command,
    effect::Effect,
    phase::{Due, Todo, due_time, todo},
    policy::{DeliveryMode, Policy},
    state::{OrderState, ReviewDecision, ShipmentState},
    step::Step,
};
use Step::{AuthorizePayment as Authorize, ChargePayment as Charge, ReserveInventory as Reserve};
use std::time::Duration;

/// Not a moment before its time, and once.
#[test]
fn a_deadline_keeps_its_time() {
    for (policy, hours) in [
        ("standard", 24),
        ("approval", 24),
        ("external-payment", 24),
        // Released after 48 hours, and 7 days of grace.
        ("pre-order", 48 + 7 * 24),
    ] {
        let mut world = placed(&preset(policy), BIG);
        calls(&mut world);
        let deadline = world.order.next_deadline().expect("a deadline");
        let wait = deadline.expire_time.duration_since(world.order.place_time);
        assert_eq!(wait, jiff::SignedDuration::from_hours(hours), "{policy}");
        let events = world.events.len();
        world.clock = deadline.expire_time - jiff::SignedDuration::from_nanos(1);
        world.transact(&Op::Deadline(deadline));
        assert_eq!(world.events.len(), events, "{policy}");
        pass_deadline(&mut world);
        assert_eq!(world.order.state, OrderState::Cancelling, "{policy}");
        let events = world.events.len();
        world.transact(&Op::Deadline(deadline));
        assert_eq!(world.events.len(), events, "{policy}");
    }
}

/// 000: payments have waits of their own.
#[test]
fn payments_wait_by_their_own_policy() {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Charge, &[Failed, Lost]);
    answers(&mut world, Reserve, &[Failed]);
    let mut waits = Vec::new();
    while call(&mut world) {
        let fault = world.order.faults.first();
        let wait = fault.map(|fault| fault.retry_time.duration_since(world.clock).as_secs());
        waits.push(wait);
    }
    assert_eq!(waits, [Some(2), Some(4), None, Some(1), None]);
}

/// The waits between attempts are the policy's, and other steps begin anew.
#[test]
fn attempts_wait_longer_each_time() {
    let mut world = placed(&preset("standard"), SMALL);
    answers(&mut world, Reserve, &[Failed, Lost]);
    answers(&mut world, Authorize, &[Failed]);
    let waits = [None, Some(1), Some(2), None, Some(1)];
    let steps = [Reserve, Reserve, Reserve, Authorize, Authorize];
    assert!(call(&mut world));
    for (step, wait) in steps.into_iter().zip(waits) {
        let time = wait.map(|seconds| world.clock + jiff::SignedDuration::from_secs(seconds));
        let effect = Effect::first(step);
        let next = next_call(&world.order, world.clock);
        assert_eq!(next, Some((effect, time)));
        // Too early, and nothing is asked.
        if time.is_some() {
            let asked = world.ledger.calls.len();
            world.transact(&Op::Effect(effect));
            assert_eq!(world.ledger.calls.len(), asked);
        }
        assert!(call(&mut world));
    }
    assert_eq!(world.order.faults, []);
}

/// The log decides: a command that came in time for the log goes first, and then the deadline
/// finds its way out taken.
#[test]
fn a_command_beats_a_deadline_that_nobody_noticed() {
    for (policy, command) in [
        ("standard", review(ReviewDecision::Approve)),
        ("pre-order", Command::StartFulfillment),
        ("standard", cancel()),
    ] {
        let mut world = placed(&preset(policy), BIG);
        calls(&mut world);
        let deadline = world.order.next_deadline().expect("a deadline");
        world.clock = deadline.expire_time;
        done(&mut world, command);
        let events = world.events.len();
        world.transact(&Op::Deadline(deadline));
        assert_eq!(world.events.len(), events);
    }
}

/// A parcel arrives whatever the inventory does; the order closes once both are through.
#[test]
fn a_commit_that_fails_does_not_hold_back_the_delivery() {
    let policy = Policy {
        delivery: DeliveryMode::AutoAfter,
        delivery_after: Some(Duration::from_secs(1)),
        ..preset("standard")
    };
    let mut world = placed(&policy, SMALL);
    answers(&mut world, Step::CommitReservation, &[Failed; 3]);
    while world.order.faults.is_empty() {
        assert!(call(&mut world));
    }
    let commit = Effect::first(Step::CommitReservation);
    let next = todo(&world.order, world.clock);
    assert_eq!(next.due[0].effect, commit);
    assert!(next.due[0].not_before > Some(world.clock) && next.ready(world.clock).count() == 0);
    let deadline = next.deadline.expect("it is on its way");
    assert_eq!(due_time(&world.order), next.next_time());
    assert!(next.next_time() <= Some(deadline.expire_time));
    pass_deadline(&mut world);
    let shipment = &world.order.shipment;
    assert_eq!(shipment.state, ShipmentState::Delivered);
    assert_eq!(world.order.state, OrderState::InTransit);
    let next = todo(&world.order, world.clock);
    assert!(!next.waits && next.deadline.is_none());
    assert_eq!(next.due[0].effect, commit);
    calls(&mut world);
    assert_eq!(world.order.state, OrderState::Completed);
}

/// The carrier is reminded of the parcel also while it cannot be told the new address.
#[test]
fn a_redirect_that_fails_does_not_hold_back_the_reminder() {
    let mut world = placed(&pickup_until_dispatch(), SMALL);
    calls(&mut world);
    done(&mut world, Command::StartFulfillment);
    calls(&mut world);
    let reminder = world.order.next_deadline().expect("a reminder");
    done(&mut world, move_to("new"));
    answers(&mut world, Step::RedirectShipment, &[Failed]);
    assert!(call(&mut world));
    let next = todo(&world.order, world.clock);
    assert_eq!(next.deadline, Some(reminder));
    assert_eq!(next.due[0].effect, Effect::first(Step::RedirectShipment));
    pass_deadline(&mut world);
    assert_eq!(world.order.shipment.reminders, 1);
    assert!(world.order.shipment.redirect_due);
    calls(&mut world);
    assert!(!world.order.shipment.redirect_due);
}

/// Of several effects that are due, those whose time has come are carried out, in their order.
#[test]
fn an_effect_that_waits_holds_back_no_other() {
    let world = placed(&preset("standard"), SMALL);
    let now = world.clock;
    let later = now + jiff::SignedDuration::from_secs(1);
    let [first, second, third] = [Reserve, Authorize, Charge].map(Effect::first);
    let due = [(first, Some(later)), (second, None), (third, Some(now))];
    let due = due.map(|(effect, not_before)| Due { effect, not_before });
    let todo = Todo {
        due: due.to_vec(),
        ..Todo::default()
    };
    assert_eq!(todo.ready(now).collect::<Vec<_>>(), [second, third]);
    assert!(!todo.allows(first, now) && todo.allows(third, now));
    assert_eq!(
        todo.ready(later).collect::<Vec<_>>(),
        [first, second, third]
    );
    assert_eq!(todo.next_time(), Some(now));
    assert!(todo.is_work() && !todo.is_nothing());
}
