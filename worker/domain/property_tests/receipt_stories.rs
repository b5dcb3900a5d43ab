//! Money from outside, one story for each state of an order in which it can arrive: it is recorded whenever
//! it arrives. What the order asks for counts as its payment, and the rest is a surplus.

use super::{
    ledger::Answer::Failed,
    story::{
        SMALL, answers, assert_closed, call, calls, cancel, confirm, done, pass_deadline, pay,
        placed, preset, say, told, way_out,
    },
    world::{ELSEWHERE, Op, Outcome, World},
};
use crate::{
    attention::{CauseKind, causes},
    command::{AMOUNT_MOST, Command, CommandKind, CommandRequest, KnownTransaction, Refusal},
    event::{Change, Event},
    explain::explain,
    money::Money,
    received::MOST_RECEIPTS,
    state::{CloseReason, OrderState, PaymentState},
    step::Step,
};
use Step::{RefundPayment as Refund, ReleaseReservation as Release, ReserveInventory as Reserve};

fn usd(minor: i64) -> Money {
    Money::new("USD", minor)
}

fn waiting() -> World {
    let mut world = placed(&preset("external-payment"), SMALL);
    calls(&mut world);
    assert_eq!(world.order.state, OrderState::AwaitingPayment);
    world
}

/// Asks for something under a request id of its own, whether or not the order has changed.
fn ask(world: &mut World, request_id: &str, command: Command) -> Outcome {
    let request = CommandRequest {
        request_id: request_id.to_owned(),
        actor: "bank".to_owned(),
        expected_revision: None,
        seen_revision: 0,
        attempt: String::new(),
        command,
    };
    let outcome = world.transact(&Op::Command(request, None));
    outcome.expect("a command has an outcome")
}

/// Why the order needs a person, where that is about money from outside.
fn unmatched(world: &World) -> Option<String> {
    let found = causes(&world.order, world.clock, None);
    let mut found = found.into_iter();
    let cause = found.find(|cause| cause.kind == CauseKind::PaymentUnmatched);
    assert_eq!(cause.is_some(), world.order.attention_time().is_some());
    cause.map(|cause| cause.what)
}

fn to_the_end(world: &mut World) {
    while call(world) || way_out(world) {}
}

#[test]
fn an_early_payment_counts_once_the_order_would_wait() {
    // FC-08c: the reservation fails for a while, and the money arrives meanwhile, by signal.
    let mut world = placed(&preset("external-payment"), SMALL);
    answers(&mut world, Reserve, &[Failed, Failed]);
    call(&mut world);
    assert_eq!(
        world.order.allowed_commands()[0],
        CommandKind::ConfirmPayment
    );
    let request = CommandRequest {
        request_id: "signal".to_owned(),
        actor: "bank".to_owned(),
        // A signal counts whatever its caller saw.
        expected_revision: Some(99),
        seen_revision: 0,
        attempt: String::new(),
        command: pay(&world.order),
    };
    let outcome = world.transact(&Op::Command(request, Some(1)));
    assert_eq!(outcome, Some(Outcome::Done { replayed: false }));
    assert_eq!(world.order.state, OrderState::Placed);
    assert_eq!(world.order.payment.state, PaymentState::Captured);
    to_the_end(&mut world);
    assert_closed(&world, CloseReason::Completed, &[], "early");
    let asked = told(&world);
    assert!(
        !asked
            .iter()
            .any(|line| line.starts_with("PAYMENT_REQUESTED"))
    );
    assert_eq!(unmatched(&world), None);
}

#[test]
fn parts_complete_the_sum() {
    let mut world = waiting();
    let total = world.order.total.minor;
    // 001: 1.00 is not 999.99.
    done(&mut world, confirm("bank-1", usd(100)));
    assert_eq!(world.order.state, OrderState::AwaitingPayment);
    assert_eq!(world.order.payment.state, PaymentState::Pending);
    let missing = usd(total - 100).to_string();
    assert!(unmatched(&world).unwrap().contains(&missing));
    let explained = explain(&world.order, world.clock, None).unblocked_by;
    assert!(explained.contains(&missing), "{explained}");
    done(&mut world, confirm("bank-2", usd(total - 100)));
    assert_eq!(world.order.state, OrderState::InFulfillment);
    assert_eq!(unmatched(&world), None);
    to_the_end(&mut world);
    assert_closed(&world, CloseReason::Completed, &[], "parts");
}

#[test]
fn a_part_is_given_back_at_the_deadline() {
    let mut world = waiting();
    done(&mut world, confirm("bank-1", usd(100)));
    pass_deadline(&mut world);
    calls(&mut world);
    let reason = CloseReason::PaymentTimeout;
    assert_closed(&world, reason, &[Refund, Release], "part");
    assert_eq!((world.ledger.captured, world.ledger.refunded), (100, 100));
    assert_eq!(unmatched(&world), None);
}

#[test]
fn too_much_pays_and_the_surplus_is_due() {
    let mut world = waiting();
    let total = world.order.total.minor;
    done(&mut world, confirm("bank-1", usd(total + 250)));
    assert_eq!(world.order.payment.captured, total);
    to_the_end(&mut world);
    assert_closed(&world, CloseReason::Completed, &[], "too much");
    assert_eq!(world.order.payment.received.surplus, 250);
    assert!(unmatched(&world).unwrap().contains("2.50 USD"));
}

