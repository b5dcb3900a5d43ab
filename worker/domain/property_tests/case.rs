//! An order that comes to a bad end: what goes wrong, and what must come of it.

use super::{
    ledger::Answer,
    story::{BIG, answers, assert_closed, calls, done, pass_deadline, placed, preset, way_out},
    world::World,
};
use crate::{command::Command, state::CloseReason, step::Step};

/// What happens at a wait that does not take its usual way out.
pub(super) enum Beat {
    /// The deadline passes.
    Pass,
    Say(Command),
    /// The usual way out.
    Usual,
}

struct Case<'a> {
    policy: &'a str,
    answers: &'a [(Step, &'a [Answer])],
    beats: Vec<Beat>,
    reason: CloseReason,
    /// All calls, the undoing ones with them.
    calls: &'a [Step],
    undone: &'a [Step],
}

fn run(case: &Case<'_>) -> World {
    let mut world = placed(&preset(case.policy), BIG);
    for (step, script) in case.answers {
        answers(&mut world, *step, script);
    }
    let mut beats = case.beats.iter();
    loop {
        calls(&mut world);
        if world.order.state.is_closed() {
            break;
        }
        match beats.next() {
            Some(Beat::Pass) => pass_deadline(&mut world),
            Some(Beat::Say(command)) => done(&mut world, command.clone()),
            Some(Beat::Usual) => assert!(way_out(&mut world)),
            None => panic!("{} waits in {}", case.policy, world.order.state),
        }
    }
    assert!(beats.next().is_none());
    let name = format!("{} with {:?}", case.policy, case.answers);
    assert_closed(&world, case.reason, case.undone, &name);
    assert_eq!(world.ledger.calls, case.calls, "{name}");
    world
}

pub(super) fn check(
    policy: &str,
    answers: &[(Step, &[Answer])],
    beats: Vec<Beat>,
    reason: CloseReason,
    calls: &[Step],
    undone: &[Step],
) {
    run(&Case {
        policy,
        answers,
        beats,
        reason,
        calls,
        undone,
    });
}
