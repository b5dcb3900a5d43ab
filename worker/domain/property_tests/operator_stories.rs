//! What operators see of an order that is in trouble, and what they can do.

use super::{
    ledger::Answer::{self, Failed, Silent},
    story::{
        SMALL, answers, call, calls, cancel, done, due_step, follows, placed, preset, say,
        the_fault,
    },
    world::{Outcome, World},
};
use crate::{
    attention::{CauseKind, INDETERMINATE_LONG, OVERDUE_LONG, WorkflowSight, causes},
    command::{
        CancelOrder, Command, CommandKind, CommandRequest, PaymentOutcome, Refusal, ResolvePayment,
        RetryOrder,
    },
    effect::Effect,
    event::{Change, Event},
    explain::{WaitsFor, explain},
    order::Order,
    policy::Policy,
    state::{CloseReason, OrderState, PaymentState, VouchState},
    step::{CompensationOutcome, LONGEST_WAIT, REFUSED_WAIT, Step},
};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

fn retry() -> Command {
    Command::RetryOrder(RetryOrder {
        reason: "it is back".to_owned(),
    })
}

pub(super) fn resolve(step: Step, outcome: PaymentOutcome) -> Command {
    Command::ResolvePayment(ResolvePayment {
        step,
        outcome,
        transaction_id: match outcome {
            PaymentOutcome::Succeeded => "txn-of-the-bank".to_owned(),
            PaymentOutcome::NotHappened => String::new(),
        },
        evidence: "statement 7".to_owned(),
        reason: "asked the bank".to_owned(),
    })
}

/// The order after a resolution. Not by way of the world, whose ledgers would contradict.
pub(super) fn resolved(world: &World, step: Step, outcome: PaymentOutcome) -> Order {
    let mut order = world.order.clone();
    let change = resolve(step, outcome).decide(&order, world.clock);
    order.apply(&Event {
        revision: order.revision + 1,
        time: world.clock,
        actor: "me".to_owned(),
        request_id: None,
        change: change.expect("it is allowed"),
    });
    order
}

/// A pre-order that is charged and reserved, and cancelled; its refund is answered like that.
fn cancelled(refund: &[Answer]) -> World {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Step::RefundPayment, refund);
    calls(&mut world);
    assert_eq!(world.order.state, OrderState::AwaitingRelease);
    done(&mut world, cancel());
    world
}

fn kinds(world: &World, now: Timestamp, workflow: Option<&WorkflowSight>) -> Vec<CauseKind> {
    let found = causes(&world.order, now, workflow);
    assert!(found.iter().all(|cause| !cause.what.is_empty()
        && !cause.unblocked_by.is_empty()
        && cause.since <= now));
    found.into_iter().map(|cause| cause.kind).collect()
}

fn running(task_attempts: i32) -> WorkflowSight {
    WorkflowSight::Running {
        task_attempts,
        task_failure: None,
        elsewhere: None,
    }
}

#[test]
fn undoing_is_never_given_up_and_its_waits_grow_to_minutes() {
    let mut world = cancelled(&[Failed; 40]);
    let after = world.order.policy.attention_after;
    let mut before = SignedDuration::ZERO;
    assert!(call(&mut world), "the stock is released");
    for attempt in 1..=40 {
        assert!(call(&mut world));
        let fault = the_fault(&world.order).expect("it failed");
        let tried = (fault.effect.step, fault.attempts);
        assert_eq!(tried, (Step::RefundPayment, attempt));
        assert_eq!(world.order.attention().is_some(), attempt >= after);
        assert_eq!(world.order.attention_time().is_some(), attempt >= after);
        let wait = fault.retry_time.duration_since(world.clock);
        assert!(wait >= before || attempt == after, "{attempt}: {wait}");
        before = wait;
    }
    assert_eq!(Duration::try_from(before).unwrap(), LONGEST_WAIT);
    calls(&mut world);
    assert_eq!(world.order.state, OrderState::Cancelled);
    assert_eq!(world.order.attention_time(), None);
}

