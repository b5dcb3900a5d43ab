//! A watch of many orders.

use super::{
    Next, Place, Placed, WatchError, live,
    reader::{LOG, Reader},
    tail::Live,
};
use orders_store::{StoreError, list::Filter, log::Record, read::StoredOrder};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};

/// Orders that a watch that is behind remembers while it reads.
const REMEMBERED: usize = 1_000;

/// Follows all orders that pass a filter: every event once, in the order of their commits.
#[derive(Debug)]
pub struct OrdersWatch {
    reader: Reader,
    filter: Filter,
    /// Up to where the log was looked at.
    position: i64,
    /// Where to end; none for a watch that waits for more.
    end: Option<i64>,
    /// Whether the database is to be read before what is told live. A watch with an end never listens.
    behind: bool,
    /// What was read from the database and not told yet.
    backlog: VecDeque<Ready>,
    /// The orders of the events that were read last, while it is behind.
    remembered: HashMap<String, StoredOrder>,
    live: Receiver<Arc<Placed>>,
    place: Place,
}

impl OrdersWatch {
    pub(super) fn new(
        reader: Reader,
        filter: Filter,
        position: i64,
        live: Live,
        place: Place,
    ) -> Self {
        Self {
            reader,
            filter,
            behind: position < live.position,
            end: None,
            position,
            backlog: VecDeque::new(),
            remembered: HashMap::new(),
            live: live.entries,
            place,
        }
    }

    /// The same watch, which ends when everything up to `end` has been looked at.
    pub(super) fn until(mut self, end: i64) -> Self {
        self.end = Some(end);
        self.behind = true;
        self
    }

    /// Up to where the log was looked at.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Waits for the next event that passes, but for silence no longer than `until`: then everything
    /// up to [`position`](Self::position) has been sent. A watch with an end ends there. Nothing is lost
    /// when the wait is given up.
    ///
    /// # Errors
    /// When the database cannot be read, or the process is stopping.
    pub async fn next(&mut self, until: Option<Instant>) -> Result<Next<Arc<Placed>>, WatchError> {
        loop {
            if let Some(Ready { placed, is_counted }) = self.backlog.pop_front() {
                if is_counted {
                    self.place.ahead.remove(&placed.entry.stored.order);
                }
                return Ok(Next::Event(Arc::new(placed)));
            }
            if self.end.is_some_and(|end| self.position >= end) {
                return Ok(Next::End);
            }
            if self.behind {
                self.catch_up().await?;
                // A long part of the log of which nothing passes.
                if self.backlog.is_empty() && until.is_some_and(|until| Instant::now() >= until) {
                    return Ok(Next::Silence);
                }
                continue;
            }
            let Some(received) = live(&mut self.live, until).await else {
                return Ok(Next::Silence);
            };
            match received {
                Ok(placed) if placed.position <= self.position => {}
                Ok(placed) => {
                    self.position = placed.position;
                    if self.passes(&placed) {
                        return Ok(Next::Event(placed));
                    }
                }
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return Err(WatchError::Stopping),
            }
        }
    }

    fn passes(&self, placed: &Placed) -> bool {
        self.filter.passes(&placed.entry.stored.order)
    }

    async fn catch_up(&mut self) -> Result<(), WatchError> {
        let reader = self.reader.clone();
        let (records, _turn) = reader.log(self.position).await?;
        let last_page = (records.len() as i64) < LOG;
        for record in records {
            let position = record.position;
            if let Some(placed) = self.placed(&reader, record).await?
                && self.passes(&placed)
            {
                let is_counted = self.place.ahead.add(&placed.entry.stored.order);
                if !is_counted && !self.backlog.is_empty() {
                    // This one is read again once the others have been sent.
                    self.forget(&placed.entry.stored.order.order_id);
                    return Ok(());
                }
                self.backlog.push_back(Ready { placed, is_counted });
            }
            self.position = position;
        }
        if last_page && let Some(end) = self.end {
            // Nothing more is there to be read, so all of it was.
            self.position = self.position.max(end);
        } else if last_page {
            // What comes now is told live, too: it was registered for before this was read.
            self.behind = false;
            self.forget_all();
        }
        Ok(())
    }

    async fn placed(
        &mut self,
        reader: &Reader,
        record: Record,
    ) -> Result<Option<Placed>, StoreError> {
        let (position, order_id) = (record.position, record.order_id.clone());
        let before = self.forget(&order_id);
        let entry = reader.entry(record, before).await?;
        if let Some(entry) = &entry {
            if self.remembered.len() >= REMEMBERED {
                self.forget_all();
            }
            if self.place.ahead.add(&entry.stored.order) {
                self.remembered.insert(order_id, entry.stored.clone());
            }
        }
        Ok(entry.map(|entry| Placed { position, entry }))
    }

    fn forget(&mut self, order_id: &str) -> Option<StoredOrder> {
        let stored = self.remembered.remove(order_id)?;
        self.place.ahead.remove(&stored.order);
        Some(stored)
    }

    fn forget_all(&mut self) {
        for stored in std::mem::take(&mut self.remembered).values() {
            self.place.ahead.remove(&stored.order);
        }
    }
}

/// An event that was read and not sent yet.
#[derive(Debug)]
struct Ready {
    placed: Placed,
    /// Whether it counts among what was read ahead; the first one may be more than is allowed.
    is_counted: bool,
}
