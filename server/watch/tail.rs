//! The tail: the one reader of the log in a process, for all of its watches.

use super::Placed;
use orders_store::{Store, StoreError, log::Record, read::StoredOrder};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

/// Between two looks for what other processes have committed.
const LOOK: Duration = Duration::from_millis(250);

/// How many events are read at once.
const PAGE: i64 = 500;

/// Events of one order that its watches may be behind.
const KEPT: usize = 16;

/// Events of all orders that the watches of many may be behind.
const KEPT_OF_ALL: usize = 1024;

/// Orders that are remembered, so that their next event can be told without asking the database.
const REMEMBERED: usize = 5_000;

/// Somebody begins to watch.
pub(super) struct Registration {
    /// Which order; none for all.
    pub(super) order_id: Option<String>,
    /// Where the log was at most when this was sent.
    pub(super) head: i64,
    /// Answered when nothing that is committed from then on will be missed.
    pub(super) reply: oneshot::Sender<Live>,
}

/// What is told to who watches.
#[derive(Debug)]
pub(super) struct Live {
    /// Every event after `position`.
    pub(super) entries: broadcast::Receiver<Arc<Placed>>,
    /// Where the log was.
    pub(super) position: i64,
}

/// See the module.
pub(super) struct Tail {
    store: Store,
    registrations: mpsc::Receiver<Registration>,
    /// Who watches one order.
    orders: HashMap<String, broadcast::Sender<Arc<Placed>>>,
    /// Who watches many.
    all: broadcast::Sender<Arc<Placed>>,
    /// The orders of late events, as they were after them.
    remembered: HashMap<String, StoredOrder>,
    /// Up to where the log is told; none while nobody watches.
    position: Option<i64>,
}

impl Tail {
    pub(super) fn new(store: Store, registrations: mpsc::Receiver<Registration>) -> Self {
        Self {
            store,
            registrations,
            orders: HashMap::new(),
            all: broadcast::channel(KEPT_OF_ALL).0,
            remembered: HashMap::new(),
            position: None,
        }
    }

    /// Runs until there is nobody left who could watch.
    pub(super) async fn run(&mut self) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let reading = self.position.is_some();
            tokio::select! {
                registration = self.registrations.recv() => match registration {
                    Some(registration) => {
                        self.register(registration);
                        continue;
                    }
                    None => return,
                },
                () = self.store.appended(), if reading => {}
                _ = look.tick(), if reading => self.forget_gone(),
            }
            if let Err(error) = self.tell_news().await {
                tracing::warn!(%error, "the log cannot be read: watches wait");
            }
        }
    }

    fn register(&mut self, registration: Registration) {
        let Registration {
            order_id,
            head,
            reply,
        } = registration;
        let position = *self.position.get_or_insert(head);
        let entries = match order_id {
            None => self.all.subscribe(),
            Some(order_id) => {
                let told = self.orders.entry(order_id);
                told.or_insert_with(|| broadcast::channel(KEPT).0)
                    .subscribe()
            }
        };
        // Who does not wait any more has dropped the receiver, and is forgotten with the others.
        let _ = reply.send(Live { entries, position });
    }

    /// Without anybody who watches, nothing is read, and nothing remembered.
    fn forget_gone(&mut self) {
        self.orders.retain(|_, told| told.receiver_count() > 0);
        if self.all.receiver_count() > 0 {
            return;
        }
        let orders = &self.orders;
        self.remembered
            .retain(|order_id, _| orders.contains_key(order_id));
        if self.orders.is_empty() {
            self.position = None;
        }
    }

    /// Forgets everything, so that whoever watches reads for himself or begins anew.
    pub(super) fn reset(&mut self) {
        self.orders = HashMap::new();
        self.all = broadcast::channel(KEPT_OF_ALL).0;
        self.remembered = HashMap::new();
        self.position = None;
    }

    async fn tell_news(&mut self) -> Result<(), StoreError> {
        while let Some(position) = self.position {
            let records = self.store.log(position, PAGE).await?;
            let last_page = (records.len() as i64) < PAGE;
            for record in records {
                let position = record.position;
                self.tell(record).await?;
                self.position = Some(position);
            }
            if last_page {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Fails only when the same may succeed later.
    async fn tell(&mut self, record: Record) -> Result<(), StoreError> {
        let told_all = self.all.receiver_count() > 0;
        if !told_all && !self.orders.contains_key(&record.order_id) {
            return Ok(());
        }
        let (position, order_id) = (record.position, record.order_id.clone());
        let before = self.remembered.remove(&order_id);
        let entry = match record.entry(&self.store, before).await {
            Ok(entry) => entry,
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(error) => {
                // One broken order must not hold up the others. Whoever watches it is told by the
                // end of its channel to read for himself, and meets the error.
                tracing::error!(order_id, position, %error, "an event cannot be told");
                self.orders.remove(&order_id);
                return Ok(());
            }
        };
        let closed = entry.stored.order.state.is_closed();
        if !closed {
            self.remember(&entry.stored);
        }
        let placed = Arc::new(Placed { position, entry });
        if told_all {
            let _ = self.all.send(placed.clone());
        }
        if let Some(told) = self.orders.get(&order_id) {
            let _ = told.send(placed);
        }
        if closed {
            self.orders.remove(&order_id);
        }
        Ok(())
    }

    fn remember(&mut self, stored: &StoredOrder) {
        if self.remembered.len() >= REMEMBERED {
            // They are read anew with their next events.
            self.remembered.clear();
        }
        let order_id = stored.order.order_id.clone();
        self.remembered.insert(order_id, stored.clone());
    }
}
