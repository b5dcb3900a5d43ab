//! Cancelled before and after each step: what is undone, or that it is too late.

use super::{
    ledger::Answer,
    story::{
        BIG, answers, assert_closed, call, calls, cancel, done, happy_path, pickup_until_dispatch,
        placed, preset, say, way_out,
    },
    world::{Outcome, World},
};
use crate::{
    command::{CommandKind, Refusal},
    policy::Policy,
    state::{CloseReason, OrderState, PaymentState},
    step::{CompensationOutcome, Step},
};

use Step::{
    CancelShipment as Recall, RefundPayment as Refund, ReleaseReservation as Release,
    VoidAuthorization as Void,
};

/// None: it is refused.
type Undone = Option<&'static [Step]>;

fn assert_cancels(world: &mut World, undone: Undone, name: &str) {
    let outcome = say(world, cancel());
    let Some(undone) = undone else {
        let Outcome::Refused(Refusal::NotAllowed { command, .. }) = outcome else {
            panic!("{name}: {outcome:?}");
        };
        assert_eq!(command, CommandKind::CancelOrder, "{name}");
        return;
    };
    assert_eq!(outcome, Outcome::Done { replayed: false }, "{name}");
    let open = !undone.is_empty();
    assert_eq!(world.order.state == OrderState::Cancelling, open, "{name}");
    let asked = world.ledger.calls.len();
    calls(world);
    assert_closed(world, CloseReason::CustomerCancelled, undone, name);
    assert_eq!(world.ledger.calls[asked..], *undone, "{name}");
}

/// After each transaction of an order that goes well, the placing first.
fn assert_table(name: &str, policy: &Policy, table: &[(&str, Undone)]) {
    let path = happy_path(policy, BIG);
    assert_eq!(path.len(), table.len(), "{name}");
    for (world, (after, undone)) in path.iter().zip(table) {
        let last = world.events.iter().rev();
        let mut recent = last.map(|event| event.change.type_name());
        assert!(recent.any(|event| event == *after), "{name} after {after}");
        assert_cancels(
            &mut world.clone(),
            *undone,
            &format!("{name} after {after}"),
        );
    }
}

#[test]
fn standard() {
    let table: &[(&str, Undone)] = &[
        ("PLACED", Some(&[])),
        ("SCREENED", Some(&[])),
        ("INVENTORY_RESERVED", Some(&[Release])),
        ("PAYMENT_AUTHORIZED", Some(&[Void, Release])),
        ("REVIEWED", Some(&[Void, Release])),
        ("PAYMENT_CAPTURED", Some(&[Refund, Release])),
        ("SHIPPED", None),
        ("RESERVATION_COMMITTED", None),
        ("CLOSED", None),
    ];
    assert_table("standard", &preset("standard"), table);
}

#[test]
fn stock() {
    let table: &[(&str, Undone)] = &[
        ("PLACED", Some(&[])),
        ("SCREENED", Some(&[])),
        ("INVENTORY_RESERVED", Some(&[Release])),
        ("PAYMENT_CAPTURED", Some(&[Refund, Release])),
        ("SHIPPED", None),
        ("CLOSED", None),
    ];
    assert_table("stock", &preset("stock"), table);
}

/// 003: a cancellation after the charge gives the money back.
#[test]
fn shipping_lane() {
    let table: &[(&str, Undone)] = &[
        ("PLACED", Some(&[])),
        ("PAYMENT_CAPTURED", Some(&[Refund])),
        ("PACKAGE_PREPARED", Some(&[Recall, Refund])),
        ("CLOSED", None),
    ];
    assert_table("shipping-lane", &preset("shipping-lane"), table);
}

/// A package that was prepared, and asked to be fetched, is called off once.
#[test]
fn a_lane_with_pickup() {
    let policy = Policy {
        pickup_reminder: preset("pre-order").pickup_reminder,
        ..preset("shipping-lane")
    };
    let table: &[(&str, Undone)] = &[
        ("PLACED", Some(&[])),
        ("PAYMENT_CAPTURED", Some(&[Refund])),
        ("PACKAGE_PREPARED", Some(&[Recall, Refund])),
        ("PICKUP_REQUESTED", Some(&[Recall, Refund])),
        ("PICKED_UP", None),
    ];
    assert_table("shipping-lane", &policy, table);
}

#[test]
fn pre_order() {
    let table: &[(&str, Undone)] = &[
        ("PLACED", Some(&[])),
        ("PAYMENT_CAPTURED", Some(&[Refund])),
        ("INVENTORY_RESERVED", Some(&[Release, Refund])),
        ("FULFILLMENT_STARTED", None),
        ("PICKUP_REQUESTED", None),
        ("PICKED_UP", None),
        ("RESERVATION_COMMITTED", None),
        ("CLOSED", None),
    ];
    assert_table("pre-order", &preset("pre-order"), table);
    let table: &[(&str, Undone)] = &[
        ("PLACED", Some(&[])),
        ("PAYMENT_CAPTURED", Some(&[Refund])),
        ("INVENTORY_RESERVED", Some(&[Release, Refund])),
        ("FULFILLMENT_STARTED", Some(&[Release, Refund])),
        ("PICKUP_REQUESTED", Some(&[Recall, Release, Refund])),
        ("PICKED_UP", None),
        ("RESERVATION_COMMITTED", None),
        ("CLOSED", None),
    ];
    assert_table("until dispatch", &pickup_until_dispatch(), table);
}