#[test]
fn a_step_is_tried_at_once_and_its_failures_stay_counted() {
    let mut world = cancelled(&[Failed; 12]);
    for _ in 0..11 {
        call(&mut world);
    }
    let before = the_fault(&world.order).expect("it failed");
    assert!(before.retry_time.duration_since(world.clock).as_secs() > 30);
    let now = world.clock;
    done(&mut world, retry());
    let fault = the_fault(&world.order).expect("it is not forgotten");
    assert_eq!(
        (fault.attempts, fault.since),
        (before.attempts, before.since)
    );
    assert!(fault.retry_time <= now, "{} {now}", fault.retry_time);
    assert_eq!(due_step(&world.order, now), Some(Step::RefundPayment));
    // It fails once more: the wait goes on growing where it was.
    call(&mut world);
    let fault = the_fault(&world.order).expect("it failed again");
    assert_eq!(fault.attempts, before.attempts + 1);
    calls(&mut world);
    assert_eq!(world.order.state, OrderState::Cancelled);
    assert_eq!(world.order.payment.refunded, world.order.payment.captured);
}

#[test]
fn nothing_is_retried_that_waits_for_a_command_or_is_closed() {
    let mut world = placed(&preset("pre-order"), SMALL);
    assert!(CommandKind::RetryOrder.is_allowed(&world.order));
    calls(&mut world);
    for state in [OrderState::AwaitingRelease, OrderState::Cancelled] {
        assert_eq!(world.order.state, state);
        let refused = say(&mut world, retry());
        assert!(
            matches!(
                refused,
                Outcome::Refused(Refusal::NotAllowed {
                    command: CommandKind::RetryOrder,
                    ..
                })
            ),
            "{refused:?}"
        );
        if state == OrderState::AwaitingRelease {
            done(&mut world, cancel());
            calls(&mut world);
        }
    }
    // Nobody else is told of what operators can do.
    let world = placed(&preset("pre-order"), SMALL);
    assert!(
        !world
            .order
            .allowed_commands()
            .contains(&CommandKind::RetryOrder)
    );
    assert!(
        world
            .order
            .all_allowed_commands()
            .contains(&CommandKind::RetryOrder)
    );
    // An operator who is refused is told, a caller is not.
    for (command, is_told) in [
        (CommandKind::ResolvePayment, true),
        (CommandKind::ConfirmDelivery, false),
    ] {
        let refusal = Refusal::not_allowed(command, &world.order);
        let Refusal::NotAllowed { allowed, .. } = refusal else {
            panic!("{refusal:?}");
        };
        let retry = CommandKind::RetryOrder;
        assert_eq!(allowed.contains(&retry), is_told, "{command}");
    }
}

#[test]
fn a_charge_of_which_nobody_heard_is_booked_or_tried_anew() {
    for (outcome, next) in [
        (PaymentOutcome::Succeeded, Step::ReserveInventory),
        (PaymentOutcome::NotHappened, Step::ChargePayment),
    ] {
        let mut world = placed(&preset("pre-order"), SMALL);
        answers(&mut world, Step::ChargePayment, &[Silent]);
        assert_eq!(world.order.unknown_payments(), []);
        let early = say(&mut world, resolve(Step::ChargePayment, outcome));
        assert!(matches!(
            early,
            Outcome::Refused(Refusal::NotAllowed { .. })
        ));
        call(&mut world);
        assert_eq!(world.order.payment.state, PaymentState::Indeterminate);
        assert_eq!(
            world.order.unknown_payments(),
            [Effect::first(Step::ChargePayment)]
        );
        let other = say(&mut world, resolve(Step::RefundPayment, outcome));
        assert!(matches!(
            other,
            Outcome::Refused(Refusal::PaymentKnown { .. })
        ));
        let now = world.clock;
        let order = &resolved(&world, Step::ChargePayment, outcome);
        assert_eq!(order.unknown_payments(), []);
        assert_eq!(due_step(order, now), Some(next), "{outcome}");
        let (state, captured) = match outcome {
            PaymentOutcome::Succeeded => (PaymentState::Captured, order.total.minor),
            PaymentOutcome::NotHappened => (PaymentState::None, 0),
        };
        assert_eq!(
            (order.payment.state, order.payment.captured),
            (state, captured)
        );
    }
}

/// A cancelled order of whose only charge nobody heard, and whose refund fails.
pub(super) fn lost_and_cancelled() -> World {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Step::ChargePayment, &[Silent]);
    answers(&mut world, Step::RefundPayment, &[Failed; 3]);
    call(&mut world);
    done(&mut world, cancel());
    call(&mut world);
    assert_eq!(
        world.order.unknown_payments(),
        [Effect::first(Step::ChargePayment)]
    );
    world
}

