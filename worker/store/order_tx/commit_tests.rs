//! What a commit writes into the columns of an order's row.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::{
    Store, micros,
    overdue::Place,
    payment_journal::Outcome,
    samples::{open, open_postgres, take_in},
};
use jiff::{SignedDuration, Timestamp};
use orders_domain::{
    command::{PaymentOutcome, Witness},
    effect::Effect,
    event::Change,
    movement::{EntryPhase, Movement, Task},
    state::OrderState,
    step::{CompensationOutcome, Step},
};
use sqlx::FromRow;

#[derive(Debug, PartialEq, Eq, FromRow)]
struct Columns {
    revision: i64,
    refused_signals: i64,
    close_time: Option<i64>,
    due_time: Option<i64>,
    vouch_time: Option<i64>,
}

async fn columns(store: &Store, order_id: &str) -> Columns {
    let query = "SELECT revision, refused_signals, close_time, due_time, vouch_time FROM orders
         WHERE order_id = $1";
    let columns = sqlx::query_as(query).bind(order_id);
    columns.fetch_one(&store.readers).await.unwrap()
}

fn refusal() -> Change {
    Change::CommandRefused {
        command: "CANCEL_ORDER".to_owned(),
        reason: "too late".to_owned(),
    }
}

/// The end of the workflow of a closed order stays due, until the workflow has ended.
async fn what_is_due_stays_after_the_close(store: &Store) {
    let now = Timestamp::now();
    let time = Some(micros(now));
    take_in(store, "closed", now).await;
    let mut tx = store.lock_order("closed", now).await.unwrap();
    let reason = "changed my mind".to_owned();
    tx.record_command(Change::CancelRequested { reason }, "me", "cancel", "call");
    tx.settle().unwrap();
    tx.remember_request("cancel", "content");
    tx.commit(1, None).await.unwrap();
    let closed = columns(store, "closed").await;
    assert_eq!((closed.close_time, closed.due_time), (time, time));

    let later = now + SignedDuration::from_secs(1);
    let mut tx = store.lock_order("closed", later).await.unwrap();
    tx.record(refusal());
    tx.count_refused();
    tx.count_refused();
    tx.commit(closed.revision, None).await.unwrap();
    let refused = columns(store, "closed").await;
    let expected = Columns {
        revision: closed.revision + 1,
        refused_signals: 2,
        ..closed
    };
    assert_eq!(refused, expected);

    // What was read before it has moved does not count.
    store.forget_due("closed", closed.revision).await.unwrap();
    assert_eq!(columns(store, "closed").await, refused);
    store.forget_due("closed", refused.revision).await.unwrap();
    let mut tx = store.lock_order("closed", later).await.unwrap();
    tx.record(refusal());
    tx.commit(refused.revision, None).await.unwrap();
    let forgotten = columns(store, "closed").await;
    assert_eq!((forgotten.close_time, forgotten.due_time), (time, None));
    assert_eq!(forgotten.refused_signals, 2);
}

/// The authorization of an order that closed, after a person had said that it never happened.
async fn closed_without_an_authorization(
    store: &Store,
    order_id: &str,
    now: Timestamp,
) -> Movement {
    take_in(store, order_id, now).await;
    let effect = Effect::first(Step::AuthorizePayment);
    let mut tx = store.lock_order(order_id, now).await.unwrap();
    let order = tx.order().clone();
    let task = tx.journal().await.unwrap().task(&order, effect).unwrap();
    let Some(Task::Move(movement)) = task else {
        panic!("{task:?}");
    };
    tx.intend(&movement).await.unwrap();
    tx.record(Change::AttemptFailed {
        effect,
        attempt: 1,
        error: "no answer".to_owned(),
        unknown: true,
        refused: false,
    });
    let reason = "changed my mind".to_owned();
    tx.record(Change::CancelRequested { reason });
    let unmoved = Outcome::unmoved(EntryPhase::NotHappened, "a call");
    tx.book(&movement, &unmoved, "me").await.unwrap();
    tx.record(Change::PaymentResolved {
        effect,
        outcome: PaymentOutcome::NotHappened,
        witness: Witness::Person,
        new_key: false,
        transaction_id: String::new(),
        amount: 0,
        evidence: "a call".to_owned(),
        reason: String::new(),
    });
    tx.settle().unwrap();
    tx.commit(1, None).await.unwrap();
    movement
}

