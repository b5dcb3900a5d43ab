//! Reading the database for a watch that is behind.

use super::WatchError;
use orders_domain::event::Change;
use orders_store::{
    Store, StoreError,
    log::{Entry, History, Record},
    read::StoredOrder,
};
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many events of one order are read at once. A watch holds no more than these.
const HISTORY: i64 = 32;

/// How many events of all orders are read at once.
pub(super) const LOG: i64 = 100;

/// The database, a few watches at a time.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) store: Store,
    pub(super) turns: Arc<Semaphore>,
}

impl Reader {
    /// The next events of an order, up to the one that closes it.
    pub(super) async fn history(
        &self,
        order_id: &str,
        revision: i64,
    ) -> Result<History, WatchError> {
        let _turn = self.turn().await?;
        let history = self.store.history(order_id, revision, HISTORY).await?;
        let mut history = history.ok_or_else(|| WatchError::NoOrder(order_id.to_owned()))?;
        // What is refused to a closed order is recorded, too, but no change of it: a watch ends with
        // the close, whenever it looks.
        let all = history.entries.len();
        history.entries.retain(is_told);
        if history.entries.len() < all {
            let last = history.entries.last();
            history.newest = last.map_or(revision, |entry| entry.event.revision);
        }
        Ok(history)
    }

    /// The next events of all orders. The turn is for what is read beside them.
    pub(super) async fn log(
        &self,
        position: i64,
    ) -> Result<(Vec<Record>, SemaphorePermit<'_>), WatchError> {
        let turn = self.turn().await?;
        Ok((self.store.log(position, LOG).await?, turn))
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, WatchError> {
        let turn = self.turns.acquire().await;
        turn.map_err(|_| WatchError::Stopping)
    }

    /// The event with the order after it; none when it cannot be told.
    pub(super) async fn entry(
        &self,
        record: Record,
        before: Option<StoredOrder>,
    ) -> Result<Option<Entry>, StoreError> {
        let (position, order_id) = (record.position, record.order_id.clone());
        match record.entry(&self.store, before).await {
            Ok(entry) => Ok(Some(entry)),
            Err(error @ StoreError::Unavailable(_)) => Err(error),
            Err(error) => {
                // As in the tail: one broken order must not end the watch of all others.
                tracing::error!(order_id, position, %error, "an event cannot be told");
                Ok(None)
            }
        }
    }
}

/// Whether an event comes before the close, or is it.
fn is_told(entry: &Entry) -> bool {
    let closed = entry.stored.order.state.is_closed();
    !closed || matches!(entry.event.change, Change::Closed { .. })
}