#[test]
fn what_never_happened_is_not_undone() {
    let world = lost_and_cancelled();
    let order = resolved(&world, Step::ChargePayment, PaymentOutcome::NotHappened);
    let closed = Change::Closed {
        reason: CloseReason::CustomerCancelled,
    };
    assert_eq!(follows(&order, world.clock), Some(closed));
    assert_eq!(order.unknown_payments(), []);
    assert_eq!(order.faults, []);
    assert_eq!(
        order.compensations[0].outcome,
        CompensationOutcome::NotNeeded
    );
    assert_eq!(order.payment.state, PaymentState::None);
}

#[test]
fn what_happened_is_undone_at_once() {
    let world = lost_and_cancelled();
    let order = resolved(&world, Step::ChargePayment, PaymentOutcome::Succeeded);
    assert_eq!(order.payment.state, PaymentState::Refunding);
    assert_eq!(order.payment.captured, order.total.minor);
    assert_eq!(due_step(&order, world.clock), Some(Step::RefundPayment));
}

#[test]
fn a_refund_of_which_nobody_heard_is_booked_or_tried_anew() {
    // Also after a failure that says nothing of the attempt before.
    let mut world = cancelled(&[Silent, Failed]);
    for _ in 0..3 {
        call(&mut world);
    }
    assert_eq!(
        world.order.unknown_payments(),
        [Effect::first(Step::RefundPayment)]
    );
    let order = resolved(&world, Step::RefundPayment, PaymentOutcome::Succeeded);
    assert_eq!(order.payment.state, PaymentState::Refunded);
    assert_eq!(order.payment.refunded, order.total.minor);
    let next = follows(&order, world.clock);
    assert!(matches!(next, Some(Change::Closed { .. })));
    // The money is owed all the same: that the refund did not happen does not make it needless.
    let order = resolved(&world, Step::RefundPayment, PaymentOutcome::NotHappened);
    assert_eq!(order.unknown_payments(), []);
    assert_eq!(order.payment.state, PaymentState::Refunding);
    assert_eq!(due_step(&order, world.clock), Some(Step::RefundPayment));
}

#[test]
fn every_kind_of_wait_is_explained() {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Step::ChargePayment, &[Failed]);
    let told = |world: &World| explain(&world.order, world.clock, Some(&running(0)));
    let next = told(&world);
    assert_eq!(
        (next.waits_for, next.effect),
        (WaitsFor::Provider, Some(Effect::first(Step::ChargePayment)))
    );
    call(&mut world);
    let next = told(&world);
    assert_eq!((next.waits_for, next.failed_attempts), (WaitsFor::Retry, 1));
    assert_eq!(next.max_attempts, Some(3));
    assert!(next.next_retry > Some(world.clock) && !next.last_error.is_empty());
    assert!(next.unblocked_by.contains("RetryOrder"), "{next:?}");
    calls(&mut world);
    let next = told(&world);
    assert_eq!((next.waits_for, next.effect), (WaitsFor::Command, None));
    assert!(next.deadline.is_some() && next.unblocked_by.contains("START_FULFILLMENT"));
    assert_eq!(next.failed_attempts, 0);
    // Its workflow is gone, or fails: then that is what it waits for, also while it is not late.
    for sight in [
        WorkflowSight::Missing,
        WorkflowSight::Ended("FAILED".to_owned()),
        running(9),
    ] {
        let next = explain(&world.order, world.clock, Some(&sight));
        assert_eq!(next.waits_for, WaitsFor::Workflow, "{sight:?}");
        // RetryOrder starts a workflow that is gone, whatever the order waits for.
        let is_gone = !matches!(sight, WorkflowSight::Running { .. });
        let retry = CommandKind::RetryOrder;
        assert_eq!(next.allowed.contains(&retry), is_gone, "{sight:?}");
        assert_eq!(next.unblocked_by.contains("RetryOrder"), is_gone);
    }
    let mut world = cancelled(&[Failed; 5]);
    for _ in 0..6 {
        call(&mut world);
    }
    let next = told(&world);
    assert_eq!(
        (next.waits_for, next.max_attempts),
        (WaitsFor::Operator, None)
    );
    calls(&mut world);
    let next = explain(
        &world.order,
        world.clock,
        Some(&WorkflowSight::Ended(String::new())),
    );
    assert_eq!((next.waits_for, next.allowed), (WaitsFor::Nothing, vec![]));
}

