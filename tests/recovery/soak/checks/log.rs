//! I4, I6 and I7: what the log says about the order in which things happened.

use super::super::{books::Entry, plan::Plan};
use orders_domain::{
    event::Change,
    order::Order,
    state::{CloseReason, DeadlineKind, ReviewDecision},
    step::Step,
};

/// Revisions without gaps, a time that never runs backwards, and an order that is what its events make
/// of it.
pub fn the_order_is_the_fold_of_its_log(entry: &Entry, name: &str) {
    let (order, events) = (&entry.order, &entry.events);
    let mut fold = Order::from_placed(&events[0]).expect("placed first");
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.revision, index as i64 + 1, "{name}: a gap in the log");
        assert!(
            index == 0 || event.time >= events[index - 1].time,
            "{name}: back in time"
        );
        fold.apply(event);
    }
    assert_eq!(fold, *order, "{name}: the order is not the fold of its log");
    assert!(order.state.is_closed(), "{name}: still open");
    let after = events
        .iter()
        .skip_while(|event| !matches!(event.change, Change::Closed { .. }));
    for event in after.skip(1) {
        assert!(
            event.change.may_follow_close(),
            "{name}: after its end: {event:?}"
        );
    }
}

/// Whether it is money from outside that counts towards the total; in the soak, all of it at once.
fn counts(change: &Change) -> bool {
    matches!(change, Change::PaymentConfirmed { counted, .. } if *counted > 0)
}

fn position(entry: &Entry, of: impl Fn(&Change) -> bool) -> Option<usize> {
    entry.events.iter().position(|event| of(&event.change))
}

fn count(entry: &Entry, of: impl Fn(&Change) -> bool) -> usize {
    entry
        .events
        .iter()
        .filter(|event| of(&event.change))
        .count()
}

/// I4: what left had been paid, and approved where its policy asks for that.
pub fn i4_dispatched_only_when_paid_and_approved(entry: &Entry, plan: &Plan, name: &str) {
    assert_eq!(
        entry.order.approval.required,
        plan.needs_review(),
        "{name}: I4"
    );
    let left = |change: &Change| matches!(change, Change::Shipped { .. } | Change::PickedUp { .. });
    let left = position(entry, left);
    let handed_over = entry
        .shipment
        .as_ref()
        .is_some_and(|(state, _)| state == "DISPATCHED");
    let Some(left) = left else {
        assert!(
            !handed_over || lost_dispatch(entry),
            "{name}: I4: nobody knows that it left"
        );
        return;
    };
    let paid = position(entry, |change| {
        matches!(change, Change::PaymentCaptured { .. }) || counts(change)
    });
    assert!(
        paid.is_some_and(|paid| paid < left),
        "{name}: I4: left unpaid"
    );
    if plan.needs_review() {
        let approve = ReviewDecision::Approve;
        let approved = position(
            entry,
            |change| matches!(change, Change::Reviewed { decision, .. } if *decision == approve),
        );
        assert!(
            approved.is_some_and(|at| at < left),
            "{name}: I4: left unapproved"
        );
    }
    assert_eq!(
        count(entry, |c| matches!(c, Change::Compensated { .. })),
        0,
        "{name}: I4"
    );
    let asked = count(entry, |change| {
        matches!(
            change,
            Change::PickupRequested { .. }
                | Change::PackagePrepared { .. }
                | Change::Shipped { .. }
        )
    });
    if asked == 0 && entry.shipment.is_none() {
        // The answer of the carrier was lost, or it failed, and the parcel was picked up all the same.
        return;
    }
    let told = entry.shipment.as_ref().map(|(_, address)| address.clone());
    let newest = serde_json::to_string(&entry.order.shipping_address).unwrap();
    assert_eq!(told, Some(newest), "{name}: the carrier got an old address");
}

fn lost_dispatch(entry: &Entry) -> bool {
    entry.order.is_unknown(Step::DispatchShipment)
}

