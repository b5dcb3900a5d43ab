//! The sweep: starts the workflows of orders that were taken in, but whose start is not known to
//! have happened, because the process died or Temporal was away at that moment.

use super::Temporal;
use jiff::{SignedDuration, Timestamp};
use orders_worker::store::{Store, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two sweeps.
const INTERVAL: Duration = Duration::from_secs(3);

/// An order is left this long to the call that placed it.
const GRACE: SignedDuration = SignedDuration::from_secs(5);

/// Orders in one sweep: the next one takes what is left.
const BATCH: i64 = 200;

/// Sweeps until `stop`. The first sweep leaves nobody any grace: what an earlier process left
/// behind is started at once.
pub async fn run(store: Store, temporal: Temporal, stop: CancellationToken) {
    let mut grace = SignedDuration::ZERO;
    loop {
        if let Err(error) = sweep(&store, &temporal, grace).await {
            tracing::warn!(%error, "orders without workflow could not be read, will be tried again");
        } else {
            grace = GRACE;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn sweep(store: &Store, temporal: &Temporal, grace: SignedDuration) -> Result<(), StoreError> {
    let before = Timestamp::now().saturating_sub(grace).unwrap_or(Timestamp::MIN);
    for order in store.unstarted(before, BATCH).await? {
        let order_id = order.order_id.clone();
        match temporal.start(order).await {
            Ok(run_id) => {
                store.confirm_start(&order_id).await?;
                tracing::info!(order_id, run_id, "order without workflow started");
            }
            Err(error) => {
                tracing::warn!(order_id, %error, "order without workflow not started");
                // What keeps one from starting (Temporal away) keeps the others too.
                return Ok(());
            }
        }
    }
    Ok(())
}
