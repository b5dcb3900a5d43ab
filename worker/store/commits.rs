//! Telling who waits for a command that it was committed: at once in the same process, and within
//! a moment when another process committed it.

use super::{Store, StoreError, read::StoredOrder};
use backon::{BackoffBuilder, ExponentialBuilder};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};

/// The longest pause between two reads, without its jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The pauses before each read of what another process may have committed. The first is not short: Temporal's
/// answer mostly arrives before it.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(250))
    .with_max_delay(LONGEST_PAUSE)
    .with_jitter()
    .without_max_times();

/// A command that was committed, with the order as it was right after it.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Of the command.
    pub request_id: String,
    /// What was asked: the request's fingerprint.
    pub fingerprint: String,
    /// The call that asked for it; none when that is not known here.
    pub attempt: Option<String>,
    /// The order.
    pub stored: StoredOrder,
}

/// Who waits for a request; several, when it was sent several times.
type Waiting = HashMap<String, Vec<mpsc::Sender<Committed>>>;

/// The commits of this process, for those who wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Commits(Arc<Mutex<Waiting>>);

impl Commits {
    /// Tells whoever waits for it, and nobody else; that nobody does is fine.
    pub(super) fn tell(&self, committed: Committed) {
        let waiting = self.waiting().remove(&committed.request_id);
        let Some((last, others)) = waiting.as_deref().and_then(<[_]>::split_last) else {
            return;
        };
        for other in others {
            let _ = other.try_send(committed.clone());
        }
        let _ = last.try_send(committed);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for one command.
pub struct Waiter {
    store: Store,
    request_id: String,
    told: mpsc::Receiver<Committed>,
}

impl Store {
    /// Begins to wait for a command. Call it before the command is sent.
    pub fn wait_for(&self, request_id: &str) -> Waiter {
        let (tell, told) = mpsc::channel(1);
        let mut waiting = self.commits.waiting();
        waiting.entry(request_id.to_owned()).or_default().push(tell);
        Waiter {
            store: self.clone(),
            request_id: request_id.to_owned(),
            told,
        }
    }
}

impl Waiter {
    /// The command, once it is committed. Waits for ever when it never is.
    pub async fn committed(&mut self) -> Committed {
        let mut pauses = PAUSES.build();
        let mut next_look = Instant::now() + pauses.next().unwrap_or(LONGEST_PAUSE);
        loop {
            tokio::select! {
                Some(committed) = self.told.recv() => return committed,
                () = tokio::time::sleep_until(next_look) => {}
            }
            if let Ok(Some(committed)) = self.look().await {
                return committed;
            }
            next_look = Instant::now() + pauses.next().unwrap_or(LONGEST_PAUSE);
        }
    }

    /// What another process may have committed.
    async fn look(&self) -> Result<Option<Committed>, StoreError> {
        match self.store.request(&self.request_id).await? {
            Some(asked) if asked.revision > 0 => {
                let order = self.store.order_at(&asked.resource, asked.revision);
                Ok(Some(Committed {
                    request_id: self.request_id.clone(),
                    stored: order.await?,
                    fingerprint: asked.fingerprint,
                    attempt: None,
                }))
            }
            _ => Ok(None),
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.told.close();
        let mut waiting = self.store.commits.waiting();
        if let Some(same) = waiting.get_mut(&self.request_id) {
            same.retain(|tell| !tell.is_closed());
            if same.is_empty() {
                waiting.remove(&self.request_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use crate::samples::{open, take_in};
    use jiff::Timestamp;

    #[tokio::test]
    async fn who_waits_is_told_once_and_nobody_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("orders.db")).await;
        take_in(&store, "order", Timestamp::now()).await;
        let mut waiters = [store.wait_for("asked"), store.wait_for("asked")];
        let gone = store.wait_for("never");
        let other = store.wait_for("other");
        drop(gone);

        let mut tx = store.lock_order("order", Timestamp::now()).await.unwrap();
        tx.record_command(
            orders_domain::event::Change::FulfillmentStarted,
            "caller",
            "asked",
            "attempt-1",
        );
        tx.remember_request("asked", "fingerprint");
        tx.commit(1, None).await.unwrap();
        for waiter in &mut waiters {
            let committed = waiter.told.recv().await.unwrap();
            assert_eq!(committed.request_id, "asked");
            assert_eq!(committed.fingerprint, "fingerprint");
            assert_eq!(committed.attempt.as_deref(), Some("attempt-1"));
            assert_eq!(committed.stored.order.revision, 2);
        }
        assert_eq!(store.commits.waiting().len(), 1, "only the other waits");
        drop((waiters, other));
        assert_eq!(store.commits.waiting().len(), 0);
        // Who comes late finds it in the database.
        let late = store.wait_for("asked").committed().await;
        assert_eq!(late.stored.order.revision, 2);
        assert_eq!(late.attempt, None);
    }
}
