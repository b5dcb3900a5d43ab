//! The invariants of an order, checked after every transaction.
//!
//! | | where |
//! |---|---|
//! | I1 the money of a closed order | [`closed`], for open ones [`money`] |
//! | I2 captured once, and no two effects with one key | [`money`], [`effects`] |
//! | I3 the books of the stock | [`stock`], [`closed`] |
//! | I4 not without capture and approval | [`parcel`] |
//! | I5 every answer shows | [`replies`](super::replies) |
//! | I6 a deadline fires once | [`oracle::deadlines`] |
//! | I7 undone in reverse | [`oracle::compensations`], [`oracle::undone_in_reverse`] |
//! | I8 crashes change nothing | [`random`](super::random) |
//! | I9 one open supplier order | the store's |
//! | I10 reading changes nothing | [`replies::allowed_agrees_with_decide`](super::replies), the store's tests |

use super::{
    oracle,
    replies::{allowed_agrees_with_decide, assert_unchanged, refused, shows},
    world::{Op, Outcome, World},
};
use crate::{
    attention::causes,
    command::Command,
    event::Change,
    order::Order,
    phase::todo,
    policy::PaymentMode,
    state::{CloseReason, DeadlineKind, OrderState, PaymentState, ReviewDecision, ShipmentState},
    step::Step,
};
use std::collections::BTreeSet;

pub(super) fn after(before: &World, world: &World, op: &Op, outcome: Option<&Outcome>) {
    log(before, world);
    effects(world);
    money(world);
    stock(world);
    parcel(before, world);
    axes(&world.order);
    allowed_agrees_with_decide(world);
    // Before the very first transaction, what follows from the placing is still to be recorded.
    let fresh = todo(&before.order, world.clock).record.is_some();
    if let (Op::Command(request, signal), Some(outcome)) = (op, outcome) {
        match outcome {
            Outcome::Refused(_) if fresh => assert_eq!(world.ledger, before.ledger),
            Outcome::Refused(refusal) => refused(before, world, refusal, signal.is_some()),
            Outcome::Done { replayed: true } => assert_unchanged(before, world),
            Outcome::Done { replayed: false } => {
                let event = &world.events[before.events.len()];
                let confirms = matches!(request.command, Command::ConfirmPayment(_));
                let own = event.request_id.as_deref() == Some(&*request.request_id);
                // A signal that reuses an id brings money all the same.
                assert!(own || (confirms && signal.is_some()));
                assert_eq!(event.actor, request.actor);
                shows(&request.command, world, event.revision);
            }
        }
        let asked = before.ledger.calls.len();
        assert_eq!(
            world.ledger.calls.len(),
            asked,
            "a command asked a provider"
        );
    }
    if before.order.state.is_closed() && before.order.revision < world.order.revision {
        let refusals = world.events[before.events.len()..].iter();
        let mut changes = refusals.map(|event| &event.change);
        assert!(changes.all(Change::may_follow_close));
    }
    if world.order.state.is_closed() {
        closed(world);
    }
}

/// Revisions without gaps, time that never runs backwards, and the order as the fold of its log.
fn log(before: &World, world: &World) {
    let (old, order) = (before.events.len(), &world.order);
    assert_eq!(
        before.events[..],
        world.events[..old],
        "the log is append-only"
    );
    assert_eq!(order.revision, world.events.len() as i64);
    let mut fold = before.order.clone();
    for (index, event) in world.events.iter().enumerate().skip(old) {
        assert_eq!(event.revision, index as i64 + 1);
        assert!(event.time >= world.events[index - 1].time);
        fold.apply(event);
    }
    // Overlapping reads of the log do no harm.
    world.events.iter().for_each(|event| fold.apply(event));
    assert_eq!(fold, *order);
    assert_eq!(
        order.update_time,
        world.events[order.revision as usize - 1].time
    );
    let next = todo(order, order.update_time);
    assert_eq!(next.record, None, "it was not settled");
    assert_eq!(next, todo(order, order.update_time));
    let deadline = order.next_deadline().filter(|_| next.waits);
    assert_eq!(next.deadline, deadline);
    oracle::deadlines(world);
    oracle::compensations(world);
}

