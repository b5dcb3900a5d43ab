//! Telling who waits for a command that it was committed: at once in the same process, and within
//! a moment when another process committed it.

use super::{Store, StoreError, read::StoredOrder};
use std::{sync::Arc, time::Duration};
use tokio::sync::broadcast;

/// Between two looks for what another process committed.
const LOOK: Duration = Duration::from_millis(100);

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
    /// The order as it was right after the command, once that is committed; and the fingerprint
    /// of what was asked, where another process committed it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn committed(&mut self) -> Result<StoredOrder, StoreError> {
        loop {
            match tokio::time::timeout(LOOK, self.commits.recv()).await {
                Ok(Ok(committed)) if committed.request_id == self.request_id => {
                    return Ok(committed.stored.clone());
                }
                Ok(Ok(_)) => {}
                // Behind, or nothing heard: another process may have done it.
                Ok(Err(_)) | Err(_) => {
                    if let Some(asked) = self.store.request(&self.request_id).await? {
                        return self.store.order_at(&asked.resource, asked.revision).await;
                    }
                }
            }
        }
    }
}
