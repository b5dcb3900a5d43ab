//! What a person vouched for, and what the provider says of it afterwards.

use super::{
    ledger::Answer::Silent,
    operator_stories::{lost_and_cancelled, resolve, resolved},
    story::{SMALL, answers, call, due_step, next_call, placed, preset},
};
use crate::{
    attention::{CauseKind, causes},
    command::{CommandKind, PaymentOutcome},
    effect::Effect,
    event::{Change, Event},
    explain::{WaitsFor, explain},
    order::Order,
    phase::due_time,
    state::{OrderState, VouchState},
    step::{CompensationOutcome, Step},
};

/// The order after a change. Not by way of the world, whose ledgers would contradict.
fn after(order: &Order, change: Change) -> Order {
    let mut order = order.clone();
    order.apply(&Event {
        revision: order.revision + 1,
        time: order.update_time,
        actor: "orders".to_owned(),
        request_id: None,
        change,
    });
    order
}

/// What a person vouched for, as the provider says later.
fn verify(order: &Order, outcome: PaymentOutcome, transaction_id: &str) -> Order {
    let verified = Change::PaymentVerified {
        effect: Effect::first(Step::ChargePayment),
        outcome,
        transaction_id: transaction_id.to_owned(),
        amount: order.total.minor,
    };
    after(order, verified)
}

#[test]
fn what_a_person_vouched_for_is_in_doubt_until_the_provider_confirms_it() {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Step::ChargePayment, &[Silent]);
    call(&mut world);
    let order = resolved(&world, Step::ChargePayment, PaymentOutcome::Succeeded);
    let vouched = &order.vouched[0];
    assert_eq!((vouched.actor.as_str(), vouched.time), ("me", world.clock));
    assert_eq!(order.attention_time(), Some(world.clock));
    assert_eq!(order.vouch_time(), Some(world.clock));
    let mut closed = order.clone();
    closed.state = OrderState::Completed;
    for order in [&order, &closed] {
        let found = causes(order, world.clock, None);
        assert_eq!(found[0].kind, CauseKind::PaymentVouched);
        assert!(found[0].what.contains("me vouched"), "{found:?}");
    }
    let confirmed = verify(&order, PaymentOutcome::Succeeded, "txn-1");
    assert_eq!(confirmed.payment.transaction_id.as_deref(), Some("txn-1"));
    assert_eq!(confirmed.attention_time(), None);
    assert_eq!(confirmed.vouch_time(), None);
    assert_eq!(causes(&confirmed, world.clock, None), []);
    assert!(order.needs_payment_token() && !confirmed.needs_payment_token());
    // Goods that have left are not called back: a person has to see to it.
    let mut left = order.clone();
    left.shipment.dispatched = true;
    let contradicted = verify(&left, PaymentOutcome::NotHappened, "");
    assert_eq!(contradicted.vouched[0].state, VouchState::Contradicted);
    assert_eq!(contradicted.vouch_time(), None);
    assert!(contradicted.attention_time().is_some());
    let found = causes(&contradicted, world.clock, None);
    assert!(found[0].what.contains("contrary"), "{found:?}");
    // The provider may find it after all.
    let found = verify(&contradicted, PaymentOutcome::Succeeded, "txn-1");
    assert_eq!(found.attention_time(), None);
}

#[test]
fn a_payment_that_never_happened_is_taken_back_and_made_anew_or_not_given_back() {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Step::ChargePayment, &[Silent]);
    call(&mut world);
    let order = resolved(&world, Step::ChargePayment, PaymentOutcome::Succeeded);
    let anew = verify(&order, PaymentOutcome::NotHappened, "");
    assert_eq!(
        (anew.payment.captured, &anew.payment.transaction_id),
        (0, &None)
    );
    assert_eq!((anew.attention_time(), anew.vouched.len()), (None, 0));
    assert!(anew.needs_payment_token());
    // Under another key: the provider has closed the old one.
    let second = Effect {
        step: Step::ChargePayment,
        number: 2,
    };
    let next = next_call(&anew, anew.update_time);
    assert_eq!(next.map(|(effect, _)| effect), Some(second));
    let cancel = |order: &Order| {
        let mut order = order.clone();
        order.apply(&Event {
            revision: order.revision + 1,
            time: order.update_time,
            actor: "me".to_owned(),
            request_id: None,
            change: Change::CancelRequested {
                reason: String::new(),
            },
        });
        order
    };
    let cancelled = verify(&cancel(&order), PaymentOutcome::NotHappened, "");
    assert_eq!(
        cancelled.compensations[0].outcome,
        CompensationOutcome::NotNeeded
    );
    assert_eq!(cancelled.payment.captured, 0);
    assert_eq!(cancelled.attention_time(), None);
}