/// I2: no two effects have the same key, and none has two outcomes.
fn effects(world: &World) {
    let mut keys = BTreeSet::new();
    let mut order = Order::from_placed(&world.events[0]).expect("placed first");
    for event in &world.events {
        let effect = match &event.change {
            // Each receipt that counts is a charge of its own.
            Change::PaymentConfirmed { counted, .. } if *counted > 0 => {
                Some(order.effect(Step::ChargePayment))
            }
            change => change.outcome_of(),
        };
        if let Some(effect) = effect {
            assert_eq!(effect, order.effect(effect.step), "a number out of turn");
            let is_new = keys.insert(effect.key(&order.order_id));
            assert!(is_new, "I2: two effects are {effect}");
        }
        order.apply(event);
    }
}

/// I1 and I2, as far as they hold for open orders too.
fn money(world: &World) {
    let (ledger, order) = (&world.ledger, &world.order);
    let (payment, total) = (&order.payment, order.total.minor);
    let captures = [Step::CapturePayment, Step::ChargePayment];
    let captures = ledger.effects.iter().filter(|step| captures.contains(step));
    assert!(captures.count() <= 1, "I2: {:?}", ledger.effects);
    let outside = order.policy.payment == PaymentMode::External;
    assert!(
        ledger.captured == 0 || ledger.captured == total || outside,
        "I1: captured in part or more than once"
    );
    assert!(
        (0..=total).contains(&ledger.captured),
        "I1: captured too much"
    );
    assert!(ledger.refunded == 0 || ledger.refunded == ledger.captured);
    assert!(!ledger.voided || ledger.captured == 0);
    assert!(payment.authorized >= payment.captured);
    assert!(payment.captured >= payment.refunded);
    // What the order says is what the provider has, but for lost answers.
    assert!(payment.captured <= ledger.captured);
    assert!(payment.refunded <= ledger.refunded);
    let mut unknown = order.unknown.iter();
    let sure = unknown.all(|effect| !effect.step.is_payment());
    if sure && payment.state != PaymentState::Indeterminate {
        assert_eq!(payment.captured, ledger.captured);
        assert_eq!(payment.authorized, ledger.authorized);
        assert_eq!(payment.refunded, ledger.refunded);
    }
    assert_eq!(
        payment.captured == total,
        payment.capture_time.is_some() || payment.refunded == total
    );
    // I5: money from outside is recorded once, and each part of it is counted or due to the payer.
    let received = &payment.received;
    assert_eq!(received.amount, ledger.received);
    assert_eq!(received.count as usize, world.receipts.len());
    let sum: i64 = world.receipts.values().map(|money| money.minor).sum();
    assert_eq!(received.amount, sum);
    let counted = if outside { payment.captured } else { 0 };
    assert_eq!(received.amount, counted + received.surplus);
    let questions = world.events.iter().filter(|event| {
        matches!(
            event.change,
            Change::PaymentRefused { .. } | Change::PaymentDisputed { .. }
        )
    });
    let unmatched = received.surplus > 0 || questions.count() > 0 || order.missing().is_some();
    assert!(!unmatched || order.attention_time().is_some());
    assert!(!unmatched || !causes(order, order.update_time, None).is_empty());
}

/// I3: nothing appears or vanishes, and nothing is promised twice.
fn stock(world: &World) {
    for stock in world.ledger.stock.values() {
        assert_eq!(stock.on_hand + stock.shipped, stock.supplied);
        assert!(0 <= stock.reserved && stock.reserved <= stock.on_hand);
    }
}

/// I4: nothing leaves without the capture, the approval and the stock that its policy asks for. Once
/// the carrier has the parcel, it is asked for nothing more.
fn parcel(before: &World, world: &World) {
    let (ledger, order) = (&world.ledger, &world.order);
    let dispatched = ledger
        .parcel
        .as_ref()
        .is_some_and(|parcel| parcel.dispatched);
    if before.order.shipment.dispatched {
        let asked = &ledger.calls[before.ledger.calls.len()..];
        let of_carrier = asked.iter().any(|step| step.is_shipping());
        assert!(!of_carrier, "the carrier was asked after it had the parcel");
    }
    if dispatched || order.shipment.dispatched {
        let sums = (ledger.captured, ledger.refunded);
        assert_eq!(sums, (order.total.minor, 0), "I4: left unpaid");
        let approved = order.approval.decision == Some(ReviewDecision::Approve);
        assert!(approved || !order.approval.required, "I4: left unapproved");
        assert!(!order.policy.reserves() || ledger.has(Step::ReserveInventory));
        let ending = order
            .ending
            .is_none_or(|reason| reason == CloseReason::Completed);
        assert!(ending, "undone although the carrier has it");
    }
}