/// I6: each kind of deadline at most once, never after its way out, never before its time.
pub fn i6_each_deadline_once(entry: &Entry, name: &str) {
    let passed = |kind| {
        count(
            entry,
            |c| matches!(c, Change::DeadlinePassed { kind: k } if *k == kind),
        )
    };
    let outs = [
        (DeadlineKind::Payment, count(entry, counts)),
        (
            DeadlineKind::Approval,
            count(entry, |c| matches!(c, Change::Reviewed { .. })),
        ),
        (
            DeadlineKind::Release,
            count(entry, |c| matches!(c, Change::FulfillmentStarted)),
        ),
        (
            DeadlineKind::Delivery,
            count(entry, |c| matches!(c, Change::Delivered)),
        ),
    ];
    for (kind, out) in outs {
        assert!(passed(kind) + out <= 1, "{name}: I6: {kind}");
    }
    let cancelled = count(entry, |c| matches!(c, Change::CancelRequested { .. }));
    let fatal = [
        DeadlineKind::Payment,
        DeadlineKind::Approval,
        DeadlineKind::Release,
    ];
    let fatal: usize = fatal.into_iter().map(passed).sum();
    assert!(
        fatal + cancelled <= 1,
        "{name}: I6: a deadline after a cancellation"
    );
    let mut wait = None;
    let mut over = false;
    for event in &entry.events {
        match &event.change {
            Change::PaymentRequested { expire_time }
            | Change::ApprovalRequested { expire_time }
            | Change::Held { expire_time } => wait = Some(*expire_time),
            Change::DeadlinePassed { kind } if *kind != DeadlineKind::Delivery => {
                let end = wait.expect("a deadline of a wait");
                assert!(event.time >= end, "{name}: I6: before its time");
            }
            Change::PickupReminded => assert!(!over, "{name}: I6: reminded of what is over"),
            Change::PickedUp { .. } | Change::CancelRequested { .. } => over = true,
            _ => {}
        }
    }
}

/// What undoes what.
fn undo_of(step: Step) -> Option<Step> {
    match step {
        Step::ReserveInventory => Some(Step::ReleaseReservation),
        Step::AuthorizePayment => Some(Step::VoidAuthorization),
        Step::CapturePayment | Step::ChargePayment => Some(Step::RefundPayment),
        Step::PreparePackage | Step::RequestPickup => Some(Step::CancelShipment),
        _ => None,
    }
}

/// I7: what was done, or may have been done, is undone in the exact reverse order, each once; of an
/// order that completed, nothing.
pub fn i7_undone_in_reverse(entry: &Entry, name: &str) {
    let mut done: Vec<Step> = Vec::new();
    let mut lost: Vec<Step> = Vec::new();
    let mut undone: Vec<Step> = Vec::new();
    for event in &entry.events {
        match &event.change {
            Change::InventoryReserved { .. } => done.push(Step::ReserveInventory),
            Change::PaymentAuthorized { .. } => done.push(Step::AuthorizePayment),
            Change::PaymentCaptured { effect, .. } => done.push(effect.step),
            change if counts(change) => done.push(Step::ChargePayment),
            Change::PackagePrepared { .. } => done.push(Step::PreparePackage),
            Change::PickupRequested { .. } => done.push(Step::RequestPickup),
            Change::AttemptFailed {
                effect,
                unknown: true,
                ..
            } if undo_of(effect.step).is_some() => {
                lost.push(effect.step);
            }
            Change::OutOfStock { .. } => lost.retain(|step| *step != Step::ReserveInventory),
            Change::PaymentDeclined { .. } => lost.retain(|step| !step.is_payment()),
            Change::Compensated { effect, .. } => undone.push(effect.step),
            _ => {}
        }
    }
    lost.retain(|step| !done.contains(step));
    let captured = done
        .iter()
        .any(|step| undo_of(*step) == Some(Step::RefundPayment));
    let mut expected: Vec<Step> = Vec::new();
    for undo in lost
        .iter()
        .rev()
        .chain(done.iter().rev())
        .filter_map(|step| undo_of(*step))
    {
        // One undo is enough for two steps of one kind; a captured authorization is spent.
        let spent = captured && undo == Step::VoidAuthorization;
        if !expected.contains(&undo) && !spent {
            expected.push(undo);
        }
    }
    if entry.order.close_reason() == Some(CloseReason::Completed) {
        expected.clear();
    }
    assert_eq!(
        undone, expected,
        "{name}: I7: done {done:?}, perhaps done {lost:?}"
    );
}