#[test]
fn money_that_a_person_denied_is_given_back_once_the_provider_finds_it() {
    let world = lost_and_cancelled();
    let order = resolved(&world, Step::ChargePayment, PaymentOutcome::NotHappened);
    assert_eq!(
        order.compensations[0].outcome,
        CompensationOutcome::NotNeeded
    );
    let found = verify(&order, PaymentOutcome::Succeeded, "txn-1");
    let total = order.total.minor;
    assert_eq!((found.payment.captured, found.vouched.len()), (total, 0));
    // It was asked for once, and may have had its outcome: what is due is another effect.
    let refund = Effect {
        step: Step::RefundPayment,
        number: 2,
    };
    let next = next_call(&found, world.clock);
    assert_eq!(next.map(|(effect, _)| effect), Some(refund));
    // So it is once the order has closed: it is due, and the close stays as it was.
    let mut closed = order.clone();
    closed.state = OrderState::Cancelled;
    closed.close_time = Some(world.clock);
    assert!(closed.is_over() && due_time(&closed).is_none());
    let found = verify(&closed, PaymentOutcome::Succeeded, "txn-1");
    assert!(!found.is_over() && found.state == OrderState::Cancelled);
    assert_eq!(due_step(&found, world.clock), Some(Step::RefundPayment));
    assert_eq!(due_time(&found), Some(found.update_time));
    assert_eq!(causes(&found, world.clock, None), []);
    assert!(CommandKind::RetryOrder.is_allowed(&found));
    assert_eq!(found.payments_to_resolve(), []);
    let given_back = Change::Compensated {
        effect: refund,
        outcome: CompensationOutcome::Done,
        amount: total,
    };
    let done = after(&found, given_back);
    assert!(done.is_over() && done.close_time == closed.close_time);
    assert_eq!(done.payment.refunded, total);
    // A provider that refuses asks for a person, as with an open order.
    let refused = after(
        &found,
        Change::AttemptFailed {
            effect: refund,
            attempt: 1,
            error: "charged back".to_owned(),
            unknown: false,
            refused: true,
        },
    );
    let owed = causes(&refused, world.clock, None);
    assert_eq!(owed[0].kind, CauseKind::RefundByHand, "{owed:?}");
    assert_eq!(refused.payments_to_resolve(), [refund]);
    let explained = explain(&refused, world.clock, None);
    assert_eq!(explained.waits_for, WaitsFor::Operator);
    let by_hand = resolve(Step::RefundPayment, PaymentOutcome::Succeeded);
    let change = by_hand.decide(&refused, world.clock).unwrap();
    let settled = after(&refused, change);
    assert_eq!(settled.payment.refunded, total);
    assert_eq!(settled.attention_time(), None);
    assert!(settled.is_over());
}

/// The word of a person came before the cancellation, so nothing was planned to be given back.
#[test]
fn money_that_a_person_denied_before_the_cancellation_is_given_back_too() {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Step::ChargePayment, &[Silent]);
    call(&mut world);
    let order = resolved(&world, Step::ChargePayment, PaymentOutcome::NotHappened);
    let reason = String::new();
    let cancelled = after(&order, Change::CancelRequested { reason });
    assert_eq!(cancelled.compensations, []);
    let found = verify(&cancelled, PaymentOutcome::Succeeded, "txn-1");
    assert_eq!(due_step(&found, world.clock), Some(Step::RefundPayment));
    assert_eq!(
        found.compensations[0].undoes,
        Effect::first(Step::ChargePayment)
    );
}

/// What was given back had moved, whatever a person had said of it: it is not given back twice.
#[test]
fn a_refund_answers_who_denied_the_payment() {
    let mut world = placed(&preset("pre-order"), SMALL);
    answers(&mut world, Step::ChargePayment, &[Silent]);
    call(&mut world);
    let denied = resolved(&world, Step::ChargePayment, PaymentOutcome::NotHappened);
    let charge = Effect::first(Step::ChargePayment);
    let lost = after(
        &denied,
        Change::AttemptFailed {
            effect: charge,
            attempt: 2,
            error: "no answer".to_owned(),
            unknown: true,
            refused: false,
        },
    );
    let reason = String::new();
    let cancelled = after(&lost, Change::CancelRequested { reason });
    assert_eq!(cancelled.vouched.len(), 1);
    let refunded = after(
        &cancelled,
        Change::Compensated {
            effect: Effect::first(Step::RefundPayment),
            outcome: CompensationOutcome::Done,
            amount: cancelled.total.minor,
        },
    );
    assert_eq!(refunded.vouched, []);
    let again = verify(&refunded, PaymentOutcome::Succeeded, "txn-1");
    assert_eq!(due_step(&again, world.clock), None);
}