#[test]
fn every_reason_for_attention_is_found_and_nothing_else() {
    let mut world = placed(&preset("pre-order"), SMALL);
    let now = world.clock;
    let late = now + OVERDUE_LONG + SignedDuration::from_secs(1);
    assert_eq!(kinds(&world, now, None), []);
    assert_eq!(kinds(&world, now + OVERDUE_LONG, None), []);
    assert_eq!(kinds(&world, late, None), [CauseKind::Overdue]);
    assert_eq!(kinds(&world, late, Some(&running(1))), [CauseKind::Overdue]);
    let elsewhere = WorkflowSight::Running {
        task_attempts: 0,
        task_failure: None,
        elsewhere: Some("orders-old".to_owned()),
    };
    let found = causes(&world.order, late, Some(&elsewhere));
    assert_eq!(found[0].kind, CauseKind::Overdue);
    let help = "orders worker --task-queue orders-old";
    assert!(found[0].unblocked_by.contains(help), "{found:?}");
    assert_eq!(kinds(&world, now, Some(&running(2))), []);
    assert_eq!(
        kinds(&world, now, Some(&running(3))),
        [CauseKind::WorkflowFailing]
    );
    assert_eq!(
        kinds(&world, now, Some(&WorkflowSight::Missing)),
        [CauseKind::NoWorkflow]
    );
    // A wait for a command is not late.
    answers(&mut world, Step::ChargePayment, &[Silent]);
    call(&mut world);
    let lost = world.clock;
    let long = SignedDuration::try_from(INDETERMINATE_LONG).unwrap();
    assert_eq!(world.order.attention_time(), Some(lost + long));
    let soon = kinds(&world, lost + long - SignedDuration::from_secs(1), None);
    assert!(!soon.contains(&CauseKind::PaymentIndeterminate));
    let found = kinds(&world, lost + long, None);
    assert!(found.contains(&CauseKind::PaymentIndeterminate));
    calls(&mut world);
    assert_eq!(world.order.attention_time(), None);
    assert_eq!(
        kinds(&world, world.clock + SignedDuration::from_hours(1), None),
        []
    );
    let mut world = cancelled(&[Failed; 5]);
    for _ in 0..6 {
        call(&mut world);
    }
    assert_eq!(kinds(&world, world.clock, None), [CauseKind::StepFailing]);
    calls(&mut world);
    assert_eq!(kinds(&world, late, Some(&WorkflowSight::Missing)), []);
}

#[test]
fn a_policy_that_asks_for_attention_early_is_heard() {
    let policy = Policy {
        attention_after: 1,
        ..preset("pre-order")
    };
    let mut world = placed(&policy, SMALL);
    answers(&mut world, Step::ChargePayment, &[Failed]);
    call(&mut world);
    assert_eq!(kinds(&world, world.clock, None), [CauseKind::StepFailing]);
}

#[test]
fn money_that_is_refused_asks_for_a_person_at_once_and_is_settled_by_one() {
    let mut world = cancelled(&[Answer::Refused; 9]);
    call(&mut world);
    call(&mut world);
    let refund = Effect::first(Step::RefundPayment);
    let fault = the_fault(&world.order).expect("it was refused");
    let tried = (fault.effect.step, fault.attempts);
    assert_eq!(tried, (Step::RefundPayment, 1));
    let wait = fault.retry_time.duration_since(world.clock);
    assert_eq!(Duration::try_from(wait).unwrap(), REFUSED_WAIT);
    assert_eq!(kinds(&world, world.clock, None), [CauseKind::RefundByHand]);
    assert_eq!(world.order.attention_time(), Some(fault.since));
    assert_eq!(world.order.payment.state, PaymentState::Refunding);
    assert_eq!(world.order.unknown_payments(), []);
    let next = explain(&world.order, world.clock, Some(&running(0)));
    assert_eq!(next.waits_for, WaitsFor::Operator);
    assert_eq!(next.unknown_payments, [refund]);
    assert!(next.allowed.contains(&CommandKind::ResolvePayment));
    assert!(next.unblocked_by.contains("ResolvePayment"), "{next:?}");

    let order = resolved(&world, Step::RefundPayment, PaymentOutcome::Succeeded);
    assert_eq!(order.payment.refunded, order.total.minor);
    let next = follows(&order, world.clock);
    assert!(matches!(next, Some(Change::Closed { .. })));
    assert_eq!(order.vouched[0].state, VouchState::ByHand);
    assert_eq!(causes(&order, world.clock, None), []);
    assert_eq!(order.vouch_time(), None);

    // Anew, and under another key: the refusal under the first one is final.
    assert_eq!(world.order.effect(Step::RefundPayment), refund);
    let order = resolved(&world, Step::RefundPayment, PaymentOutcome::NotHappened);
    let second = Effect {
        number: 2,
        ..refund
    };
    assert_eq!(order.effect(Step::RefundPayment), second);
    assert_eq!(order.compensations[1].effect, second);
    assert_eq!(order.refused_payments(), []);
    assert_eq!(order.vouched, []);
    assert_eq!(due_step(&order, world.clock), Some(Step::RefundPayment));
    // A provider that thinks better of it ends it as well.
    calls(&mut world);
    assert_eq!(world.order.state, OrderState::Cancelled);
}

