//! Deliveries without a network: which are tried, when, and when no more.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{
    AT_ONCE, FAILURES, LONGEST_PAUSE, OLDEST, STOPPING, deliver_due, later, not_delivered, pause,
};
use crate::provider::{DeliveryError, NotificationProvider};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use orders_domain::{event::Change, message::Message};
use orders_store::{
    Store,
    outbox::{Claim, Outcome},
    samples::{open, take_in},
};
use std::{collections::BTreeSet, sync::Mutex};
use tokio_util::sync::CancellationToken;

/// Answers by the customer's or the order's name, and remembers who asked.
#[derive(Default)]
struct Port {
    tried: Mutex<Vec<String>>,
    away: BTreeSet<String>,
    refused: BTreeSet<String>,
    all_away: bool,
}

#[async_trait]
impl NotificationProvider for Port {
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        self.tried.lock().unwrap().push(message.id());
        if self.all_away || self.away.contains(&message.order_id) {
            return Err(DeliveryError::Failed("away".to_owned()));
        }
        match self.refused.contains(&message.order_id) {
            true => Err(DeliveryError::Rejected("no such mailbox".to_owned())),
            false => Ok(()),
        }
    }
}

impl Port {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.tried.lock().unwrap())
    }
}

struct Place {
    store: Store,
    _folder: tempfile::TempDir,
}

async fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("orders.db")).await;
    Place {
        store,
        _folder: folder,
    }
}

/// One more message of an order.
async fn go_on(store: &Store, order_id: &str) {
    let mut tx = store.lock_order(order_id, Timestamp::now()).await.unwrap();
    tx.record(Change::FulfillmentStarted);
    let known = tx.order().revision - 1;
    tx.commit(known, None).await.unwrap();
}

/// And its last one.
async fn arrive(store: &Store, order_id: &str) {
    let mut tx = store.lock_order(order_id, Timestamp::now()).await.unwrap();
    tx.record(Change::Delivered);
    let known = tx.order().revision - 1;
    tx.commit(known, None).await.unwrap();
}

fn ids(claims: &[Vec<Claim>]) -> Vec<Vec<String>> {
    let of_order = |claims: &Vec<Claim>| claims.iter().map(|claim| claim.message.id()).collect();
    claims.iter().map(of_order).collect()
}

async fn state(store: &Store, id: &str) -> (String, i64, Option<String>) {
    let (order_id, milestone) = id.split_once('/').unwrap();
    store.message_state(order_id, milestone).await
}

#[tokio::test]
async fn each_message_is_delivered_once_and_in_the_order_of_its_order() {
    let Place { store, _folder } = place().await;
    let port = Port::default();
    let stop = CancellationToken::new();
    for order_id in ["a", "b"] {
        take_in(&store, order_id, Timestamp::now()).await;
        go_on(&store, order_id).await;
    }
    // What is written is told, and one call is not lost on a messenger that comes late.
    store.message_written().await;
    assert!(!deliver_due(&store, &port, &stop).await.unwrap());
    let tried = port.take();
    let of = |order: &str| {
        let of_order = tried.iter().filter(|id| id.starts_with(order));
        of_order.cloned().collect::<Vec<_>>()
    };
    assert_eq!(of("a"), ["a/received", "a/fulfillment_started"]);
    assert_eq!(of("b"), ["b/received", "b/fulfillment_started"]);
    assert!(!deliver_due(&store, &port, &stop).await.unwrap());
    assert!(port.take().is_empty(), "nothing is due any more");
    let delivered = ("DELIVERED".to_owned(), 1, None);
    assert_eq!(state(&store, "a/received").await, delivered);
}

#[tokio::test]
async fn a_message_waits_for_the_earlier_ones_of_its_order_only() {
    let Place { store, _folder } = place().await;
    let port = Port {
        away: BTreeSet::from(["a".to_owned()]),
        ..Port::default()
    };
    let stop = CancellationToken::new();
    for order_id in ["a", "b"] {
        take_in(&store, order_id, Timestamp::now()).await;
        go_on(&store, order_id).await;
    }
    assert!(!deliver_due(&store, &port, &stop).await.unwrap());
    let mut tried = port.take();
    tried.sort();
    assert_eq!(tried, ["a/received", "b/fulfillment_started", "b/received"]);
    let failed = ("PENDING".to_owned(), 1, Some("away".to_owned()));
    assert_eq!(state(&store, "a/received").await, failed);
    let untried = ("PENDING".to_owned(), 0, None);
    assert_eq!(state(&store, "a/fulfillment_started").await, untried);
    // A moment later it is tried again; meanwhile the other one stays behind it.
    let soon = later(Timestamp::now(), SignedDuration::from_secs(10));
    let claims = store.claim_messages(soon, soon, 10).await.unwrap();
    assert_eq!(ids(&claims), [["a/received", "a/fulfillment_started"]]);
    assert_eq!(claims[0][0].attempts, 1);
}

