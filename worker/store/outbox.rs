//! The outbox: messages are written in the transaction of their event, and delivered afterwards.
//! So a message is sent if and only if its event happened, and no delivery holds up an order.
//!
//! A message that is being delivered is on lease: if its process dies, another one delivers it
//! again when the lease is over. The receiver recognizes a repetition by [`Message::id`].

mod update;

use super::{
    DbRow, Store, StoreError,
    batch::Batch,
    from_micros, micros,
    statement::{Statement, values},
};
use crate::clock;
use jiff::Timestamp;
use orders_domain::message::Message;
use sqlx::Row;
use std::sync::Arc;
use tokio::sync::Notify;
use update::{delivered, give_up, retry, take};

/// Messages of one order that are taken at once.
const OF_AN_ORDER: usize = 16;

/// Once so many are taken, no more orders are: a process that dies leaves them to be told again.
const MOST_MESSAGES: usize = 64;

/// Tells the messenger of this process that there are new messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox(Arc<Notify>);

impl Outbox {
    /// Call it after the commit. One call is kept for a messenger that does not listen just now.
    pub(super) fn tell(&self) {
        self.0.notify_one();
    }
}

/// A message that this process may deliver now, and nobody else.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The message.
    pub message: Message,
    /// How often it was tried before.
    pub attempts: u32,
    /// When it was tried first: now, for a new one.
    pub first_time: Timestamp,
    /// Its event's: messages of one order go in this sequence.
    revision: i64,
    /// When the lease is over, in microseconds: what another claim would have changed.
    lease: i64,
}

impl Claim {
    fn order_id(&self) -> &str {
        &self.message.order_id
    }

    fn milestone(&self) -> &str {
        &self.message.milestone
    }
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// To be tried again at that time.
    Failed {
        /// What went wrong.
        error: String,
        /// When to try again.
        again: Timestamp,
    },
    /// Never to be tried again.
    GivenUp {
        /// Why.
        error: String,
    },
    /// It was not tried after all; to be tried at that time.
    Untried {
        /// When to try.
        again: Timestamp,
    },
}

/// Adds the statement that inserts messages, each with the revision of its event. A milestone that has
/// a message already is left as it is.
pub(super) fn insert(batch: &mut Batch, messages: &[(Message, i64)]) {
    if messages.is_empty() {
        return;
    }
    // Not the message's time: a workflow's clock may be elsewhere (a Temporal that skips time).
    let next_time = micros(clock::now());
    let rows = messages.iter().map(|(message, revision)| {
        values![
            &message.order_id,
            &message.milestone,
            &message.customer_id,
            micros(message.time),
            message.audience.as_str(),
            *revision,
            &message.subject,
            &message.text,
            "PENDING",
            next_time,
        ]
    });
    batch
        .add(
            "INSERT INTO notifications (order_id, milestone, recipient, time, audience, revision,
                 subject, text, state, next_time) VALUES ",
            [],
        )
        .rows(rows)
        .push(" ON CONFLICT (order_id, milestone) DO NOTHING", []);
}

impl Store {
    /// Waits until this process has written a message, perhaps since the last call.
    pub async fn message_written(&self) {
        self.outbox.0.notified().await;
    }

