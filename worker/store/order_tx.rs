//! The one transaction in which an order changes: the effect of a step, the row, the events.

use super::{
    Connection, Store, StoreError, Tx,
    append::{Appended, insert_events},
    commits::Committed,
    dialect::Dialect,
    ledger::Ledger,
    micros, outbox,
    payment_journal::Books,
    payment_tokens,
    read::{StoredOrder, StoredRequest, events_up_to, load_locked, request},
    remember::remember_request,
    statement::Batch,
};
use jiff::Timestamp;
use orders_domain::{
    event::{ACTOR_PROCESS, Change, Event},
    message::Message,
    order::Order,
    phase::{self, Todo},
};

/// An order whose row is locked until [`commit`](Self::commit). Dropped without it, nothing
/// happened.
pub struct OrderTx {
    tx: Tx,
    order: Order,
    run_id: Option<String>,
    /// The revision that the row had when it was locked.
    loaded: i64,
    /// Written at the commit, or dropped with the transaction.
    appended: Vec<Appended>,
    /// With the revisions of their events; written with them.
    messages: Vec<(Message, i64)>,
    now: Timestamp,
    /// The call whose command was recorded last.
    attempt: Option<String>,
    /// The requests that it answers; written at the commit.
    answered: Vec<Answered>,
    /// How many signals it refuses; added to the row at the commit.
    refused: i64,
    /// The payment's.
    pub(super) books: Books,
    /// Whether the order's money changed.
    moved: bool,
    /// Whether the order needed its payment token when it was locked.
    needed_token: bool,
    /// Whether something was written that no event shows.
    kept: bool,
    /// Whether the order had closed before this transaction.
    was_closed: bool,
    commits: super::commits::Commits,
    log: super::log::Appended,
    opened: super::supplies::Opened,
    outbox: outbox::Outbox,
}

/// A request that this transaction answers.
struct Answered {
    request_id: String,
    asked: StoredRequest,
    /// The call that asked for it, where somebody waits for the answer.
    attempt: Option<String>,
}

/// More follow-ups than this in one transaction mean that a rule records without end.
const MAX_FOLLOW_UPS: usize = 16;

/// Longer than a workflow task takes, in microseconds.
const A_MOMENT_AGO: i64 = 60_000_000;

/// The most events of others that one answer brings, and their bytes. An order has some tens; what is
/// left comes with the next answer. Temporal takes 2 MB in one payload and 4 MB in one answer of a worker.
const MAX_EVENTS: i64 = 500;
const MAX_EVENT_BYTES: usize = 256 * 1024;

impl Store {
    /// Locks an order. `now` is the workflow's clock; where the order's own time is later, that
    /// counts, so that an order's time never runs backwards.
    ///
    /// # Errors
    /// [`StoreError::NoOrder`] when there is none, else when the database cannot be used.
    pub async fn lock_order(&self, order_id: &str, now: Timestamp) -> Result<OrderTx, StoreError> {
        let mut tx = self.write().await?;
        let stored = load_locked(&mut tx, order_id)
            .await?
            .ok_or_else(|| StoreError::NoOrder(order_id.to_owned()))?;
        // Whole microseconds, as the database keeps them: what is read back is what was written.
        let now = super::from_micros(micros(now))?.max(stored.order.update_time);
        Ok(OrderTx {
            tx,
            loaded: stored.order.revision,
            needed_token: stored.order.needs_payment_token(),
            was_closed: stored.order.state.is_closed(),
            order: stored.order,
            run_id: stored.run_id,
            appended: Vec::new(),
            messages: Vec::new(),
            now,
            attempt: None,
            answered: Vec::new(),
            refused: 0,
            books: Books::default(),
            moved: false,
            kept: false,
            commits: self.commits.clone(),
            log: self.appended.clone(),
            opened: self.opened.clone(),
            outbox: self.outbox.clone(),
        })
    }
}

impl OrderTx {
    /// The order as it is inside this transaction.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The time of this transaction.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What is next for the order, as the store sees it: the fence. A step that is not next
    /// (done already, or the order was cancelled meanwhile) must not be carried out.
    pub fn todo(&self) -> Todo {
        phase::todo(&self.order, self.now)
    }

    /// Returns the order and the ledger, for an embedded provider that works in this transaction.
    pub fn ledger(&mut self) -> (&Order, Ledger<'_>) {
        (&self.order, Ledger::new(&mut self.tx))
    }

    /// Returns the order and the connection.
    pub(super) fn parts(&mut self) -> (&Order, &mut Connection) {
        (&self.order, &mut self.tx)
    }