#[tokio::test]
async fn what_is_refused_is_given_up_and_holds_up_nothing() {
    let Place { store, _folder } = place().await;
    let port = Port {
        refused: BTreeSet::from(["a".to_owned()]),
        ..Port::default()
    };
    take_in(&store, "a", Timestamp::now()).await;
    go_on(&store, "a").await;
    let stop = CancellationToken::new();
    assert!(!deliver_due(&store, &port, &stop).await.unwrap());
    assert_eq!(port.take(), ["a/received", "a/fulfillment_started"]);
    let refused = ("FAILED".to_owned(), 1, Some("no such mailbox".to_owned()));
    assert_eq!(state(&store, "a/received").await, refused);
}

#[tokio::test]
async fn a_receiver_that_is_away_is_not_asked_for_each_message() {
    let Place { store, _folder } = place().await;
    let port = Port {
        all_away: true,
        ..Port::default()
    };
    for number in 0..50 {
        take_in(&store, &format!("order-{number}"), Timestamp::now()).await;
    }
    let stop = CancellationToken::new();
    assert!(deliver_due(&store, &port, &stop).await.unwrap());
    let tried = port.take().len();
    assert!(tried <= FAILURES as usize + AT_ONCE, "{tried} attempts");
    // Nobody is forgotten, and who was not tried has no attempt against them.
    let soon = later(Timestamp::now(), SignedDuration::from_secs(10));
    let claims = store.claim_messages(soon, soon, 100).await.unwrap();
    assert_eq!(claims.len(), 50);
    let attempts: u32 = claims.iter().flatten().map(|claim| claim.attempts).sum();
    assert_eq!(attempts as usize, tried);
}

#[tokio::test]
async fn two_processes_do_not_deliver_the_same() {
    let Place { store, _folder } = place().await;
    take_in(&store, "a", Timestamp::now()).await;
    go_on(&store, "a").await;
    let now = Timestamp::now();
    let lease = later(now, SignedDuration::from_secs(60));
    let claims = store.claim_messages(now, lease, 10).await.unwrap();
    assert_eq!(ids(&claims), [["a/received", "a/fulfillment_started"]]);
    let second = store.claim_messages(now, lease, 10).await.unwrap();
    assert!(second.is_empty(), "both are on lease");
    arrive(&store, "a").await;
    let third = store.claim_messages(now, lease, 10).await.unwrap();
    assert!(third.is_empty(), "the new one is behind those on lease");
    // The first process died: after the lease the message is taken over ...
    let after = later(lease, SignedDuration::from_secs(1));
    let lease = later(after, SignedDuration::from_secs(60));
    let taken_over = store.claim_messages(after, lease, 10).await.unwrap();
    let ids_after = ids(&taken_over);
    assert_eq!(ids_after[0][..2], ids(&claims)[0]);
    assert_eq!(ids_after[0].len(), 3, "{ids_after:?}");
    assert_eq!(taken_over[0][0].first_time, claims[0][0].first_time);
    // ... and if the first was only slow, its failure changes nothing, but its success counts.
    let failed = Outcome::Failed {
        error: "late".to_owned(),
        again: after,
    };
    let late = |outcome| [(claims[0][0].clone(), outcome)];
    store.settle_messages(after, &late(failed)).await.unwrap();
    assert!(
        store
            .claim_messages(after, lease, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let delivered = late(Outcome::Delivered);
    store.settle_messages(after, &delivered).await.unwrap();
    let long_after = later(lease, SignedDuration::from_secs(1));
    let next = store.claim_messages(long_after, long_after, 10).await;
    assert_eq!(ids(&next.unwrap())[0][0], "a/fulfillment_started");
}

#[tokio::test]
async fn asked_to_stop_it_begins_nothing_and_keeps_everything() {
    let Place { store, _folder } = place().await;
    take_in(&store, "a", Timestamp::now()).await;
    let port = Port::default();
    let stop = CancellationToken::new();
    stop.cancel();
    assert!(!deliver_due(&store, &port, &stop).await.unwrap());
    assert!(port.take().is_empty());
    assert_eq!(state(&store, "a/received").await.0, "PENDING");
}

#[tokio::test]
async fn a_receiver_that_never_answers_does_not_hold_up_the_stop() {
    struct Silent(CancellationToken);
    #[async_trait]
    impl NotificationProvider for Silent {
        async fn deliver(&self, _: &Message) -> Result<(), DeliveryError> {
            self.0.cancel();
            std::future::pending().await
        }
    }
    let Place { store, _folder } = place().await;
    take_in(&store, "a", Timestamp::now()).await;
    let stop = CancellationToken::new();
    let port = Silent(stop.clone());
    let stopped = deliver_due(&store, &port, &stop);
    let stopped = tokio::time::timeout(2 * STOPPING, stopped).await;
    assert!(!stopped.expect("in time").unwrap());
    // Whoever starts next does not have to wait for the end of a lease.
    let now = Timestamp::now();
    let claims = store.claim_messages(now, now, 1).await.unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0][0].attempts, 0);
}

