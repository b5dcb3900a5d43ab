//! What a person vouched for, and what the provider says of it afterwards.

use super::{
    ledger::Answer::Silent,
    operator_stories::{lost_and_cancelled, resolve, resolved},
    story::{SMALL, answers, call, next_call, placed, preset},
};
use crate::{
    attention::{CauseKind, causes},
    command::PaymentOutcome,
    effect::Effect,
    event::{Change, Event},
    order::Order,
    state::{OrderState, VouchState},
    step::{CompensationOutcome, Step},
};

/// What a person vouched for, as the provider says later.
fn verify(order: &Order, outcome: PaymentOutcome, transaction_id: &str) -> Order {
    let mut order = order.clone();
    order.apply(&Event {
        revision: order.revision + 1,
        time: order.update_time,
        actor: "orders".to_owned(),
        request_id: None,
        change: Change::PaymentVerified {
            effect: Effect::first(Step::ChargePayment),
            outcome,
            transaction_id: transaction_id.to_owned(),
            amount: order.total.minor,
        },
    });
    order
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
    let next = next_call(&found, world.clock);
    let refund = Effect::first(Step::RefundPayment);
    assert_eq!(next.map(|(effect, _)| effect), Some(refund));
    // An order that has closed meanwhile cannot do it by itself.
    let mut closed = order.clone();
    closed.state = OrderState::Cancelled;
    closed.close_time = Some(world.clock);
    let found = verify(&closed, PaymentOutcome::Succeeded, "txn-1");
    assert_eq!(found.payments_to_resolve(), [refund]);
    let owed = causes(&found, world.clock, None);
    assert_eq!(owed[0].kind, CauseKind::RefundByHand, "{owed:?}");
    let by_hand = resolve(Step::RefundPayment, PaymentOutcome::Succeeded);
    let change = by_hand.decide(&found, world.clock).unwrap();
    let mut settled = found.clone();
    settled.apply(&Event {
        revision: found.revision + 1,
        time: found.update_time,
        actor: "me".to_owned(),
        request_id: None,
        change,
    });
    assert_eq!(settled.payment.refunded, total);
    assert_eq!(settled.attention_time(), None);
}
