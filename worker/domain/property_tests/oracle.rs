//! What must be true of a whole log, worked out apart from the rules.

use super::{story::undoing, world::World};
use crate::{
    event::Change,
    policy::PaymentMode,
    state::{CloseReason, DeadlineKind, ReviewDecision},
    step::{CompensationOutcome, Step},
};

/// What undoes what, written down a second time.
const UNDO: &[(Step, Step)] = &[
    (Step::ReserveInventory, Step::ReleaseReservation),
    (Step::AuthorizePayment, Step::VoidAuthorization),
    (Step::CapturePayment, Step::RefundPayment),
    (Step::ChargePayment, Step::RefundPayment),
    (Step::PreparePackage, Step::CancelShipment),
    (Step::RequestPickup, Step::CancelShipment),
];

fn undo_of(step: Step) -> Option<Step> {
    let mut pairs = UNDO.iter().filter(|(done, _)| *done == step);
    pairs.next().map(|(_, undo)| *undo)
}

/// Two steps may be undone by one: a package that was prepared and asked to be fetched.
fn once_each(steps: impl Iterator<Item = Step>) -> Vec<Step> {
    let mut once = Vec::new();
    for step in steps {
        if !once.contains(&step) {
            once.push(step);
        }
    }
    once
}

fn count(world: &World, of: impl Fn(&Change) -> bool) -> usize {
    world
        .events
        .iter()
        .filter(|event| of(&event.change))
        .count()
}

/// I6: each wait ends once, by its deadline or by its way out, and not before its time.
pub(super) fn deadlines(world: &World) {
    let passed = |kind| {
        count(
            world,
            |change| matches!(change, Change::DeadlinePassed { kind: k } if *k == kind),
        )
    };
    let cancelled = count(world, |c| matches!(c, Change::CancelRequested { .. }));
    let counted = world.events.iter().map(|event| match &event.change {
        Change::PaymentConfirmed { counted, .. } => *counted,
        _ => 0,
    });
    let confirmed = usize::from(counted.sum::<i64>() == world.order.total.minor);
    let reviewed = count(world, |c| matches!(c, Change::Reviewed { .. }));
    let started = count(world, |c| matches!(c, Change::FulfillmentStarted));
    let delivered = count(world, |c| matches!(c, Change::Delivered));
    assert!(passed(DeadlineKind::Payment) + confirmed <= 1);
    assert!(passed(DeadlineKind::Approval) + reviewed <= 1);
    assert!(passed(DeadlineKind::Release) + started <= 1);
    assert!(passed(DeadlineKind::Delivery) + delivered <= 1);
    assert_eq!(passed(DeadlineKind::PickupReminder), 0);
    let fatal = passed(DeadlineKind::Payment)
        + passed(DeadlineKind::Approval)
        + passed(DeadlineKind::Release);
    assert!(
        fatal + cancelled <= 1,
        "I6: a deadline after a cancellation"
    );
    let mut waits = Vec::new();
    let mut ended = false;
    for event in &world.events {
        match &event.change {
            Change::PaymentRequested { expire_time }
            | Change::ApprovalRequested { expire_time }
            | Change::Held { expire_time } => waits.push(*expire_time),
            Change::DeadlinePassed { kind } if *kind != DeadlineKind::Delivery => {
                let end = waits.last().expect("a deadline of a wait");
                assert!(event.time >= *end, "I6: a deadline before its time");
            }
            Change::PickupReminded => assert!(!ended, "I6: reminded of what is over"),
            Change::PickedUp { .. } | Change::CancelRequested { .. } => ended = true,
            _ => {}
        }
    }
    let reminded = count(world, |c| matches!(c, Change::PickupReminded));
    assert_eq!(reminded, world.order.shipment.reminders as usize);
}

/// I7, as planned: the compensations are the reverse of what the log says was done or may have
/// been done.
pub(super) fn compensations(world: &World) {
    let mut done: Vec<Step> = Vec::new();
    let mut lost: Vec<Step> = Vec::new();
    let mut undone: Vec<Step> = Vec::new();
    for event in &world.events {
        match &event.change {
            Change::InventoryReserved { .. } => done.push(Step::ReserveInventory),
            Change::PaymentAuthorized { .. } => done.push(Step::AuthorizePayment),
            Change::PaymentCaptured { effect, .. } => done.push(effect.step),
            Change::PaymentConfirmed { counted, .. }
                if *counted > 0 && !done.contains(&Step::ChargePayment) =>
            {
                done.push(Step::ChargePayment);
            }
            Change::PackagePrepared { .. } => done.push(Step::PreparePackage),
            Change::PickupRequested { .. } => done.push(Step::RequestPickup),
            Change::AttemptFailed {
                effect,
                unknown: true,
                ..
            } if undo_of(effect.step).is_some() => lost.push(effect.step),
            Change::OutOfStock { .. } => lost.retain(|step| *step != Step::ReserveInventory),
            Change::PaymentDeclined { .. } => lost.clear(),
            Change::Compensated { effect, .. } => undone.push(effect.step),
            _ => {}
        }
    }
    lost.retain(|step| !done.contains(step));
    lost.dedup();
    let captured = done
        .iter()
        .any(|step| undo_of(*step) == Some(Step::RefundPayment));
    let mut plan = once_each(
        lost.iter()
            .rev()
            .chain(done.iter().rev())
            .filter_map(|step| undo_of(*step)),
    );
    // A captured authorization is spent: there is nothing left to give back.
    plan.retain(|undo| !(captured && *undo == Step::VoidAuthorization));
    let order = &world.order;
    let planned = undoing(order);
    if order
        .ending
        .is_some_and(|reason| reason != CloseReason::Completed)
    {
        assert_eq!(planned, plan, "I7: undone is the reverse of what was done");
    } else {
        assert_eq!(planned, []);
    }
    assert_eq!(
        undone[..],
        planned[..undone.len()],
        "I7: undone in order, each once"
    );
    for (index, entry) in order.compensations.iter().enumerate() {
        assert_eq!(undo_of(entry.undoes.step), Some(entry.effect.step));
        let pending = entry.outcome == CompensationOutcome::Pending;
        assert_eq!(pending, index >= undone.len());
        assert_eq!(pending, entry.time.is_none());
        let failed = count(
            world,
            |c| matches!(c, Change::AttemptFailed { effect, .. } if *effect == entry.effect),
        );
        let answered = usize::from(!pending);
        assert_eq!(entry.attempts as usize, failed + answered);
    }
    let rejected = count(world, |c| {
        matches!(
            c,
            Change::Reviewed {
                decision: ReviewDecision::Reject,
                ..
            }
        )
    });
    assert!(rejected == 0 || order.ending.is_some());
}

/// I7, as it came to be: the effects that undo are the reverse of the effects that were.
pub(super) fn undone_in_reverse(world: &World) {
    let effects = &world.ledger.effects;
    let captured = effects.contains(&Step::CapturePayment);
    let spent = |step: &Step| captured && *step == Step::AuthorizePayment;
    let done = effects.iter().rev().filter(|step| !spent(step));
    let mut expected = once_each(done.filter_map(|step| undo_of(*step)));
    let undoing = |step: &&Step| UNDO.iter().any(|(_, undo)| undo == *step);
    let mut undone: Vec<Step> = effects.iter().filter(undoing).copied().collect();
    // Money from outside comes when its payer sends it, also between an effect and its lost answer.
    if world.order.policy.payment == PaymentMode::External {
        expected.sort_unstable();
        undone.sort_unstable();
    }
    assert_eq!(undone, expected, "I7: of {effects:?}");
}