#[tokio::test]
async fn what_only_waited_behind_a_failing_message_is_as_young_as_its_first_attempt() {
    let Place { store, _folder } = place().await;
    take_in(&store, "a", Timestamp::now()).await;
    go_on(&store, "a").await;
    arrive(&store, "a").await;
    let port = Port {
        all_away: true,
        ..Port::default()
    };
    let stop = CancellationToken::new();
    assert!(!deliver_due(&store, &port, &stop).await.unwrap());
    assert_eq!(port.take(), ["a/received"]);
    // Three days on, the first one is too old; those behind it were never tried.
    let much_later = later(Timestamp::now(), OLDEST + SignedDuration::from_mins(1));
    let lease = later(much_later, SignedDuration::from_secs(60));
    let claims = store.claim_messages(much_later, lease, 1).await.unwrap();
    let away = || DeliveryError::Failed("away".to_owned());
    let outcomes = claims[0].iter().map(|claim| {
        let outcome = not_delivered(claim, away(), much_later);
        (claim.clone(), outcome)
    });
    let outcomes: Vec<_> = outcomes.collect();
    assert_eq!(outcomes.len(), 3);
    assert!(matches!(outcomes[0].1, Outcome::GivenUp { .. }));
    assert!(matches!(outcomes[1].1, Outcome::Failed { .. }));
    store.settle_messages(much_later, &outcomes).await.unwrap();
    let second = state(&store, "a/fulfillment_started").await;
    assert_eq!(second, ("PENDING".to_owned(), 1, Some("away".to_owned())));
}

#[tokio::test]
async fn no_more_messages_are_taken_than_may_be_told_twice() {
    let Place { store, _folder } = place().await;
    for number in 0..40 {
        let id = format!("order-{number:02}");
        take_in(&store, &id, Timestamp::now()).await;
        go_on(&store, &id).await;
    }
    let now = Timestamp::now();
    let lease = later(now, SignedDuration::from_secs(60));
    let first = store.claim_messages(now, lease, 64).await.unwrap();
    assert_eq!(first.iter().map(Vec::len).sum::<usize>(), 64);
    // The others are the next look's.
    let second = store.claim_messages(now, lease, 64).await.unwrap();
    assert_eq!(second.iter().map(Vec::len).sum::<usize>(), 16);
}

#[test]
fn pauses_double_up_to_five_minutes() {
    let pauses: Vec<_> = (1..=10).map(|attempt| pause(attempt).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
}

#[tokio::test]
async fn a_message_that_is_too_old_is_given_up() {
    let Place { store, _folder } = place().await;
    take_in(&store, "a", Timestamp::now()).await;
    let began = Timestamp::now();
    let claims = store.claim_messages(began, began, 1).await.unwrap();
    let claim: &Claim = &claims[0][0];
    let failed = || DeliveryError::Failed("é".repeat(2_000));
    let young = later(began, OLDEST - SignedDuration::from_mins(1));
    let outcome = not_delivered(claim, failed(), young);
    assert!(matches!(outcome, Outcome::Failed { again, .. } if again > young));
    let old = later(began, OLDEST + SignedDuration::from_mins(1));
    let outcome = not_delivered(claim, failed(), old);
    let error = orders_domain::text::words(&"é".repeat(2_000));
    assert_eq!(error.chars().count(), orders_domain::text::WORDS_MOST);
    assert_eq!(outcome, Outcome::GivenUp { error });
}
