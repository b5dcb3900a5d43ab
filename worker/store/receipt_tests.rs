//! Money from outside in the database: recorded once, and no transaction pays two orders.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{
    Store, StoreError,
    payment_journal::Outcome,
    receipts::{Received, receive},
    samples::{open, placed_by, take_in_placed},
    verify::{Check, Finding},
};
use jiff::Timestamp;
use orders_domain::{
    command::{AMOUNT_MOST, Command, CommandRequest, ConfirmPayment},
    effect::Effect,
    event::Change,
    money::Money,
    movement::{Movement, MovementKind},
    payment_method::PaymentMethodType,
    received::MOST_RECEIPTS,
    step::Step,
};
use proptest::{collection::vec, prelude::*, sample::select, test_runner::TestRunner};
use std::collections::{BTreeMap, BTreeSet};

const TOTAL: i64 = 100;

async fn take_in(store: &Store, order_id: &str, policy: &str) {
    let placed = placed_by(policy, order_id, Timestamp::now());
    take_in_placed(store, &placed, order_id).await;
}

fn request(request_id: &str, transaction_id: &str, amount: Money) -> CommandRequest {
    CommandRequest {
        request_id: request_id.to_owned(),
        actor: "bank".to_owned(),
        expected_revision: None,
        seen_revision: 0,
        attempt: format!("call-of-{request_id}"),
        command: Command::ConfirmPayment(ConfirmPayment {
            transaction_id: transaction_id.to_owned(),
            amount,
            payment_method: PaymentMethodType::BankTransfer,
            last4: String::new(),
        }),
    }
}

/// As the activity does it.
async fn confirm(
    store: &Store,
    order_id: &str,
    request: &CommandRequest,
) -> Result<Received, StoreError> {
    confirm_as(store, order_id, request, false).await
}

async fn confirm_as(
    store: &Store,
    order_id: &str,
    request: &CommandRequest,
    signalled: bool,
) -> Result<Received, StoreError> {
    let Command::ConfirmPayment(payment) = &request.command else {
        unreachable!("a confirmation");
    };
    let mut tx = store.lock_order(order_id, Timestamp::now()).await?;
    let known = tx.order().revision;
    let received = receive(&mut tx, request, payment, signalled).await?;
    tx.settle()?;
    tx.commit(known, None).await?;
    Ok(received)
}

/// The payment provider answers an authorization by that name.
async fn answer(store: &Store, order_id: &str, transaction_id: &str) -> Result<(), StoreError> {
    let mut tx = store.lock_order(order_id, Timestamp::now()).await?;
    let known = tx.order().revision;
    let effect = Effect::first(Step::AuthorizePayment);
    let movement = Movement {
        key: effect.key(order_id),
        payment_id: tx.order().payment.payment_id.clone(),
        kind: MovementKind::Authorize,
        amount: TOTAL,
        original: None,
    };
    tx.intend(&movement).await?;
    tx.book(&movement, &Outcome::moved(transaction_id), "orders")
        .await?;
    let change = Change::PaymentAuthorized {
        effect,
        transaction_id: transaction_id.to_owned(),
        amount: TOTAL,
    };
    tx.record(change);
    tx.commit(known, None).await?;
    Ok(())
}

async fn findings(store: &Store) -> Vec<Finding> {
    let mut list = Vec::new();
    let found = store.verify(Timestamp::now(), |finding| list.push(finding));
    found.await.unwrap();
    list
}

fn of(list: &[Finding], check: Check) -> Vec<&str> {
    let list = list
        .iter()
        .filter(|finding| finding.check == check.as_str());
    list.map(|finding| finding.order_id.as_deref().unwrap_or_default())
        .collect()
}

async fn needing(store: &Store) -> Vec<String> {
    let now = Timestamp::now();
    let found = store.needing_attention(now, Timestamp::MIN, None, 100);
    let found = found.await.unwrap();
    found.into_iter().map(|one| one.position.order_id).collect()
}

#[tokio::test]
async fn a_callers_id_never_stops_a_provider_and_both_orders_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    take_in(&store, "mine", "external-payment").await;
    take_in(&store, "victim", "standard").await;
    let total = Money::new("USD", TOTAL);
    // Taken in advance.
    let early = confirm(&store, "mine", &request("r1", "ext-1", total.clone())).await;
    assert_eq!(early.unwrap(), Received::Recorded);
    assert_eq!(findings(&store).await, []);
    answer(&store, "victim", "ext-1").await.unwrap();
    assert_eq!(needing(&store).await, ["victim"]);
    for _ in 0..2 {
        store.pass_on_disputes(Timestamp::now()).await.unwrap();
        assert_eq!(needing(&store).await, ["victim", "mine"]);
        let list = findings(&store).await;
        assert_eq!(of(&list, Check::PaymentDisputed), ["mine"], "{list:?}");
        assert!(list[0].wrong.contains("victim"), "{list:?}");
        assert_eq!(list.len(), 1, "{list:?}");
    }
    // Named afterwards, it is refused, and the victim's payment is as it was.
    take_in(&store, "late", "external-payment").await;
    let late = confirm(&store, "late", &request("r2", "ext-1", total))
        .await
        .unwrap();
    assert!(matches!(late, Received::Refused(_)), "{late:?}");
    assert_eq!(needing(&store).await, ["victim", "mine", "late"]);
}

