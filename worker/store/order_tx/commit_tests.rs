//! What a commit writes into the columns of an order's row.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::{
    Store, micros,
    payment_journal::Outcome,
    samples::{open, open_postgres, take_in},
};
use jiff::{SignedDuration, Timestamp};
use orders_domain::{
    command::{PaymentOutcome, Witness},
    effect::Effect,
    event::Change,
    movement::Task,
    step::Step,
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

    store.forget_due("closed").await.unwrap();
    let mut tx = store.lock_order("closed", later).await.unwrap();
    tx.record(refusal());
    tx.commit(refused.revision, None).await.unwrap();
    let forgotten = columns(store, "closed").await;
    assert_eq!((forgotten.close_time, forgotten.due_time), (time, None));
    assert_eq!(forgotten.refused_signals, 2);
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
        a_question_that_was_put_off_stays_put_off(&store).await;
    }
}