    /// What was asked under a request id before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn request(&mut self, request_id: &str) -> Result<Option<StoredRequest>, StoreError> {
        // Of those that this transaction answers, the database does not know yet.
        let mut answered = self.answered.iter();
        if let Some(answered) = answered.find(|answered| answered.request_id == request_id) {
            return Ok(Some(answered.asked.clone()));
        }
        request(&mut self.tx, request_id).await
    }

    /// Remembers a request of this order, answered by the order as it is now. The database refuses a
    /// second one of that id, at the commit.
    pub fn remember_request(&mut self, request_id: &str, fingerprint: &str) {
        let asked = StoredRequest {
            resource: self.order.order_id.clone(),
            fingerprint: fingerprint.to_owned(),
            revision: self.order.revision,
        };
        self.answered.push(Answered {
            request_id: request_id.to_owned(),
            asked,
            attempt: self.attempt.take(),
        });
    }

    /// Counts a signal that was refused.
    pub fn count_refused(&mut self) {
        self.refused += 1;
    }

    /// Adds what the process itself did. `step_key` names the step whose outcome this is; the
    /// database refuses a second one, at the commit.
    pub fn record(&mut self, change: Change, step_key: Option<&str>) {
        self.append(change, ACTOR_PROCESS, None, step_key);
    }

    /// Adds what a caller asked for, by the call `attempt` (may be empty).
    pub fn record_command(&mut self, change: Change, actor: &str, request_id: &str, attempt: &str) {
        let key = Some(attempt_key(attempt, request_id)).filter(|_| !attempt.is_empty());
        self.attempt = Some(attempt.to_owned());
        self.append(change, actor, Some(request_id), key.as_deref());
    }

    /// Adds what a provider answered when a caller had it asked.
    pub fn record_answer(&mut self, change: Change, actor: &str) {
        self.append(change, actor, None, None);
    }

    /// Adds that a signal was refused, once for each `step_key`.
    pub fn record_refusal(
        &mut self,
        change: Change,
        actor: &str,
        request_id: Option<&str>,
        step_key: &str,
    ) {
        self.append(change, actor, request_id, Some(step_key));
    }

    /// Whether an event with that key was recorded, by this transaction or before it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_step_key(&mut self, step_key: &str) -> Result<bool, StoreError> {
        let mut keys = self.appended.iter().map(|appended| &appended.step_key);
        if keys.any(|key| key.as_deref() == Some(step_key)) {
            return Ok(true);
        }
        let row = sqlx::query("SELECT 1 FROM order_events WHERE order_id = $1 AND step_key = $2")
            .bind(&self.order.order_id)
            .bind(step_key)
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(row.is_some())
    }

    /// Whether this transaction adds an event with that key.
    pub(super) fn has_added(&self, step_key: &str) -> bool {
        let mut keys = self.appended.iter().map(|added| added.step_key.as_deref());
        keys.any(|key| key == Some(step_key))
    }

    /// Commits what was written in this transaction also when the order does not change.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }

    /// The order as this transaction will leave it.
    pub fn stored(&self) -> StoredOrder {
        StoredOrder {
            order: self.order.clone(),
            run_id: self.run_id.clone(),
            workflow_started: true,
        }
    }

    /// Adds everything that follows from the order as it stands.
    ///
    /// # Errors
    /// When a rule records without end.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        for _ in 0..MAX_FOLLOW_UPS {
            match self.todo() {
                Todo::Record(change) => self.append(change, ACTOR_PROCESS, None, None),
                _ => return Ok(()),
            }
        }
        let state = self.order.state;
        Err(StoreError::Corrupt(format!("no end of changes in {state}")))
    }

    fn append(
        &mut self,
        change: Change,
        actor: &str,
        request_id: Option<&str>,
        step_key: Option<&str>,
    ) {
        let event = Event {
            revision: self.order.revision + 1,
            time: self.now,
            actor: actor.to_owned(),
            request_id: request_id.map(str::to_owned),
            change,
        };
        self.order.apply(&event);
        self.moved |= event.change.is_about_money();
        // Here, not at the end: a message tells of the order as it was at that moment.
        if let Some(message) = Message::of(&event, &self.order) {
            self.messages.push((message, event.revision));
        }
        let step_key = step_key.map(str::to_owned);
        self.appended.push(Appended { event, step_key });
    }

    /// What was added so far.
    pub fn appended(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.appended.iter().map(|appended| &appended.event)
    }

    /// Makes it all happen, and gives the order's events after revision `known`: what was added
    /// here, and what others added that the caller has not seen. Where that is much, the answer ends
    /// before the newest event, and the caller asks again.
    ///
    /// # Errors
    /// When the database cannot be written: then nothing happened, or (a lost answer of the
    /// database) all of it; either way the same call again is safe.
    pub async fn commit(
        mut self,
        known: i64,
        run_id: Option<&str>,
    ) -> Result<Vec<Event>, StoreError> {
        if known > self.loaded {
            // The database was set back (a restored backup, say): nothing that the workflow does
            // now could be right.
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
        let events = match known < self.loaded {
            true => {
                let until = known.saturating_add(MAX_EVENTS);
                let order_id = &self.order.order_id;
                events_up_to(&mut self.tx, order_id, known, until, MAX_EVENT_BYTES).await?
            }
            false => std::mem::take(&mut self.appended)
                .into_iter()
                .map(|appended| appended.event)
                .collect(),
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

    /// Commits what has new events, and tells those who wait for them, even when the caller has stopped
    /// waiting.
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
        let tell = move || {
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
        self.tx.commit_then(tell).await
    }

    /// Whether somebody who waited for the answer commanded the order a moment ago.
    async fn was_commanded(&mut self) -> Result<bool, StoreError> {
        // What was only placed so far was not.
        if self.loaded == 1 {
            return Ok(false);
        }
        let row = sqlx::query(
            "SELECT 1 FROM order_events
             WHERE order_id = $1 AND step_key LIKE 'attempt/%' AND time > $2 LIMIT 1",
        )
        .bind(&self.order.order_id)
        .bind(micros(self.now).saturating_sub(A_MOMENT_AGO))
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(row.is_some())
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
            let count = "UPDATE orders SET refused_signals = refused_signals + ";
            let update = batch.begin_of_one("order", &self.order.order_id, count);
            update.bind(self.refused).push(" WHERE order_id = ");
            update.bind(self.order.order_id.as_str());
        }
        batch.run(&mut self.tx).await?;
        Ok(())
    }

    /// When a command has closed the order, at once or with the steps that follow in the same workflow
    /// task: then it closes here before the workflow knows.
    async fn closed_by_command(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let closed = self.order.close_time;
        let by_command =
            closed.is_some() && (!self.answered.is_empty() || self.was_commanded().await?);
        Ok(closed.filter(|_| by_command))
    }

    fn update_row(
        &self,
        batch: &mut Batch,
        run_id: Option<&str>,
        closed_by_command: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let order = &self.order;
        // If the process dies now, Temporal drops the command with its task and wakes nobody: until the
        // workflow has ended, too, something is due.
        let due_time = phase::due_time(order).or(closed_by_command);
        let update = "UPDATE orders SET workflow_started = 1, state = ";
        let update = batch.begin_of_one("order", &order.order_id, update);
        let close_reason = order.close_reason().map(|reason| reason.as_str());
        update.bind(order.state.as_str()).push(", close_reason = ");
        update.bind(close_reason).push(", revision = ");
        update.bind(order.revision).push(", update_time = ");
        update
            .bind(micros(order.update_time))
            .push(", close_time = ");
        update
            .bind(order.close_time.map(micros))
            .push(", document = ");
        update
            .bind(serde_json::to_string(order)?)
            .push(", run_id = ");
        let run_id = run_id.or(self.run_id.as_deref());
        update.bind(run_id).push(", due_time = ");
        // What is due of a closed order is the end of its workflow: see above.
        let update = if self.was_closed {
            update.push("due_time")
        } else {
            update.bind(due_time.map(micros))
        };
        update.push(", attention_time = ");
        update.bind(order.attention_time().map(micros));
        if self.refused > 0 {
            update.push(", refused_signals = refused_signals + ");
            update.bind(self.refused);
        }
        // A time that was put off stays: the provider was asked in vain.
        match order.vouch_time() {
            Some(time) => {
                update.push(", vouch_time = COALESCE(vouch_time, ");
                update.bind(micros(time)).push(")");
            }
            None => {
                update.push(", vouch_time = NULL");
            }
        }
        // It was locked.
        update.push(" WHERE order_id = ");
        update
            .bind(order.order_id.as_str())
            .push(" AND revision = ");
        update.bind(self.loaded);
        Ok(())
    }
}

/// The step key of a command's event. With the request id, which is applied once: a payload that
/// somebody copied and sends under another one must not meet the key of the first, and wait for ever.
pub(super) fn attempt_key(attempt: &str, request_id: &str) -> String {
    format!("attempt/{attempt}/{request_id}")
}