    /// Takes messages that are due at `now`, those of `orders` orders at most, on lease until `lease`.
    /// The orders that wait longest come first; of each come its messages, oldest first, and to be
    /// delivered in this order. No message overtakes another one of its order: one behind a message that
    /// is on lease, or to be tried again later, is not taken.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn claim_messages(
        &self,
        now: Timestamp,
        lease: Timestamp,
        orders: i64,
    ) -> Result<Vec<Vec<Claim>>, StoreError> {
        // Whole microseconds, as the database keeps them.
        let now = from_micros(micros(now))?;
        let lease = micros(lease);
        // Read without the write lock: mostly there is nothing to claim.
        let due = self.due_messages(now, lease, orders).await?;
        match due.is_empty() {
            true => Ok(due),
            false => self.claim_due(due, now, lease).await,
        }
    }

    pub(super) async fn claim_due(
        &self,
        due: Vec<Vec<Claim>>,
        now: Timestamp,
        lease: i64,
    ) -> Result<Vec<Vec<Claim>>, StoreError> {
        let mut tx = self.write().await?;
        let taken = take(&mut tx, &due, now, lease).await?;
        let mut claims = Vec::with_capacity(due.len());
        for mut of_order in due {
            let is_taken = |claim: &Claim| taken.contains(&claim.message.id());
            let first = of_order.iter().take_while(|claim| is_taken(claim)).count();
            // Another process has one before these, since they were read: they are its, or the next
            // look's.
            let behind = of_order.split_off(first);
            if let Some(behind) = behind.iter().find(|claim| is_taken(claim)) {
                retry(&mut tx, behind, None, now).await?;
            }
            if !of_order.is_empty() {
                claims.push(of_order);
            }
        }
        tx.commit().await?;
        Ok(claims)
    }

    /// What [`claim_messages`](Self::claim_messages) would take, as far as one can see.
    pub(super) async fn due_messages(
        &self,
        now: Timestamp,
        lease: i64,
        orders: i64,
    ) -> Result<Vec<Vec<Claim>>, StoreError> {
        let mut query = Statement::new(
            "SELECT order_id, milestone, audience, recipient, time, subject, text, attempts,
                 first_time, next_time, revision
             FROM notifications
             WHERE state = 'PENDING' AND order_id IN (
                 SELECT order_id FROM notifications n
                 WHERE state = 'PENDING' AND next_time <= $1 AND NOT EXISTS (
                     SELECT 1 FROM notifications e WHERE e.order_id = n.order_id
                     AND e.state = 'PENDING' AND e.revision < n.revision)
                 ORDER BY next_time, order_id",
            values![micros(now)],
        );
        query.limit(orders);
        query.push(") ORDER BY order_id, revision", []);
        let rows = query.query().fetch_all(&self.readers).await?;
        // Each with the time from which it is due.
        let mut pending: Vec<Vec<(Claim, i64)>> = Vec::new();
        for row in &rows {
            let claim = (claim(row, now, lease)?, row.try_get("next_time")?);
            match pending.last_mut() {
                Some(of_order) if of_order[0].0.order_id() == claim.0.order_id() => {
                    of_order.push(claim);
                }
                _ => pending.push(vec![claim]),
            }
        }
        pending.sort_by_key(|of_order| of_order[0].1);
        let is_due = |due: &i64| *due <= micros(now);
        let mut taken = 0;
        Ok(pending
            .into_iter()
            .map(|of_order| {
                let due = of_order.into_iter().take_while(|(_, due)| is_due(due));
                due.map(|(claim, _)| claim).take(OF_AN_ORDER).collect()
            })
            .filter(|of_order: &Vec<Claim>| !of_order.is_empty())
            .take_while(|of_order| {
                let has_room = taken < MOST_MESSAGES;
                taken += of_order.len();
                has_room
            })
            .collect())
    }

    /// Notes what became of claims, those of each order one after the other.
    ///
    /// # Errors
    /// When the database cannot be written: then they are delivered again, after their lease.
    pub async fn settle_messages(
        &self,
        now: Timestamp,
        outcomes: &[(Claim, Outcome)],
    ) -> Result<(), StoreError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        delivered(&mut tx, outcomes, now).await?;
        // The order whose message was put off last, and with it those behind.
        let mut waits = None;
        for (claim, outcome) in outcomes {
            let (error, again) = match outcome {
                Outcome::Delivered => continue,
                Outcome::GivenUp { error } => {
                    give_up(&mut tx, claim, error).await?;
                    continue;
                }
                Outcome::Untried { .. } if waits == Some(claim.order_id()) => continue,
                Outcome::Failed { error, again } => (Some(error.as_str()), *again),
                Outcome::Untried { again } => (None, *again),
            };
            retry(&mut tx, claim, error, again).await?;
            waits = Some(claim.order_id());
        }
        tx.commit().await
    }
}

fn claim(row: &DbRow, now: Timestamp, lease: i64) -> Result<Claim, StoreError> {
    let audience: &str = row.try_get("audience")?;
    let audience = audience
        .parse()
        .map_err(|()| StoreError::Corrupt(format!("the audience {audience}")))?;
    let first_time: Option<i64> = row.try_get("first_time")?;
    Ok(Claim {
        message: Message {
            order_id: row.try_get("order_id")?,
            milestone: row.try_get("milestone")?,
            audience,
            customer_id: row.try_get("recipient")?,
            time: from_micros(row.try_get("time")?)?,
            subject: row.try_get("subject")?,
            text: row.try_get("text")?,
        },
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
        first_time: first_time.map_or(Ok(now), from_micros)?,
        revision: row.try_get("revision")?,
        lease,
    })
}
