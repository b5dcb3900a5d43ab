//! A watch of one order.

use super::{Placed, WatchError, reader::Reader, tail::Live};
use orders_worker::store::log::{Entry, History};
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::{
    OwnedSemaphorePermit,
    broadcast::{Receiver, error::RecvError},
};

/// Follows one order: every event once, in order, until the order is closed.
#[derive(Debug)]
pub struct OrderWatch {
    reader: Reader,
    order_id: String,
    /// The revision that was told last.
    revision: i64,
    /// The newest revision that is known.
    newest: i64,
    /// Whether the order is closed at its newest revision.
    closed: bool,
    /// What was read from the database and not told yet.
    backlog: VecDeque<Entry>,
    live: Receiver<Arc<Placed>>,
    _slot: OwnedSemaphorePermit,
}

impl OrderWatch {
    pub(super) fn new(
        reader: Reader,
        order_id: &str,
        revision: i64,
        live: Live,
        slot: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            reader,
            order_id: order_id.to_owned(),
            revision,
            newest: revision,
            closed: false,
            backlog: VecDeque::new(),
            live: live.entries,
            _slot: slot,
        }
    }

    /// The revision that was told last.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Waits for the next event. None after the last one of a closed order. Nothing is lost when
    /// the wait is given up.
    ///
    /// # Errors
    /// When the database cannot be read, or the process is stopping.
    pub async fn next(&mut self) -> Result<Option<Entry>, WatchError> {
        loop {
            if let Some(entry) = self.backlog.pop_front() {
                self.revision = entry.event.revision;
                return Ok(Some(entry));
            }
            if self.revision < self.newest {
                self.catch_up().await?;
                continue;
            }
            if self.closed {
                return Ok(None);
            }
            match self.live.recv().await {
                Ok(placed) => {
                    let Entry { event, stored } = &placed.entry;
                    self.newest = self.newest.max(event.revision);
                    if event.revision == self.revision + 1 {
                        self.revision = event.revision;
                        self.closed = stored.order.state.is_closed();
                        return Ok(Some(placed.entry.clone()));
                    }
                }
                Err(RecvError::Lagged(_)) => self.catch_up().await?,
                Err(RecvError::Closed) => {
                    self.catch_up().await?;
                    // Nobody will tell more of it here.
                    if self.backlog.is_empty() && !self.closed {
                        return Err(WatchError::Stopping);
                    }
                }
            }
        }
    }

    async fn catch_up(&mut self) -> Result<(), WatchError> {
        let history = self.reader.history(&self.order_id, self.revision).await?;
        self.take(history);
        Ok(())
    }

    pub(super) fn take(&mut self, history: History) {
        self.newest = history.newest;
        self.closed = history.closed;
        self.backlog = history.entries.into();
    }
}
