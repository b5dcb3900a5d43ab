//! The end of an order's transaction: everything that was added is written and committed.

use super::{Answered, OrderTx};
use crate::{
    StoreError,
    append::insert_events,
    batch::Batch,
    commits::Committed,
    dialect::Dialect,
    micros, outbox, payment_tokens,
    read::{StoredOrder, events_up_to},
    remember::remember_request,
    statement::values,
};
use jiff::Timestamp;
use orders_domain::{
    event::{Change, Event},
    phase,
};

/// Longer than a workflow task takes, in microseconds.
const A_MOMENT: i64 = 60_000_000;

/// The most events of others that one answer returns, and the most bytes of them. An order has some
/// tens of events; the rest comes with the next answer. Temporal takes 2 MB in one payload and 4 MB in
/// one answer of a worker.
const MAX_EVENTS: i64 = 500;
const MAX_EVENT_BYTES: usize = 256 * 1024;

impl OrderTx {
    /// Writes and commits everything, and returns the order's events after revision `known`: those
    /// that were added here, and those of others that the caller has not seen. If there are many, the
    /// answer ends before the newest event, and the caller asks again.
    ///
    /// # Errors
    /// When the database cannot be written. Then nothing happened, or (if the database's answer was
    /// lost) everything did; either way the same call again is safe.
    pub async fn commit(
        mut self,
        known: i64,
        run_id: Option<&str>,
    ) -> Result<Vec<Event>, StoreError> {
        if known > self.loaded {
            // The database was set back, for example by restoring a backup: nothing that the workflow
            // does now could be right.
            let (order_id, loaded) = (&self.order.order_id, self.loaded);
            return Err(StoreError::Corrupt(format!(
                "the workflow of {order_id} is at revision {known}, the database only at {loaded}"
            )));
        }
        let is_reservation =
            |event: &Event| matches!(event.change, Change::InventoryReserved { .. });
        let reserved = self.appended().any(is_reservation);
        if self.moved {
            self.books.check(&mut self.tx, &self.order).await?;
        }
        self.write(run_id).await?;
        let events = if known < self.loaded {
            let until = known.saturating_add(MAX_EVENTS);
            let order_id = &self.order.order_id;
            events_up_to(&mut self.tx, order_id, known, until, MAX_EVENT_BYTES).await?
        } else {
            let appended = std::mem::take(&mut self.appended).into_iter();
            appended.map(|appended| appended.event).collect()
        };
        let has_more =
            self.books.have_entries() || self.refused > 0 || !self.answered.is_empty() || self.kept;
        if self.order.revision == self.loaded && has_more {
            self.tx.commit().await?;
        } else if self.order.revision > self.loaded {
            self.commit_events(run_id, reserved).await?;
        }
        Ok(events)
    }

    /// Commits a transaction with new events and notifies those who wait for them, even if the caller
    /// has stopped waiting.
    async fn commit_events(self, run_id: Option<&str>, reserved: bool) -> Result<(), StoreError> {
        let run_id = run_id.map(str::to_owned).or(self.run_id);
        let has_messages = !self.messages.is_empty();
        let stored = StoredOrder {
            order: self.order,
            run_id,
            workflow_started: true,
        };
        let answered = self.answered;
        let (log, opened, outbox, commits) = (self.log, self.opened, self.outbox, self.commits);
        let notify = move || {
            log.tell();
            if reserved {
                opened.tell();
            }
            if has_messages {
                outbox.tell();
            }
            for answered in answered {
                commits.tell(Committed {
                    request_id: answered.request_id,
                    fingerprint: answered.asked.fingerprint,
                    attempt: answered.attempt,
                    stored: stored.clone(),
                });
            }
        };
        self.tx.commit_then(notify).await
    }

    /// Writes everything that was added, and the row.
    async fn write(&mut self, run_id: Option<&str>) -> Result<(), StoreError> {
        let mut batch = Batch::new(Dialect::of(&self.tx));
        for answered in &self.answered {
            let Answered {
                request_id, asked, ..
            } = answered;
            remember_request(&mut batch, request_id, asked, micros(self.now));
        }
        insert_events(&mut batch, &self.order.order_id, &self.appended)?;
        outbox::insert(&mut batch, &self.messages);
        self.books.write(&mut batch);
        if self.needed_token && !self.order.needs_payment_token() {
            payment_tokens::forget(&mut batch, &self.order.payment.payment_id);
        }
        if self.order.revision > self.loaded {
            let closed_by_command = self.closed_by_command().await?;
            self.update_row(&mut batch, run_id, closed_by_command)?;
        } else if self.refused > 0 {
            let order_id = &self.order.order_id;
            batch.add_of_one(
                ("order", order_id),
                "UPDATE orders SET refused_signals = refused_signals + $1 WHERE order_id = $2",
                values![self.refused, order_id],
            );
        }
        batch.run(&mut self.tx).await?;
        Ok(())
    }

    /// Adds the statement that updates the order's row. The row is locked and has the revision that was
    /// loaded.
    fn update_row(
        &self,
        batch: &mut Batch,
        run_id: Option<&str>,
        closed_by_command: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let order = &self.order;
        batch.add_of_one(
            ("order", &order.order_id),
            // If the process dies after a command that closes the order, Temporal drops the command with
            // its task and wakes nobody. So the end of the workflow is due, and stays so after the close.
            // A vouch_time that was put off stays, too: the provider was asked in vain.
            "UPDATE orders SET workflow_started = 1, state = $1, close_reason = $2, revision = $3,
                 update_time = $4, close_time = $5, document = $6, run_id = $7,
                 due_time = COALESCE($8, CASE WHEN close_time IS NULL THEN $9 ELSE due_time END),
                 attention_time = $10, refused_signals = refused_signals + $11,
                 vouch_time = CASE WHEN $12 IS NULL THEN NULL ELSE COALESCE(vouch_time, $12) END
             WHERE order_id = $13 AND revision = $14",
            values![
                order.state.as_str(),
                order.close_reason().map(|reason| reason.as_str()),
                order.revision,
                micros(order.update_time),
                order.close_time.map(micros),
                serde_json::to_string(order)?,
                run_id.or(self.run_id.as_deref()),
                phase::due_time(order).map(micros),
                closed_by_command.map(micros),
                order.attention_time().map(micros),
                self.refused,
                order.vouch_time().map(micros),
                &order.order_id,
                self.loaded,
            ],
        );
        Ok(())
    }

    /// Returns when a command has closed the order, at once or with the steps that follow in the same
    /// workflow task. Then the order closes here before the workflow knows.
    async fn closed_by_command(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let closed = self.order.close_time;
        let by_command =
            closed.is_some() && (!self.answered.is_empty() || self.was_commanded().await?);
        Ok(closed.filter(|_| by_command))
    }

    /// Whether a caller who waited for the answer commanded the order a moment ago.
    async fn was_commanded(&mut self) -> Result<bool, StoreError> {
        // An order that was only placed so far was not commanded.
        if self.loaded == 1 {
            return Ok(false);
        }
        let row = sqlx::query(
            "SELECT 1 FROM order_events
             WHERE order_id = $1 AND effect LIKE 'attempt/%' AND time > $2 LIMIT 1",
        )
        .bind(&self.order.order_id)
        .bind(micros(self.now).saturating_sub(A_MOMENT))
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(row.is_some())
    }
}
