//! Readers of a SQLite file that are kept at hand, beside the pool. The pool asks each connection that it
//! is given back whether it is still alive: one more way to the database's thread and back for every
//! read. A file is always there; a server may have closed a connection, so of those the pool takes care.

use super::{Connection, Db, Store, open::ACQUIRE};
use sqlx::{Connection as _, pool::PoolConnection};
use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many read at the same time.
const READERS: usize = 4;

/// Those that nobody uses just now.
#[derive(Clone, Debug)]
pub(super) struct AtHand {
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

/// A connection for reading.
pub(super) enum Reader {
    /// One that is kept.
    Own(Connection, OwnedSemaphorePermit),
    /// One of the pool.
    Pooled(PoolConnection<Db>),
}

impl Default for AtHand {
    fn default() -> Self {
        Self {
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(READERS)),
        }
    }
}

impl AtHand {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes all of them; who reads just now closes theirs.
    pub(super) async fn close(&self) {
        self.turns.close();
        let idle = std::mem::take(&mut *self.idle());
        for reader in idle {
            if let Err(error) = reader.close().await {
                tracing::debug!(%error, "a reader was not closed well");
            }
        }
    }
}

impl Store {
    /// A connection for reading, after [`ACQUIRE`] at most. Give it back by [`keep`](Self::keep) when all
    /// went well: else it is closed.
    pub(super) async fn reader(&self) -> Result<Reader, sqlx::Error> {
        let Some(at_hand) = &self.at_hand else {
            return Ok(Reader::Pooled(self.readers.acquire().await?));
        };
        let turn = at_hand.turns.clone().acquire_owned();
        let turn = tokio::time::timeout(ACQUIRE, turn).await;
        let turn = turn.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let turn = turn.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = at_hand.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.readers.acquire().await?.detach(),
        };
        Ok(Reader::Own(connection, turn))
    }

    /// Keeps a reader for the next one.
    pub(super) fn keep(&self, reader: Reader) {
        if let (Some(at_hand), Reader::Own(connection, _turn)) = (&self.at_hand, reader) {
            let mut idle = at_hand.idle();
            if !at_hand.turns.is_closed() {
                idle.push(connection);
            }
        }
    }
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Own(connection, _) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Connection {
        match self {
            Self::Own(connection, _) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}
