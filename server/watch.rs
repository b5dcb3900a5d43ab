//! Watches: who follows one order, or many, is told of each event once.
//!
//! One task of the process, the [`tail`], reads the log of all events, and only while somebody
//! watches. It hands each event to those who watch its order. A watch that falls behind what is
//! kept for it reads the database by itself from where it is: so a slow reader costs little memory, and
//! whatever is missed here is not lost.

mod ahead;
mod held;
mod order_watch;
mod orders_watch;
mod reader;
mod tail;

pub use ahead::weight;
pub use held::watch_log;
pub use order_watch::OrderWatch;
pub use orders_watch::OrdersWatch;

use crate::accept::{Caller, Permit, Resource};
use ahead::Ahead;
use futures::FutureExt;
use orders_store::{Store, StoreError, list::Filter, log::Entry};
use reader::Reader;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tail::{Live, Registration, Tail};
use tokio::{
    sync::{
        Semaphore,
        broadcast::{Receiver, error::RecvError},
        mpsc, oneshot,
    },
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

/// Registrations that wait for the tail before the next one waits to be sent.
const WAITING: usize = 1024;

/// Watches that read the database at the same time.
const TURNS: usize = 2;

/// An event at its place in the log.
#[derive(Debug)]
pub struct Placed {
    /// Its position over all orders.
    pub position: i64,
    /// The event, and the order after it.
    pub entry: Entry,
}

/// What a watch comes to next.
#[derive(Debug)]
pub enum Next<T> {
    /// Something happened.
    Event(T),
    /// Nothing has happened for some time.
    Silence,
    /// Nothing more will happen.
    End,
}

/// Why a watch did not begin, or ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// No order of that id.
    #[error("there is no order {0}")]
    NoOrder(String),
    /// The caller has seen more than there is.
    #[error("the newest is {newest}")]
    Ahead {
        /// The newest revision, or position.
        newest: i64,
    },
    /// As many watches as there may be are open, or as many as this caller may have.
    #[error("too many watches are open, of {most} in all or by this caller")]
    TooMany {
        /// How many there may be.
        most: u32,
    },
    /// The process is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a watch holds while it is open.
#[derive(Debug)]
struct Place {
    /// What it has read ahead.
    ahead: Ahead,
    _permit: Permit,
}

/// The watches of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Watches {
    store: Store,
    tail: mpsc::Sender<Registration>,
    /// Who reads the database for a watch takes turns: many that are behind must not take all
    /// connections from the other reads.
    turns: Arc<Semaphore>,
    /// How long a watch may be silent; none for as long as it likes.
    heartbeat: Option<Duration>,
    stopping: CancellationToken,
}

impl Watches {
    /// Watches on a store, until `stopping`. None is silent for longer than `heartbeat`. Call it inside
    /// a runtime.
    pub fn start(store: Store, heartbeat: Option<Duration>, stopping: CancellationToken) -> Self {
        let (tail, registrations) = mpsc::channel(WAITING);
        let reader = Tail::new(store.clone(), registrations);
        let stopped = stopping.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = supervise(reader) => {}
                () = stopped.cancelled() => {}
            }
        });
        Self {
            store,
            tail,
            turns: Arc::new(Semaphore::new(TURNS)),
            heartbeat,
            stopping,
        }
    }

    /// Resolves when the process stops: then every watch must end.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Until when a watch that has just told something may be silent.
    pub fn silent_until(&self) -> Option<Instant> {
        self.heartbeat.map(|time| Instant::now() + time)
    }

    /// Follows one order, from the event after `revision`.
    ///
    /// # Errors
    /// When there is no such order, `revision` is ahead of it, or no more watches are possible.
    pub async fn order(
        &self,
        caller: &Caller,
        order_id: &str,
        revision: i64,
    ) -> Result<OrderWatch, WatchError> {
        let place = self.place(caller)?;
        // Registered before the database is read: what is committed in between comes twice, and
        // the second one is passed over.
        let live = self.register(Some(order_id)).await?;
        let reader = Reader {
            store: self.store.clone(),
            turns: self.turns.clone(),
        };
        let history = reader.history(order_id, revision).await?;
        if revision > history.newest {
            return Err(WatchError::Ahead {
                newest: history.newest,
            });
        }
        let mut watch = OrderWatch::new(reader, order_id, revision, live, place);
        watch.take(history);
        Ok(watch)
    }

    /// Follows all orders that pass `filter`, from the event after `position`; without one, from
    /// now on. With `until_now` it ends with what was committed before this call.
    ///
    /// # Errors
    /// When `position` is ahead of the log, or no more watches are possible.
    pub async fn orders(
        &self,
        caller: &Caller,
        filter: Filter,
        position: Option<i64>,
        until_now: bool,
    ) -> Result<OrdersWatch, WatchError> {
        let place = self.place(caller)?;
        let live = self.register(None).await?;
        let end = if until_now {
            Some(self.store.log_head().await?)
        } else {
            None
        };
        let from = match position {
            None => live.position,
            Some(position) => {
                let newest = self.store.log_head().await?;
                if position > newest {
                    return Err(WatchError::Ahead { newest });
                }
                position
            }
        };
        let (store, turns) = (self.store.clone(), self.turns.clone());
        let reader = Reader { store, turns };
        let watch = OrdersWatch::new(reader, filter, from, live, place);
        Ok(match end {
            Some(end) => watch.until(end),
            None => watch,
        })
    }

    fn place(&self, caller: &Caller) -> Result<Place, WatchError> {
        if self.stopping.is_cancelled() {
            return Err(WatchError::Stopping);
        }
        let permit = caller.take(Resource::Watches, 1);
        let permit = permit.ok_or_else(|| WatchError::TooMany {
            most: caller.size(Resource::Watches) as u32,
        })?;
        Ok(Place {
            ahead: Ahead::new(caller),
            _permit: permit,
        })
    }

    async fn register(&self, order_id: Option<&str>) -> Result<Live, WatchError> {
        // Read here, not by the tail: a database that does not answer must not hold up others.
        let head = self.store.log_head().await?;
        let (reply, live) = oneshot::channel();
        let order_id = order_id.map(str::to_owned);
        let registration = Registration {
            order_id,
            head,
            reply,
        };
        let sent = self.tail.send(registration).await;
        sent.map_err(|_| WatchError::Stopping)?;
        live.await.map_err(|_| WatchError::Stopping)
    }
}

/// The next event that is told live; none if there is silence until then.
async fn live(
    receiver: &mut Receiver<Arc<Placed>>,
    until: Option<Instant>,
) -> Option<Result<Arc<Placed>, RecvError>> {
    match until {
        Some(until) => timeout_at(until, receiver.recv()).await.ok(),
        None => Some(receiver.recv().await),
    }
}

/// A panic of the tail must not end all watches for good.
async fn supervise(mut tail: Tail) {
    while AssertUnwindSafe(tail.run()).catch_unwind().await.is_err() {
        tracing::error!("the reader of the log panicked and begins anew");
        tail.reset();
    }
}