/// The axes follow from what happened and never contradict each other.
fn axes(order: &Order) {
    let mut waits = BTreeSet::new();
    for deadline in &order.deadlines {
        assert!(
            waits.insert((deadline.kind, deadline.subject)),
            "two of a kind"
        );
    }
    let mut failing = BTreeSet::new();
    for fault in &order.faults {
        assert!(
            failing.insert(fault.effect),
            "two faults of {}",
            fault.effect
        );
    }
    for (state, deadline) in [
        (OrderState::AwaitingPayment, DeadlineKind::Payment),
        (OrderState::AwaitingApproval, DeadlineKind::Approval),
        (OrderState::AwaitingRelease, DeadlineKind::Release),
    ] {
        assert_eq!(
            order.state == state,
            order.deadline_of(deadline).is_some(),
            "{state} with {:?}",
            order.deadlines
        );
    }
    let (payment, shipment) = (&order.payment, &order.shipment);
    match payment.state {
        PaymentState::None | PaymentState::Pending => {
            assert!(payment.authorized == 0 || order.missing().is_some());
        }
        PaymentState::Authorized => assert_eq!(
            (payment.authorized, payment.captured),
            (order.total.minor, 0)
        ),
        PaymentState::Captured => {
            assert_eq!((payment.captured, payment.refunded), (order.total.minor, 0))
        }
        PaymentState::Refunding => assert!(payment.captured > 0 && order.ending.is_some()),
        PaymentState::Refunded => assert_eq!(payment.refunded, payment.captured),
        PaymentState::Voided => assert_eq!(payment.captured, 0),
        PaymentState::Declined | PaymentState::Indeterminate => {}
    }
    let gone = [
        ShipmentState::PickedUp,
        ShipmentState::InTransit,
        ShipmentState::Delivered,
    ];
    assert_eq!(shipment.dispatched, gone.contains(&shipment.state));
    assert_eq!(shipment.dispatched, shipment.ship_time.is_some());
    assert_eq!(
        shipment.state == ShipmentState::Delivered,
        shipment.delivery_time.is_some()
    );
    assert!(
        !shipment.dispatched
            || matches!(order.state, OrderState::InTransit | OrderState::Completed)
    );
    let open_end = order.ending.is_some() && !order.state.is_closed();
    assert_eq!(open_end, order.state == OrderState::Cancelling);
    let mut faults = order.faults.iter();
    let asks = faults.any(|f| f.refused || f.attempts >= order.policy.attention_after);
    assert_eq!(order.attention().is_some(), asks);
}

/// A closed order has its reason, owes nothing (I1) and holds nothing (I3).
fn closed(world: &World) {
    let (order, ledger) = (&world.order, &world.ledger);
    let reason = order.close_reason().expect("a closed order has a reason");
    assert_eq!(order.state, reason.closed_state());
    assert!(order.close_time.is_some());
    assert_eq!(order.allowed_commands(), []);
    assert!(order.is_over() && order.payments_to_resolve().is_empty());
    assert_eq!(
        (&order.deadlines[..], &order.faults[..]),
        (&[][..], &[][..])
    );
    assert!(ledger.held.is_empty(), "I3: stock is still held");
    assert!(ledger.stock.values().all(|stock| stock.reserved == 0));
    let parcel = ledger.parcel.as_ref();
    if order.state == OrderState::Completed {
        let sums = (ledger.captured, ledger.refunded);
        assert_eq!(sums, (order.total.minor, 0), "I1");
        assert_eq!(order.payment.state, PaymentState::Captured);
        assert!(order.compensations.is_empty());
        let parcel = parcel.expect("a completed order was shipped");
        assert_eq!(
            parcel.address, order.shipping_address,
            "the carrier got an old address"
        );
        assert!(parcel.dispatched);
    } else {
        assert_eq!(ledger.captured, ledger.refunded, "I1: money is owed");
        assert!(
            ledger.voided || ledger.captured == ledger.authorized,
            "I1: money is held"
        );
        assert_eq!(order.payment.captured, ledger.captured);
        assert_eq!(order.payment.refunded, ledger.refunded);
        assert!(parcel.is_none_or(|parcel| parcel.cancelled && !parcel.dispatched));
        assert_ne!(order.payment.state, PaymentState::Indeterminate);
        assert_ne!(order.payment.state, PaymentState::Refunding);
        oracle::undone_in_reverse(world);
    }
}