#[test]
fn approval() {
    let table: &[(&str, Undone)] = &[
        ("PLACED", Some(&[])),
        ("INVENTORY_RESERVED", Some(&[Release])),
        ("PAYMENT_CAPTURED", Some(&[Refund, Release])),
        ("REVIEWED", Some(&[Refund, Release])),
        ("SHIPPED", None),
        ("RESERVATION_COMMITTED", None),
        ("CLOSED", None),
    ];
    assert_table("approval", &preset("approval"), table);
}

#[test]
fn external_payment() {
    let table: &[(&str, Undone)] = &[
        ("PLACED", Some(&[])),
        ("INVENTORY_RESERVED", Some(&[Release])),
        ("PAYMENT_CONFIRMED", Some(&[Refund, Release])),
        ("SHIPPED", None),
        ("RESERVATION_COMMITTED", None),
        ("CLOSED", None),
    ];
    assert_table("external-payment", &preset("external-payment"), table);
}

/// Runs until `step` was asked for the first time, with this answer.
fn until_answered(policy: &Policy, step: Step, answer: Answer) -> World {
    let mut world = placed(policy, BIG);
    answers(&mut world, step, &[answer]);
    while !world.ledger.calls.contains(&step) {
        assert!(call(&mut world) || way_out(&mut world), "{step} never came");
    }
    world
}

/// Whether it happened or not: a lost answer is undone by its key; what the carrier may have is
/// not undone at all.
#[test]
fn after_a_lost_answer() {
    let (standard, pre_order) = (preset("standard"), preset("pre-order"));
    let dispatch = pickup_until_dispatch();
    let table: &[(&Policy, Step, Undone)] = &[
        (&standard, Step::Screen, Some(&[])),
        (&standard, Step::ReserveInventory, Some(&[Release])),
        (&standard, Step::AuthorizePayment, Some(&[Void, Release])),
        (
            &standard,
            Step::CapturePayment,
            Some(&[Refund, Void, Release]),
        ),
        (&standard, Step::DispatchShipment, None),
        (&standard, Step::CommitReservation, None),
        (&pre_order, Step::ChargePayment, Some(&[Refund])),
        (&pre_order, Step::ReserveInventory, Some(&[Release, Refund])),
        (&pre_order, Step::RequestPickup, None),
        (
            &dispatch,
            Step::RequestPickup,
            Some(&[Recall, Release, Refund]),
        ),
    ];
    for (policy, step, undone) in table {
        for answer in [Answer::Lost, Answer::Silent] {
            let mut world = until_answered(policy, *step, answer);
            let name = format!("{} at {step}, {answer:?}", policy.name);
            assert_cancels(&mut world, *undone, &name);
            let entry = world.order.compensations.first();
            if let (Some(entry), true) = (entry, step.undone_by().is_some()) {
                let happened = answer == Answer::Lost;
                assert_eq!(
                    entry.outcome == CompensationOutcome::Done,
                    happened,
                    "{name}"
                );
            }
        }
    }
}

/// A step that failed for certain needs no undoing.
#[test]
fn after_a_failure() {
    let policy = preset("standard");
    let table: &[(Step, Undone)] = &[
        (Step::ReserveInventory, Some(&[])),
        (Step::AuthorizePayment, Some(&[Release])),
        (Step::CapturePayment, Some(&[Void, Release])),
        (Step::DispatchShipment, Some(&[Refund, Release])),
        (Step::CommitReservation, None),
    ];
    for (step, undone) in table {
        let mut world = until_answered(&policy, *step, Answer::Failed);
        assert_cancels(&mut world, *undone, &format!("failed {step}"));
    }
}

/// 004: undoing is never given up; it asks for attention, and goes on.
#[test]
fn undoing_never_gives_up() {
    let mut world = happy_path(&preset("approval"), BIG).swap_remove(3);
    answers(&mut world, Refund, &[Answer::Failed; 7]);
    answers(
        &mut world,
        Release,
        &[Answer::Refused, Answer::Lost, Answer::Silent],
    );
    done(&mut world, cancel());
    for attempt in 1..=7 {
        assert!(call(&mut world));
        let attention = world.order.attention();
        assert_eq!(attention.is_some(), attempt >= 5, "after attempt {attempt}");
        assert!(attention.is_none_or(|fault| fault.attempts == attempt));
        assert_eq!(world.order.payment.state, PaymentState::Refunding);
    }
    calls(&mut world);
    assert_closed(
        &world,
        CloseReason::CustomerCancelled,
        &[Refund, Release],
        "",
    );
    let attempts: Vec<u32> = world
        .order
        .compensations
        .iter()
        .map(|c| c.attempts)
        .collect();
    assert_eq!(attempts, [8, 4]);
    assert_eq!(world.order.payment.state, PaymentState::Refunded);
    assert_eq!(world.order.attention(), None);
}

/// The sums say where the money stands once the lost answers are in.
#[test]
fn the_payment_state_survives_lost_answers() {
    let mut world = until_answered(&preset("standard"), Step::CapturePayment, Answer::Lost);
    assert_eq!(world.order.payment.state, PaymentState::Indeterminate);
    answers(&mut world, Void, &[Answer::Lost]);
    done(&mut world, cancel());
    calls(&mut world);
    assert_eq!(world.order.payment.state, PaymentState::Refunded);

    let mut world = until_answered(&preset("standard"), Step::CapturePayment, Answer::Silent);
    done(&mut world, cancel());
    assert!(call(&mut world));
    assert_eq!(world.order.payment.state, PaymentState::Authorized);
    calls(&mut world);
    assert_eq!(world.order.payment.state, PaymentState::Voided);
}