#[tokio::test]
async fn damage_of_receipts_is_found() {
    let damages = [
        (
            "UPDATE payment_receipts SET amount = amount + 1",
            Check::PaymentReceipts,
        ),
        (
            "UPDATE payment_receipts SET counted = counted - 1",
            Check::PaymentReceipts,
        ),
        ("DELETE FROM payment_receipts", Check::PaymentTaken),
        (
            "UPDATE payment_receipts SET currency = 'EUR'",
            Check::PaymentReceipts,
        ),
    ];
    for (damage, check) in damages {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("orders.db")).await;
        take_in(&store, "order", "external-payment").await;
        let paid = request("r1", "bank-1", Money::new("USD", TOTAL));
        confirm(&store, "order", &paid).await.unwrap();
        assert_eq!(findings(&store).await, []);
        sqlx::query(damage).execute(&store.writer).await.unwrap();
        let list = findings(&store).await;
        assert!(of(&list, check).contains(&"order"), "{damage}: {list:?}");
    }
}

#[tokio::test]
async fn two_orders_name_one_transaction_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    for number in 0..8 {
        take_in(&store, &format!("order-{number}"), "external-payment").await;
    }
    let total = Money::new("USD", TOTAL);
    let all = (0..8).map(|number| {
        let request = request(&format!("r{number}"), "bank-77", total.clone());
        let store = store.clone();
        async move {
            confirm(&store, &format!("order-{number}"), &request)
                .await
                .unwrap()
        }
    });
    let all = futures::future::join_all(all).await;
    let recorded = all
        .iter()
        .filter(|received| **received == Received::Recorded);
    assert_eq!(recorded.count(), 1, "{all:?}");
    assert_eq!(needing(&store).await.len(), 7);
    assert_eq!(findings(&store).await, []);
}

#[tokio::test]
async fn a_signal_that_reuses_an_id_or_saw_another_revision_is_recorded_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    take_in(&store, "order", "external-payment").await;
    let part = |number: i64| CommandRequest {
        expected_revision: Some(99),
        ..request(
            "the same id",
            &format!("bank-{number}"),
            Money::new("USD", number),
        )
    };
    let signal = async |number| {
        confirm_as(&store, "order", &part(number), true)
            .await
            .unwrap()
    };
    assert_eq!(signal(1).await, Received::Recorded);
    for expected in [Received::Recorded, Received::Again, Received::Again] {
        assert_eq!(signal(2).await, expected);
        assert_eq!(signal(1).await, Received::Again);
    }
    // A caller who waits for the answer is told.
    let called = confirm(&store, "order", &part(3)).await.unwrap();
    assert!(matches!(called, Received::Refused(_)), "{called:?}");
    let order = store.order("order").await.unwrap().unwrap().order;
    assert_eq!(order.payment.received.amount, 3);
    assert_eq!(findings(&store).await, []);
}

/// One call of a caller, or one answer of the provider.
#[derive(Clone, Debug)]
enum Turn {
    Confirm {
        order: usize,
        transaction: usize,
        amount: i64,
        currency: &'static str,
        request: usize,
    },
    Answer {
        transaction: usize,
    },
}

fn step() -> impl Strategy<Value = Turn> {
    let amounts = select(vec![1, 40, 60, TOTAL, TOTAL + 1]);
    let currency = prop_oneof![9 => Just("USD"), 1 => Just("EUR")];
    prop_oneof![
        9 => (0..3usize, 0..4usize, amounts, currency, 0..12usize).prop_map(
            |(order, transaction, amount, currency, request)| Turn::Confirm {
                order, transaction, amount, currency, request,
            }
        ),
        1 => (0..4usize).prop_map(|transaction| Turn::Answer { transaction }),
    ]
}

/// Whatever is confirmed for whichever order, each transaction is recorded once, for one order, and what is
/// recorded is counted or due to the payer.
#[test]
fn a_transaction_is_recorded_once_and_pays_one_order() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(open(&folder.path().join("orders.db")));
    let case = std::cell::Cell::new(0);
    let config = ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = TestRunner::new(config).run(&vec(step(), 1..24), |steps| {
        case.set(case.get() + 1);
        runtime.block_on(play(&store, case.get(), steps));
        Ok(())
    });
    run.unwrap();
    let list = runtime.block_on(findings(&store));
    let known = [
        Check::PaymentDisputed.as_str(),
        Check::PaymentSurplus.as_str(),
    ];
    let other: Vec<_> = list.iter().filter(|f| !known.contains(&f.check)).collect();
    assert!(other.is_empty(), "{other:?}");
}

