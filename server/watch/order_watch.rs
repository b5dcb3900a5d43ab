//! A watch of one order.

use super::{Next, Place, Placed, WatchError, live, reader::Reader, tail::Live};
use orders_store::log::{Entry, History};
use std::{collections::VecDeque, sync::Arc};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
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
    backlog: VecDeque<Ready>,
    live: Receiver<Arc<Placed>>,
    place: Place,
}

impl OrderWatch {
    pub(super) fn new(
        reader: Reader,
        order_id: &str,
        revision: i64,
        live: Live,
        place: Place,
    ) -> Self {
        Self {
            reader,
            order_id: order_id.to_owned(),
            revision,
            newest: revision,
            closed: false,
            backlog: VecDeque::new(),
            live: live.entries,
            place,
        }
    }

    /// The revision that was told last.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Waits for the next event, but for silence no longer than `until`. Nothing is lost when the wait
    /// is given up.
    ///
    /// # Errors
    /// When the database cannot be read, or the process is stopping.
    pub async fn next(&mut self, until: Option<Instant>) -> Result<Next<Entry>, WatchError> {
        loop {
            if let Some(Ready { entry, is_counted }) = self.backlog.pop_front() {
                if is_counted {
                    self.place.ahead.remove(&entry.stored.order);
                }
                self.revision = entry.event.revision;
                return Ok(Next::Event(entry));
            }
            if self.revision < self.newest {
                self.catch_up().await?;
                continue;
            }
            if self.closed {
                return Ok(Next::End);
            }
            let Some(received) = live(&mut self.live, until).await else {
                return Ok(Next::Silence);
            };
            match received {
                Ok(placed) => {
                    let Entry { event, stored } = &placed.entry;
                    self.newest = self.newest.max(event.revision);
                    if event.revision == self.revision + 1 {
                        self.revision = event.revision;
                        self.closed = stored.order.state.is_closed();
                        return Ok(Next::Event(placed.entry.clone()));
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
        // The backlog is empty: what does not fit is read again once this has been sent.
        for entry in history.entries {
            let is_counted = self.place.ahead.add(&entry.stored.order);
            if !is_counted && !self.backlog.is_empty() {
                break;
            }
            self.backlog.push_back(Ready { entry, is_counted });
        }
    }
}

/// An entry that was read and not sent yet.
#[derive(Debug)]
struct Ready {
    entry: Entry,
    /// Whether it counts among what was read ahead; the first one may be more than is allowed.
    is_counted: bool,
}
