//! The one transaction in which an order changes: the effect, the row, the events.

mod commit;
#[cfg(test)]
mod commit_tests;

use super::{
    Connection, Store, StoreError, Tx,
    append::Appended,
    ledger::Ledger,
    micros, outbox,
    payment_journal::Books,
    read::{StoredOrder, StoredRequest, load_locked, request},
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

    /// What is next for the order, as the store sees it: the fence. An effect that it does not allow (had
    /// already, or the order was cancelled meanwhile) must not be carried out.
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

    /// Adds what the process itself did. The database refuses a second outcome of an effect, at the
    /// commit.
    pub fn record(&mut self, change: Change) {
        let effect = change.outcome_of().map(|effect| effect.to_string());
        self.append(change, ACTOR_PROCESS, None, effect);
    }

    /// Adds what the process itself found, once for each `key`.
    pub(super) fn record_found(&mut self, change: Change, key: String) {
        self.append(change, ACTOR_PROCESS, None, Some(key));
    }

    /// Adds what a caller asked for, by the call `attempt` (may be empty).
    pub fn record_command(&mut self, change: Change, actor: &str, request_id: &str, attempt: &str) {
        let key = Some(attempt_key(attempt, request_id)).filter(|_| !attempt.is_empty());
        self.attempt = Some(attempt.to_owned());
        self.append(change, actor, Some(request_id), key);
    }

    /// Adds what a provider answered when a caller had it asked.
    pub fn record_answer(&mut self, change: Change, actor: &str) {
        self.append(change, actor, None, None);
    }

    /// Adds that a signal was refused, once for each `key`.
    pub fn record_refusal(
        &mut self,
        change: Change,
        actor: &str,
        request_id: Option<&str>,
        key: String,
    ) {
        self.append(change, actor, request_id, Some(key));
    }

    /// Whether an event with that key was recorded, by this transaction or before it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn has_key(&mut self, key: &str) -> Result<bool, StoreError> {
        let mut added = self.appended.iter();
        if added.any(|added| added.effect.as_deref() == Some(key)) {
            return Ok(true);
        }
        let row = sqlx::query("SELECT 1 FROM order_events WHERE order_id = $1 AND effect = $2")
            .bind(&self.order.order_id)
            .bind(key)
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(row.is_some())
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
            let Some(change) = self.todo().record else {
                return Ok(());
            };
            self.append(change, ACTOR_PROCESS, None, None);
        }
        let state = self.order.state;
        Err(StoreError::Corrupt(format!("no end of changes in {state}")))
    }

    fn append(
        &mut self,
        change: Change,
        actor: &str,
        request_id: Option<&str>,
        effect: Option<String>,
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
        self.appended.push(Appended { event, effect });
    }

    /// What was added so far.
    pub fn appended(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.appended.iter().map(|appended| &appended.event)
    }
}

/// The key of a command's event. With the request id, which is applied once: a payload that
/// somebody copied and sends under another one must not meet the key of the first, and wait for ever.
pub(super) fn attempt_key(attempt: &str, request_id: &str) -> String {
    format!("attempt/{attempt}/{request_id}")
}
