//! Deadlines, the waits between attempts, and what ends a wait.

use super::{
    ledger::Answer::{Failed, Lost},
    story::{
        BIG, SMALL, answers, call, calls, cancel, done, next_call, pass_deadline, placed, preset,
        review,
    },
    world::Op,
};
use crate::{
    command::Command,
    effect::Effect,
    state::{OrderState, ReviewDecision},
    step::Step,
};
use Step::{AuthorizePayment as Authorize, ChargePayment as Charge, ReserveInventory as Reserve};

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
        let deadline = world.order.deadline.expect("a deadline");
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
        let fault = world.order.fault.as_ref();
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
    assert_eq!(world.order.fault, None);
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
        let deadline = world.order.deadline.expect("a deadline");
        world.clock = deadline.expire_time;
        done(&mut world, command);
        let events = world.events.len();
        world.transact(&Op::Deadline(deadline));
        assert_eq!(world.events.len(), events);
    }
}
