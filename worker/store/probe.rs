//! Whether the database takes writes: seen from those that the process makes anyway, and tried where there
//! are none. A database that is full, or read-only, still answers reads.

use super::{Store, StoreError};
use std::{
    iter,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Between two tries while nothing else is written and nothing has failed.
const IDLE: Duration = Duration::from_secs(10);

/// How many bytes a try writes while nothing has failed.
const FEW: usize = 16 * 1024;

/// How many bytes a try writes after a failure: about as many as an order, so that a disk with room for a
/// few pages is not taken for one with room.
pub(super) const AS_AN_ORDER: usize = 256 * 1024;

/// How many statements of this process a database has failed for a reason of its own: no room, a disk error.
/// A transaction that is given up for that looks like any other that is given up, so it is counted where the
/// error is seen.
static TROUBLE: AtomicU64 = AtomicU64::new(0);

/// A database failed a statement for a reason of its own.
pub(super) fn note_trouble() {
    TROUBLE.fetch_add(1, Ordering::Relaxed);
}

/// Counts how the write transactions of this process end.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes(Arc<Ends>);

#[derive(Debug, Default)]
struct Ends {
    committed: AtomicU64,
    rolled_back: AtomicU64,
    failed: AtomicU64,
}

impl Writes {
    /// A transaction was committed.
    pub(super) fn committed(&self) {
        self.0.committed.fetch_add(1, Ordering::Relaxed);
    }

    /// A transaction was given up: by a rule of ours, by its caller, or because a statement failed.
    pub(super) fn rolled_back(&self) {
        self.0.rolled_back.fetch_add(1, Ordering::Relaxed);
    }

    /// A transaction could not be begun or ended.
    pub(super) fn failed(&self) {
        self.0.failed.fetch_add(1, Ordering::Relaxed);
    }

    fn seen(&self) -> Seen {
        Seen {
            committed: self.0.committed.load(Ordering::Relaxed),
            rolled_back: self.0.rolled_back.load(Ordering::Relaxed),
            failed: self.0.failed.load(Ordering::Relaxed),
            trouble: TROUBLE.load(Ordering::Relaxed),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    committed: u64,
    rolled_back: u64,
    failed: u64,
    trouble: u64,
}

/// Asks again and again whether the database takes writes.
#[derive(Debug)]
pub struct WriteProbe {
    store: Store,
    seen: Seen,
    /// When a write was last known to succeed.
    succeeded: Option<Instant>,
    /// Whether the last write that was tried failed.
    failing: bool,
}

impl Store {
    /// A probe of the writes of this process.
    pub fn write_probe(&self) -> WriteProbe {
        WriteProbe {
            store: self.clone(),
            seen: self.writes.seen(),
            succeeded: None,
            failing: false,
        }
    }

    /// Writes `bytes` bytes, and commits.
    pub(super) async fn try_write(&self, bytes: usize) -> Result<(), StoreError> {
        // Never what stands there: SQLite writes no page whose bytes stay the same. Never what PostgreSQL
        // can compress.
        let body: String = iter::repeat_with(fastrand::alphanumeric)
            .take(bytes)
            .collect();
        let mut tx = self.write().await?;
        sqlx::query("UPDATE write_probe SET body = $1 WHERE only_row = 1")
            .bind(body)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }
}

impl WriteProbe {
    /// Whether the database takes writes. It is only written to where nothing else tells: a transaction
    /// failed since the last call, or none was committed for a while.
    ///
    /// # Errors
    /// When it takes no writes.
    pub async fn check(&mut self) -> Result<(), StoreError> {
        let seen = self.store.writes.seen();
        let before = std::mem::replace(&mut self.seen, seen);
        // Commits beside a failure prove little: a few small ones still fit where an order does not.
        let is_news = seen.failed > before.failed || seen.trouble > before.trouble;
        let suspected = self.failing || is_news;
        if !suspected && seen.committed > before.committed {
            self.succeeded = Some(Instant::now());
            return Ok(());
        }
        let is_recent = |at: Instant| at.elapsed() < IDLE;
        if !suspected && seen == before && self.succeeded.is_some_and(is_recent) {
            return Ok(());
        }
        let bytes = if suspected { AS_AN_ORDER } else { FEW };
        // A caller that stops waiting has learned of no success.
        self.failing = true;
        self.store.try_write(bytes).await?;
        self.failing = false;
        // What the try itself counted is no news.
        self.seen = self.store.writes.seen();
        self.succeeded = Some(Instant::now());
        Ok(())
    }
}