/// A provider closes a key that it is asked about in vain: while the step goes on under that key, it is not asked.
#[test]
fn what_is_tried_again_under_the_same_key_is_not_asked_for() {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Step::ChargePayment, &[Silent]);
    call(&mut world);
    let order = resolved(&world, Step::ChargePayment, PaymentOutcome::NotHappened);
    assert_eq!(order.vouched[0].state, VouchState::Unconfirmed);
    assert_eq!(order.vouch_time(), None);
    assert!(order.attention_time().is_some());
    // Its next answer is the provider's.
    let mut paid = order.clone();
    paid.succeeded(Effect::first(Step::ChargePayment));
    assert_eq!(paid.vouched, []);
    // Once it is undone it is not tried again.
    let cancelled = lost_and_cancelled();
    let order = resolved(&cancelled, Step::ChargePayment, PaymentOutcome::NotHappened);
    assert!(order.vouch_time().is_some());
}

#[test]
fn nobody_vouches_without_a_name_and_evidence() {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Step::ChargePayment, &[Silent]);
    call(&mut world);
    let ask = |actor: &str, evidence: &str| {
        let mut command = resolve(Step::ChargePayment, PaymentOutcome::Succeeded);
        if let Command::ResolvePayment(resolve) = &mut command {
            resolve.evidence = evidence.to_owned();
        }
        let request = CommandRequest {
            request_id: "request".to_owned(),
            actor: actor.to_owned(),
            expected_revision: None,
            seen_revision: 0,
            attempt: String::new(),
            command,
        };
        request.decide(&world.order, world.clock)
    };
    for nobody in ["", " ", "anonymous", "orders", "temporal"] {
        let refused = ask(nobody, "statement 7");
        assert!(
            matches!(&refused, Err(Refusal::NotVouched { what }) if what == "actor"),
            "{nobody:?}: {refused:?}"
        );
    }
    let refused = ask("grace", " ");
    assert!(matches!(refused, Err(Refusal::NotVouched { what }) if what == "evidence"));
    assert!(ask("grace", "statement 7").is_ok());
}

/// A signal from elsewhere may hold anything.
#[test]
fn what_no_caller_of_the_api_can_send_is_refused() {
    let mut world = placed(&preset("pre-order"), SMALL);
    calls(&mut world);
    let ask = |request_id: &str, actor: &str, reason: &str| {
        let request = CommandRequest {
            request_id: request_id.to_owned(),
            actor: actor.to_owned(),
            expected_revision: None,
            seen_revision: 0,
            attempt: String::new(),
            command: Command::CancelOrder(CancelOrder {
                reason: reason.to_owned(),
            }),
        };
        request.check()
    };
    let (longest, long) = ("ä".repeat(128), "ä".repeat(129));
    assert!(ask(&longest, &longest, &"💶".repeat(500)).is_ok());
    for refused in [
        ask(&long, "me", "why"),
        ask("request", &long, "why"),
        ask("request", "me", &"R".repeat(1_900_000)),
    ] {
        assert!(
            matches!(refused, Err(Refusal::Invalid { .. })),
            "{refused:?}"
        );
    }
}
