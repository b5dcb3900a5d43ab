//! The outbox: messages are written in the transaction of their event, and delivered afterwards.
//! So a message is told if and only if its event happened, and no delivery holds up an order.
//!
//! A message that is being delivered is on lease: should its process die, another one delivers it
//! again when the lease is over. The receiver tells the two by [`Message::id`].

use super::{
    Connection, DbRow, Store, StoreError, from_micros, micros,
    statement::{Batch, Statement},
};
use crate::clock;
use jiff::Timestamp;
use orders_domain::message::{Message, message_id};
use sqlx::Row;
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Notify;

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

/// Adds what writes messages, each with its event's revision, once: the same milestone again is passed
/// over.
pub(super) fn insert(batch: &mut Batch, messages: &[(Message, i64)]) {
    if messages.is_empty() {
        return;
    }
    let insert = batch.begin(
        "INSERT INTO notifications (order_id, milestone, recipient, time, audience, revision,
             subject, text, state, next_time) VALUES ",
    );
    // Not the message's time: a workflow's clock may be elsewhere (a Temporal that skips time).
    let next_time = micros(clock::now());
    for (index, (message, revision)) in messages.iter().enumerate() {
        insert.push(if index == 0 { "(" } else { ", (" });
        insert.bind(message.order_id.as_str()).push(", ");
        insert.bind(message.milestone.as_str()).push(", ");
        insert.bind(message.customer_id.as_str()).push(", ");
        insert.bind(micros(message.time)).push(", ");
        insert.bind(message.audience.as_str()).push(", ");
        insert.bind(*revision).push(", ");
        insert.bind(message.subject.as_str()).push(", ");
        insert.bind(message.text.as_str()).push(", 'PENDING', ");
        insert.bind(next_time).push(")");
    }
    insert.push(" ON CONFLICT (order_id, milestone) DO NOTHING");
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
                 WHERE state = 'PENDING' AND next_time <= ",
        );
        query.bind(micros(now)).push(
            " AND NOT EXISTS (
                     SELECT 1 FROM notifications e WHERE e.order_id = n.order_id
                     AND e.state = 'PENDING' AND e.revision < n.revision)
                 ORDER BY next_time, order_id",
        );
        query.limit(orders).push(") ORDER BY order_id, revision");
        let rows = query.query().fetch_all(&self.readers).await?;
        // Each with the time from which it is due.
        let mut pending: Vec<Vec<(Claim, i64)>> = Vec::new();
        for row in &rows {
            let claim = (claim(row, now, lease)?, row.try_get(9)?);
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

/// Puts messages on lease, and gives the ids of those that nobody has taken, or is done with, since
/// they were read.
async fn take(
    connection: &mut Connection,
    due: &[Vec<Claim>],
    now: Timestamp,
    lease: i64,
) -> Result<BTreeSet<String>, StoreError> {
    let mut update = Statement::new("UPDATE notifications SET next_time = ");
    update
        .bind(lease)
        .push(", first_time = COALESCE(first_time, ");
    update.bind(micros(now)).push(")");
    push_named(&mut update, &due.iter().flatten().collect::<Vec<_>>());
    update.push(" AND next_time <= ").bind(micros(now));
    update.push(" RETURNING order_id, milestone");
    let rows = update.query().persistent(false).fetch_all(connection);
    let rows = rows.await?;
    let names = rows.iter().map(|row| {
        let (order_id, milestone): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        Ok(message_id(order_id, milestone))
    });
    names.collect()
}

/// Which messages a statement changes: these, as long as nobody is done with them.
fn push_named(update: &mut Statement, claims: &[&Claim]) {
    // Joined, so that each is looked up by its name, and not among all that are pending.
    update.push(" FROM (VALUES ");
    for (index, claim) in claims.iter().enumerate() {
        update.push(if index == 0 { "(" } else { ", (" });
        update.bind(claim.order_id()).push(", ");
        update.bind(claim.milestone()).push(")");
    }
    update.push(
        ") AS named WHERE order_id = named.column1 AND milestone = named.column2
             AND state = 'PENDING'",
    );
}

async fn delivered(
    connection: &mut Connection,
    outcomes: &[(Claim, Outcome)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let claims = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == Outcome::Delivered)
        .map(|(claim, _)| claim)
        .collect::<Vec<_>>();
    if claims.is_empty() {
        return Ok(());
    }
    let mut update = Statement::new(
        "UPDATE notifications SET state = 'DELIVERED', attempts = attempts + 1, last_error = NULL,
             delivered_time = ",
    );
    update.bind(micros(now));
    push_named(&mut update, &claims);
    let updated = update.query().persistent(false).execute(connection);
    updated.await?;
    Ok(())
}

async fn give_up(
    connection: &mut Connection,
    claim: &Claim,
    error: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE notifications SET state = 'FAILED', attempts = attempts + 1, last_error = $1
         WHERE order_id = $2 AND milestone = $3 AND state = 'PENDING'",
    )
    .bind(error)
    .bind(claim.order_id())
    .bind(claim.milestone())
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts a message off, and those behind it. Without an error it was not an attempt.
async fn retry(
    connection: &mut Connection,
    claim: &Claim,
    error: Option<&str>,
    again: Timestamp,
) -> Result<(), StoreError> {
    let again = micros(again);
    // Only while the lease is ours: who took it over knows better. What was taken and not tried has no
    // first time: it is as old as its first attempt.
    let noted = sqlx::query(
        "UPDATE notifications SET next_time = $1, attempts = attempts + $2,
             first_time = CASE WHEN attempts + $2 > 0 THEN first_time END,
             last_error = COALESCE($3, last_error)
         WHERE order_id = $4 AND milestone = $5 AND state = 'PENDING' AND next_time = $6",
    )
    .bind(again)
    .bind(i64::from(error.is_some()))
    .bind(error)
    .bind(claim.order_id())
    .bind(claim.milestone())
    .bind(claim.lease)
    .execute(&mut *connection)
    .await?;
    if noted.rows_affected() == 1 {
        // Those that were taken with it, and those that wait: else each look would have to pass over them.
        sqlx::query(
            "UPDATE notifications SET next_time = $1,
                 first_time = CASE WHEN attempts > 0 THEN first_time END
             WHERE order_id = $2 AND state = 'PENDING' AND revision > $3
                 AND (next_time < $1 OR next_time = $4)",
        )
        .bind(again)
        .bind(claim.order_id())
        .bind(claim.revision)
        .bind(claim.lease)
        .execute(connection)
        .await?;
    }
    Ok(())
}

fn claim(row: &DbRow, now: Timestamp, lease: i64) -> Result<Claim, StoreError> {
    let audience: &str = row.try_get(2)?;
    let audience = audience
        .parse()
        .map_err(|()| StoreError::Corrupt(format!("the audience {audience}")))?;
    let first_time: Option<i64> = row.try_get(8)?;
    Ok(Claim {
        message: Message {
            order_id: row.try_get(0)?,
            milestone: row.try_get(1)?,
            audience,
            customer_id: row.try_get(3)?,
            time: from_micros(row.try_get(4)?)?,
            subject: row.try_get(5)?,
            text: row.try_get(6)?,
        },
        attempts: u32::try_from(row.try_get::<i64, _>(7)?).unwrap_or(u32::MAX),
        first_time: first_time.map_or(Ok(now), from_micros)?,
        revision: row.try_get(10)?,
        lease,
    })
}
