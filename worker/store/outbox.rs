//! The outbox: messages are written in the transaction of their event, and delivered afterwards.
//! So a message is told if and only if its event happened, and no delivery holds up an order.
//!
//! A message that is being delivered is on lease: should its process die, another one delivers it
//! again when the lease is over. The receiver tells the two by [`Message::id`].

use super::{Connection, DbRow, Store, StoreError, from_micros, micros};
use crate::{clock, domain::message::Message};
use jiff::Timestamp;
use sqlx::Row;
use std::sync::Arc;
use tokio::sync::Notify;

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
    /// When the lease is over, in microseconds: what another claim would have changed.
    lease: i64,
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

/// Writes a message, once: the same milestone again is passed over.
pub(super) async fn insert(
    connection: &mut Connection,
    message: &Message,
    revision: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO notifications (order_id, milestone, recipient, time, audience, revision,
             subject, text, state, next_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'PENDING', $9)
         ON CONFLICT (order_id, milestone) DO NOTHING",
    )
    .bind(&message.order_id)
    .bind(&message.milestone)
    .bind(&message.customer_id)
    .bind(micros(message.time))
    .bind(message.audience.as_str())
    .bind(revision)
    .bind(&message.subject)
    .bind(&message.text)
    // Not the message's time: a workflow's clock may be elsewhere (a Temporal that skips time).
    .bind(micros(clock::now()))
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Waits until this process has written a message, perhaps since the last call.
    pub async fn message_written(&self) {
        self.outbox.0.notified().await;
    }

    /// Takes messages that are due at `now`, `limit` at most, on lease until `lease`; those that
    /// wait longest come first. Of each order only the oldest that is not done: no message
    /// overtakes another one of its order.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn claim_messages(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: i64,
    ) -> Result<Vec<Claim>, StoreError> {
        // Whole microseconds, as the database keeps them.
        let now = from_micros(micros(now))?;
        // Read without the write lock: mostly there is nothing to claim.
        let rows = sqlx::query(
            "SELECT order_id, milestone, audience, recipient, time, subject, text, attempts,
                 first_time, next_time
             FROM notifications n
             WHERE state = 'PENDING' AND next_time <= $1 AND NOT EXISTS (
                 SELECT 1 FROM notifications e WHERE e.order_id = n.order_id
                 AND e.state = 'PENDING' AND e.revision < n.revision)
             ORDER BY next_time, order_id LIMIT $2",
        )
        .bind(micros(now))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut claims = Vec::with_capacity(rows.len());
        let mut tx = self.write().await?;
        for row in rows {
            let claim = claim(&row, now, micros(lease))?;
            // Another process may have taken it, or be done with it, since it was read.
            let taken = sqlx::query(
                "UPDATE notifications SET next_time = $1, first_time = $2
                 WHERE order_id = $3 AND milestone = $4 AND state = 'PENDING' AND next_time = $5",
            )
            .bind(claim.lease)
            .bind(micros(claim.first_time))
            .bind(&claim.message.order_id)
            .bind(&claim.message.milestone)
            .bind(row.try_get::<i64, _>(9)?)
            .execute(&mut *tx)
            .await?;
            if taken.rows_affected() == 1 {
                claims.push(claim);
            }
        }
        tx.commit().await?;
        Ok(claims)
    }

    /// Notes what became of claims.
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
        for (claim, outcome) in outcomes {
            match outcome {
                Outcome::Delivered => {
                    done(&mut tx, claim, "DELIVERED", None, Some(micros(now))).await?;
                }
                Outcome::GivenUp { error } => {
                    done(&mut tx, claim, "FAILED", Some(error), None).await?;
                }
                Outcome::Failed { error, again } => {
                    retry(&mut tx, claim, Some(error), *again).await?;
                }
                Outcome::Untried { again } => retry(&mut tx, claim, None, *again).await?,
            }
        }
        Ok(tx.commit().await?)
    }
}

async fn done(
    connection: &mut Connection,
    claim: &Claim,
    state: &str,
    error: Option<&str>,
    delivered_time: Option<i64>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE notifications SET state = $1, attempts = attempts + 1, last_error = $2,
             delivered_time = $3
         WHERE order_id = $4 AND milestone = $5 AND state = 'PENDING'",
    )
    .bind(state)
    .bind(error)
    .bind(delivered_time)
    .bind(&claim.message.order_id)
    .bind(&claim.message.milestone)
    .execute(connection)
    .await?;
    Ok(())
}

/// Without an error it was not an attempt.
async fn retry(
    connection: &mut Connection,
    claim: &Claim,
    error: Option<&str>,
    again: Timestamp,
) -> Result<(), StoreError> {
    let again = micros(again);
    let Message {
        order_id,
        milestone,
        ..
    } = &claim.message;
    // Only while the lease is ours: who took it over knows better.
    let noted = sqlx::query(
        "UPDATE notifications SET next_time = $1, attempts = attempts + $2,
             last_error = COALESCE($3, last_error)
         WHERE order_id = $4 AND milestone = $5 AND state = 'PENDING' AND next_time = $6",
    )
    .bind(again)
    .bind(i64::from(error.is_some()))
    .bind(error)
    .bind(order_id)
    .bind(milestone)
    .bind(claim.lease)
    .execute(&mut *connection)
    .await?;
    if noted.rows_affected() == 1 {
        // Those behind it wait, too: else each look would have to pass over all of them.
        sqlx::query(
            "UPDATE notifications SET next_time = $1
             WHERE order_id = $2 AND state = 'PENDING' AND next_time < $1",
        )
        .bind(again)
        .bind(order_id)
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
        lease,
    })
}