async fn play(store: &Store, case: u32, steps: Vec<Turn>) {
    let orders = ["external-payment", "external-payment", "standard"];
    for (number, policy) in orders.iter().enumerate() {
        take_in(store, &format!("o{case}-{number}"), policy).await;
    }
    // By transaction: the order and the amount.
    let mut receipts: BTreeMap<usize, (usize, i64)> = BTreeMap::new();
    let mut requests: BTreeMap<usize, (usize, usize, i64, &str)> = BTreeMap::new();
    let mut provided = BTreeSet::new();
    for step in steps {
        match step {
            Turn::Confirm {
                order,
                transaction,
                amount,
                currency,
                request: number,
            } => {
                let asked = request(
                    &format!("{case}-{number}"),
                    &format!("{case}-{transaction}"),
                    Money::new(currency, amount),
                );
                let content = (order, transaction, amount, currency);
                let before = requests.get(&number);
                let same =
                    receipts.get(&transaction) == Some(&(order, amount)) && currency == "USD";
                let free = !receipts.contains_key(&transaction) && !provided.contains(&transaction);
                let received = confirm(store, &format!("o{case}-{order}"), &asked)
                    .await
                    .unwrap();
                match received {
                    Received::Again => {
                        assert!(before == Some(&content) || (before.is_none() && same))
                    }
                    Received::Recorded => {
                        assert!(before.is_none() && free && currency == "USD");
                        receipts.insert(transaction, (order, amount));
                    }
                    Received::Refused(refusal) if refusal.is_recorded() => {
                        assert!(before.is_none() && !same && (currency != "USD" || !free));
                        continue;
                    }
                    Received::Refused(_) => {
                        assert!(before.is_some_and(|before| *before != content));
                        continue;
                    }
                }
                requests.entry(number).or_insert(content);
            }
            // One authorization, whoever has taken its name.
            Turn::Answer { transaction } if provided.is_empty() => {
                let id = format!("{case}-{transaction}");
                answer(store, &format!("o{case}-2"), &id).await.unwrap();
                provided.insert(transaction);
            }
            Turn::Answer { .. } => {}
        }
    }
    store.pass_on_disputes(Timestamp::now()).await.unwrap();
    for number in 0..orders.len() {
        let order = store
            .order(&format!("o{case}-{number}"))
            .await
            .unwrap()
            .unwrap()
            .order;
        let own = receipts.values().filter(|(owner, _)| *owner == number);
        let sum: i64 = own.clone().map(|(_, amount)| amount).sum();
        let received = &order.payment.received;
        assert_eq!(
            (received.amount, received.count as usize),
            (sum, own.count())
        );
        assert_eq!(order.payment.captured + received.surplus, sum);
        let due = if number == 2 { 0 } else { sum.min(TOTAL) };
        assert_eq!(order.payment.captured, due);
        let disputed = provided
            .iter()
            .any(|t| receipts.get(t).is_some_and(|(o, _)| *o == number));
        assert!(!disputed || received.questioned > 0);
    }
}

/// Money that an order cannot record any more leaves a question on the order, by call and by signal.
#[tokio::test]
async fn money_after_the_last_receipt_asks_for_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    take_in(&store, "full", "external-payment").await;
    let mut tx = store.lock_order("full", Timestamp::now()).await.unwrap();
    let known = tx.order().revision;
    for number in 0..MOST_RECEIPTS {
        let id = number.to_string();
        let request = request(&id, &format!("bank-{id}"), Money::new("USD", AMOUNT_MOST));
        let Command::ConfirmPayment(payment) = &request.command else {
            unreachable!("a confirmation");
        };
        let received = receive(&mut tx, &request, payment, true).await.unwrap();
        assert_eq!(received, Received::Recorded, "{number}");
    }
    tx.commit(known, None).await.unwrap();
    for (number, signalled) in [(1, true), (2, false)] {
        let (id, bank) = (format!("late-{number}"), format!("bank-late-{number}"));
        let late = request(&id, &bank, Money::new("USD", 1));
        let received = confirm_as(&store, "full", &late, signalled).await.unwrap();
        let Received::Refused(refusal) = received else {
            panic!("{received:?}");
        };
        assert!(
            refusal.to_string().contains("as many receipts"),
            "{refusal}"
        );
        let order = store.order("full").await.unwrap().unwrap().order;
        let received = &order.payment.received;
        assert_eq!(received.questioned, number);
        assert!(received.question.contains(&bank), "{}", received.question);
    }
    assert_eq!(needing(&store).await, ["full"]);
    // What was recorded before is still known.
    let again = request("other", "bank-7", Money::new("USD", AMOUNT_MOST));
    let again = confirm(&store, "full", &again).await.unwrap();
    assert_eq!(again, Received::Again);
}