/// What the provider finds after the close is due, and is undone; the state and the time of the close stay.
async fn a_closed_order_may_have_something_due(store: &Store) {
    let now = Timestamp::now();
    let movement = closed_without_an_authorization(store, "found", now).await;
    let closed = columns(store, "found").await;
    assert_eq!(
        (closed.close_time, closed.due_time),
        (Some(micros(now)), None)
    );

    let later = now + SignedDuration::from_secs(60);
    let mut tx = store.lock_order("found", later).await.unwrap();
    let said = crate::payment_resolution::Said::Moved {
        transaction_id: "found late".to_owned(),
        amount: movement.amount,
    };
    let authorize = Effect::first(Step::AuthorizePayment);
    crate::payment_resolution::verify(&mut tx, authorize, &said, "orders")
        .await
        .unwrap();
    tx.commit(closed.revision, None).await.unwrap();
    let found = columns(store, "found").await;
    assert_eq!(found.close_time, closed.close_time);
    assert_eq!(found.due_time, Some(micros(later)));
    // The sweep that read the order before does not forget it.
    store.forget_due("found", closed.revision).await.unwrap();
    assert_eq!(columns(store, "found").await, found);
    let late = later + SignedDuration::from_secs(1);
    let overdue = store.overdue(late, &Place::default(), 10).await.unwrap();
    assert!(
        overdue
            .orders
            .iter()
            .any(|found| found.order.order_id == "found")
    );

    let mut tx = store.lock_order("found", later).await.unwrap();
    let order = tx.order().clone();
    let void = Effect::first(Step::VoidAuthorization);
    assert!(order.state == OrderState::Cancelled && !order.is_over());
    assert!(tx.todo().allows(void, later));
    let task = tx.journal().await.unwrap().task(&order, void).unwrap();
    let Some(Task::Move(given_back)) = task else {
        panic!("{task:?}");
    };
    assert_eq!(given_back.original.as_deref(), Some("found late"));
    tx.intend(&given_back).await.unwrap();
    tx.book(&given_back, &Outcome::moved("void"), "orders")
        .await
        .unwrap();
    tx.record(Change::Compensated {
        effect: void,
        outcome: CompensationOutcome::Done,
        amount: given_back.amount,
    });
    tx.settle().unwrap();
    tx.commit(found.revision, None).await.unwrap();
    let over = columns(store, "found").await;
    assert_eq!(over.close_time, closed.close_time);
    let order = store.order("found").await.unwrap().unwrap().order;
    assert!(order.state == OrderState::Cancelled && order.is_over());
    store.forget_due("found", over.revision).await.unwrap();
    assert_eq!(columns(store, "found").await.due_time, None);
    let mut findings = Vec::new();
    let verified = store.verify(later, |finding| {
        if finding.order_id.as_deref() == Some("found") {
            findings.push(finding);
        }
    });
    verified.await.unwrap();
    assert!(findings.is_empty(), "{findings:?}");
}

/// The time at which the provider is asked stays where it was put, until nothing is to be asked.
async fn a_question_that_was_put_off_stays_put_off(store: &Store) {
    let now = Timestamp::now();
    take_in(store, "vouched", now).await;
    assert_eq!(columns(store, "vouched").await.vouch_time, None);
    let effect = Effect::first(Step::AuthorizePayment);
    let mut tx = store.lock_order("vouched", now).await.unwrap();
    let order = tx.order().clone();
    let task = tx.journal().await.unwrap().task(&order, effect).unwrap();
    let Some(Task::Move(movement)) = task else {
        panic!("{task:?}");
    };
    let outcome = Outcome {
        vouched: true,
        ..Outcome::moved("by word")
    };
    tx.book(&movement, &outcome, "me").await.unwrap();
    tx.record(Change::PaymentResolved {
        effect,
        outcome: PaymentOutcome::Succeeded,
        witness: Witness::Person,
        new_key: false,
        transaction_id: "by word".to_owned(),
        amount: movement.amount,
        evidence: "a call".to_owned(),
        reason: String::new(),
    });
    tx.commit(1, None).await.unwrap();
    let vouched = columns(store, "vouched").await;
    assert_eq!(vouched.vouch_time, Some(micros(now)));

    let later = now + SignedDuration::from_hours(1);
    let put_off = store.ask_vouched_at("vouched", vouched.revision, Some(later));
    put_off.await.unwrap();
    let mut tx = store.lock_order("vouched", now).await.unwrap();
    tx.record(refusal());
    tx.commit(vouched.revision, None).await.unwrap();
    let refused = columns(store, "vouched").await;
    assert_eq!(refused.vouch_time, Some(micros(later)));

    let mut tx = store.lock_order("vouched", now).await.unwrap();
    let said = crate::payment_resolution::Said::Moved {
        transaction_id: "by word".to_owned(),
        amount: movement.amount,
    };
    crate::payment_resolution::verify(&mut tx, effect, &said, "orders")
        .await
        .unwrap();
    tx.commit(refused.revision, None).await.unwrap();
    assert_eq!(columns(store, "vouched").await.vouch_time, None);
}

#[tokio::test]
async fn the_columns_of_a_row_follow_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    for store in [open(&path).await, open_postgres(folder.path()).await] {
        what_is_due_stays_after_the_close(&store).await;
        a_closed_order_may_have_something_due(&store).await;
        a_question_that_was_put_off_stays_put_off(&store).await;
    }
}
