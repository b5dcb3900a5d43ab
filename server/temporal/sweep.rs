//! The sweep: looks for orders that should have gone on and have not. Their workflow was not
//! started, because the process died or Temporal was away at that moment, or it does not know what
//! the store knows: a command was committed, and then a crash cut the workflow off from it.

use super::{Temporal, TemporalError};
use jiff::{SignedDuration, Timestamp};
use orders_worker::store::{Store, StoreError, overdue::Overdue};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Between two sweeps.
const INTERVAL: Duration = Duration::from_secs(3);

/// What is next for an order may take this long by itself.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// After the start there is less to wait for: what an earlier process left behind goes on at once.
const GRACE_AT_START: SignedDuration = SignedDuration::from_secs(1);

/// Orders in one sweep: the next one takes what is left.
const BATCH: i64 = 200;

/// An order that stays overdue (its provider is slow, say) is woken less and less often.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// When an order was woken last, and the pause until it may be again.
struct Woken {
    at: Instant,
    pause: Duration,
}

/// Sweeps until `stop`.
pub async fn run(store: Store, temporal: Temporal, stop: CancellationToken) {
    let mut grace = GRACE_AT_START;
    let mut woken = HashMap::new();
    loop {
        match sweep(&store, &temporal, grace, &mut woken).await {
            Ok(()) => grace = GRACE,
            Err(error) => tracing::warn!(%error, "overdue orders cannot be read now"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn sweep(
    store: &Store,
    temporal: &Temporal,
    grace: SignedDuration,
    woken: &mut HashMap<String, Woken>,
) -> Result<(), StoreError> {
    let before = Timestamp::now()
        .saturating_sub(grace)
        .unwrap_or(Timestamp::MIN);
    let overdue = store.overdue(before, BATCH).await?;
    woken.retain(|order_id, _| {
        overdue
            .iter()
            .any(|found| found.order.order_id == *order_id)
    });
    // Without a worker nothing goes on, and every wake would only make a history longer.
    let nobody_works = !overdue.is_empty() && !temporal.has_worker().await.unwrap_or(false);
    for found in overdue {
        if found.workflow_started && nobody_works {
            continue;
        }
        let order_id = found.order.order_id.clone();
        let pause = match woken.get(&order_id) {
            Some(before) if before.at.elapsed() < before.pause => continue,
            Some(before) => (before.pause * 2).min(LONGEST_PAUSE),
            None => INTERVAL,
        };
        let at = Instant::now();
        woken.insert(order_id.clone(), Woken { at, pause });
        match go_on(store, temporal, found).await? {
            Ok(()) => tracing::info!(order_id, "an order that stood still was woken"),
            Err(TemporalError::Unavailable(cause)) => {
                tracing::warn!(
                    order_id,
                    cause,
                    "orders that stand still cannot be woken now"
                );
                woken.remove(&order_id);
                // What keeps one from being woken (Temporal away) keeps the others too.
                return Ok(());
            }
            Err(error) => tracing::error!(order_id, %error, "an order stands still"),
        }
    }
    Ok(())
}

/// Starts the order's workflow, or makes it look at what the store knows.
async fn go_on(
    store: &Store,
    temporal: &Temporal,
    found: Overdue,
) -> Result<Result<(), TemporalError>, StoreError> {
    let order_id = found.order.order_id.clone();
    if found.workflow_started {
        return Ok(temporal.wake(&order_id).await);
    }
    match temporal.start(found.order).await {
        Ok(_) => {
            store.confirm_start(&order_id).await?;
            Ok(Ok(()))
        }
        Err(error) => Ok(Err(error)),
    }
}
