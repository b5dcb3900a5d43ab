//! A watch of many orders.

use super::{
    Placed, WatchError,
    reader::{LOG, Reader},
    tail::Live,
};
use orders_worker::store::{StoreError, list::Filter, log::Record, read::StoredOrder};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use tokio::sync::{
    OwnedSemaphorePermit,
    broadcast::{Receiver, error::RecvError},
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
    /// Whether the database is to be read before what is told live.
    behind: bool,
    /// What was read from the database and not told yet.
    backlog: VecDeque<Arc<Placed>>,
    /// The orders of the events that were read last, while it is behind.
    remembered: HashMap<String, StoredOrder>,
    live: Receiver<Arc<Placed>>,
    _slot: OwnedSemaphorePermit,
}

impl OrdersWatch {
    pub(super) fn new(
        reader: Reader,
        filter: Filter,
        position: i64,
        live: Live,
        slot: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            reader,
            filter,
            behind: position < live.position,
            position,
            backlog: VecDeque::new(),
            remembered: HashMap::new(),
            live: live.entries,
            _slot: slot,
        }
    }

    /// Up to where the log was looked at.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Waits for the next event that passes. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// When the database cannot be read, or the process is stopping.
    pub async fn next(&mut self) -> Result<Arc<Placed>, WatchError> {
        loop {
            if let Some(placed) = self.backlog.pop_front() {
                return Ok(placed);
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match self.live.recv().await {
                Ok(placed) if placed.position <= self.position => {}
                Ok(placed) => {
                    self.position = placed.position;
                    if self.passes(&placed) {
                        return Ok(placed);
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
            if let Some(placed) = self.place(&reader, record).await?
                && self.passes(&placed)
            {
                self.backlog.push_back(Arc::new(placed));
            }
            self.position = position;
        }
        if last_page {
            // What comes now is told live, too: it was registered for before this was read.
            self.behind = false;
            self.remembered = HashMap::new();
        }
        Ok(())
    }

    async fn place(
        &mut self,
        reader: &Reader,
        record: Record,
    ) -> Result<Option<Placed>, StoreError> {
        let (position, order_id) = (record.position, record.order_id.clone());
        let before = self.remembered.remove(&order_id);
        let entry = reader.entry(record, before).await?;
        if let Some(entry) = &entry {
            if self.remembered.len() >= REMEMBERED {
                self.remembered.clear();
            }
            self.remembered.insert(order_id, entry.stored.clone());
        }
        Ok(entry.map(|entry| Placed { position, entry }))
    }
}