#[test]
fn late_money_is_recorded_and_due_also_after_the_close() {
    let mut world = waiting();
    let total = world.order.total.clone();
    done(&mut world, cancel());
    assert_eq!(world.order.state, OrderState::Cancelling);
    done(&mut world, confirm("bank-1", total.clone()));
    calls(&mut world);
    assert_eq!(world.order.state, OrderState::Cancelled);
    let close_time = world.order.close_time;
    done(&mut world, confirm("bank-2", total.clone()));
    assert_eq!(world.order.payment.received.surplus, 2 * total.minor);
    assert_eq!(world.order.payment.captured, 0);
    assert_eq!(world.order.close_time, close_time);
    assert!(unmatched(&world).is_some());
}

#[test]
fn an_order_that_our_provider_charges_takes_no_other_money_for_its_payment() {
    for policy in ["standard", "approval", "pre-order"] {
        let mut world = placed(&preset(policy), SMALL);
        let total = world.order.total.clone();
        calls(&mut world);
        assert!(
            !world
                .order
                .allowed_commands()
                .contains(&CommandKind::ConfirmPayment)
        );
        let before = world.order.payment.clone();
        done(&mut world, confirm("bank-1", total.clone()));
        let after = &world.order.payment;
        assert_eq!(
            (
                after.state,
                after.authorized,
                after.captured,
                &after.transaction_id
            ),
            (
                before.state,
                before.authorized,
                before.captured,
                &before.transaction_id
            ),
        );
        assert_eq!(after.received.surplus, total.minor, "{policy}");
        to_the_end(&mut world);
        assert_eq!(world.order.state, OrderState::Completed);
        assert!(unmatched(&world).is_some());
    }
}

#[test]
fn the_same_transaction_counts_once_and_another_amount_is_questioned() {
    let mut world = waiting();
    let total = world.order.total.clone();
    done(&mut world, confirm("bank-1", usd(100)));
    let again = ask(&mut world, "again", confirm("bank-1", usd(100)));
    assert_eq!(again, Outcome::Done { replayed: true });
    assert_eq!(world.order.payment.captured, 100);
    for request_id in ["first", "second"] {
        let refusal = Refusal::TransactionKnown {
            transaction_id: "bank-1".to_owned(),
            known: KnownTransaction::OtherAmount { amount: usd(100) },
        };
        let outcome = ask(&mut world, request_id, confirm("bank-1", total.clone()));
        assert_eq!(outcome, Outcome::Refused(refusal));
    }
    let refused = |change: &Change| matches!(change, Change::PaymentRefused { .. });
    let refused = world.events.iter().filter(|event| refused(&event.change));
    assert_eq!(refused.count(), 1, "an event for each, not for each call");
    assert!(unmatched(&world).unwrap().contains("bank-1"));
}

#[test]
fn a_known_transaction_and_another_currency_are_refused_and_recorded() {
    let mut world = waiting();
    let total = world.order.total.clone();
    let refusal = Refusal::TransactionKnown {
        transaction_id: ELSEWHERE.to_owned(),
        known: KnownTransaction::OtherPayment,
    };
    let outcome = say(&mut world, confirm(ELSEWHERE, total.clone()));
    assert_eq!(outcome, Outcome::Refused(refusal));
    assert!(unmatched(&world).unwrap().contains("order-2"));
    let euros = Money::new("EUR", total.minor);
    let refusal = Refusal::WrongCurrency {
        amount: euros.clone(),
        currency: "USD".to_owned(),
    };
    let outcome = say(&mut world, confirm("bank-3", euros));
    assert_eq!(outcome, Outcome::Refused(refusal));
    assert_eq!(world.order.state, OrderState::AwaitingPayment);
    assert_eq!(world.order.payment.received.questioned, 2);
}

/// Money that an order cannot record any more leaves a trace: a question that somebody has to settle.
#[test]
fn money_after_the_last_receipt_is_a_question() {
    let world = waiting();
    // As after so many receipts.
    let mut order = world.order.clone();
    order.payment.received.count = MOST_RECEIPTS - 1;
    order.payment.received.amount = AMOUNT_MOST * i64::from(MOST_RECEIPTS - 1);
    let last = confirm("bank-1000", usd(AMOUNT_MOST));
    assert!(last.decide(&order, world.clock).is_ok());
    order.payment.received.count = MOST_RECEIPTS;
    let refusal = last.decide(&order, world.clock).unwrap_err();
    assert!(refusal.is_recorded() && refusal.is_final(), "{refusal}");
    assert!(
        refusal.to_string().contains("as many receipts"),
        "{refusal}"
    );
    assert_eq!(refusal.kind(), "NOT_ALLOWED");
    order.apply(&Event {
        revision: order.revision + 1,
        time: world.clock,
        actor: "bank".to_owned(),
        request_id: None,
        change: Change::PaymentRefused {
            transaction_id: "bank-1000".to_owned(),
            amount: usd(AMOUNT_MOST),
            reason: refusal.to_string(),
            other_order_id: None,
        },
    });
    let found = causes(&order, world.clock, None);
    let what = &found[0].what;
    assert_eq!(found[0].kind, CauseKind::PaymentUnmatched);
    assert!(
        what.contains("bank-1000") && what.contains("as many receipts"),
        "{what}"
    );
}

#[test]
fn nothing_and_less_than_nothing_are_no_money_and_neither_is_too_much() {
    let mut world = waiting();
    for minor in [0, -1, i64::MIN, AMOUNT_MOST + 1, i64::MAX] {
        let amount = usd(minor);
        let refusal = Refusal::WrongAmount {
            amount: amount.clone(),
        };
        let events = world.events.len();
        let outcome = say(&mut world, confirm("bank-1", amount));
        assert_eq!(outcome, Outcome::Refused(refusal));
        assert_eq!(world.events.len(), events);
    }
}
