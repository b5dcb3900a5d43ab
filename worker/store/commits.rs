//! Telling who waits for a command that it was committed: at once in the same process, and within
//! a moment when another process committed it.

use super::{Store, StoreError, read::StoredOrder};
use std::{sync::Arc, time::Duration};
use tokio::{sync::broadcast, time::Instant};

/// Until the first look for what another process committed; then twice as long each time.
const LOOK: Duration = Duration::from_millis(50);

/// At most between two looks.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// Commits that a waiter may fall behind before it looks into the database instead.
const BEHIND: usize = 1024;

/// A command that was committed, with the order as it was right after it.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Of the command.
    pub request_id: String,
    /// The order.
    pub stored: StoredOrder,
}

/// The commits of this process, for those who wait.
#[derive(Clone, Debug)]
pub(super) struct Commits(broadcast::Sender<Arc<Committed>>);

impl Default for Commits {
    fn default() -> Self {
        Self(broadcast::channel(BEHIND).0)
    }
}

impl Commits {
    /// Tells whoever waits; that nobody does is fine.
    pub(super) fn tell(&self, committed: Committed) {
        let _ = self.0.send(Arc::new(committed));
    }
}

/// Waits for one command.
pub struct Waiter {
    store: Store,
    request_id: String,
    commits: broadcast::Receiver<Arc<Committed>>,
}

impl Store {
    /// Begins to wait for a command. Call it before the command is sent.
    pub fn wait_for(&self, request_id: &str) -> Waiter {
        Waiter {
            store: self.clone(),
            request_id: request_id.to_owned(),
            commits: self.commits.0.subscribe(),
        }
    }
}

impl Waiter {
    /// The order as it was right after the command, once that is committed. Waits for ever when it
    /// never is.
    pub async fn committed(&mut self) -> StoredOrder {
        let mut look = LOOK;
        let mut next_look = Instant::now() + look;
        loop {
            tokio::select! {
                heard = self.commits.recv() => match heard {
                    Ok(committed) if committed.request_id == self.request_id => {
                        return committed.stored.clone();
                    }
                    Ok(_) => continue,
                    // Behind: what was missed stands in the database.
                    Err(_) => {}
                },
                () = tokio::time::sleep_until(next_look) => {}
            }
            if let Ok(Some(stored)) = self.look().await {
                return stored;
            }
            look = (look * 2).min(LONGEST_LOOK);
            next_look = Instant::now() + look;
        }
    }

    /// What another process may have committed.
    async fn look(&self) -> Result<Option<StoredOrder>, StoreError> {
        match self.store.request(&self.request_id).await? {
            Some(asked) if asked.revision > 0 => {
                let order = self.store.order_at(&asked.resource, asked.revision);
                Ok(Some(order.await?))
            }
            _ => Ok(None),
        }
    }
}
