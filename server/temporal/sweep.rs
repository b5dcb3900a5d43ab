//! The sweep: looks for orders that should have gone on and have not. Their workflow was not
//! started, because the process died or Temporal was away at that moment; or it does not know what
//! the store knows, because a crash cut it off from a commit; or Temporal has lost it.

use super::{Ensured, Temporal, TemporalError, pauses::Pauses};
use jiff::{SignedDuration, Timestamp};
use orders_domain::order::Order;
use orders_store::clock;
use orders_store::{
    Store, StoreError,
    overdue::{Overdue, Place},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two sweeps.
const INTERVAL: Duration = Duration::from_secs(3);

/// What is next for an order may take this long by itself.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// After the start there is less to wait for: what an earlier process left behind goes on at once.
const GRACE_AT_START: SignedDuration = SignedDuration::from_secs(1);

/// Orders read at once.
const BATCH: i64 = 200;

/// After so many failures in a row Temporal is taken to be away until the next sweep.
const FAILURES: u32 = 5;

/// Sweeps until `stop`.
pub async fn run(store: Store, temporal: Temporal, stop: CancellationToken) {
    let mut grace = GRACE_AT_START;
    // An order that stays overdue (its provider is slow, say) is woken less and less often.
    let mut pauses = Pauses::new(INTERVAL);
    loop {
        match sweep(&store, &temporal, grace, &mut pauses, &stop).await {
            Ok(()) => grace = GRACE,
            Err(error) => tracing::warn!(%error, "overdue orders cannot be read now"),
        }
        if let Err(error) = store.pass_on_disputes(clock::now()).await {
            tracing::warn!(%error, "disputed payments cannot be passed on now");
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
    pauses: &mut Pauses,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let before = clock::now().saturating_sub(grace).unwrap_or(Timestamp::MIN);
    let mut place = Place::default();
    let mut failures = 0;
    // Without a worker nothing goes on, and every wake would only make a history longer.
    let mut somebody_works = None;
    loop {
        let page = store.overdue(before, &place, BATCH).await?;
        for found in page.orders {
            if stop.is_cancelled() || failures >= FAILURES {
                return Ok(());
            }
            if found.workflow_started {
                if somebody_works.is_none() {
                    somebody_works = Some(temporal.has_worker().await.unwrap_or(false));
                }
                if somebody_works == Some(false) {
                    continue;
                }
            }
            let order_id = found.order.order_id.clone();
            if !pauses.may_try(&order_id) {
                continue;
            }
            match go_on(store, temporal, found).await? {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures += 1;
                    tracing::warn!(order_id, %error, "an order stands still and cannot be woken");
                }
            }
        }
        match page.next {
            Some(next) => place = next,
            None => break,
        }
    }
    pauses.forget_old();
    Ok(())
}

/// Starts the order's workflow, makes it look at what the store knows, or starts it anew.
async fn go_on(
    store: &Store,
    temporal: &Temporal,
    found: Overdue,
) -> Result<Result<(), TemporalError>, StoreError> {
    let order_id = found.order.order_id.clone();
    if !found.workflow_started {
        return start(store, temporal, found.order).await;
    }
    // It may have moved since it was read.
    let Some(stored) = store.order(&order_id).await? else {
        return Ok(Ok(()));
    };
    let (revision, is_over) = (stored.order.revision, stored.order.is_over());
    if !is_over {
        match temporal.ensure_running(stored.order).await {
            Ok(Ensured::Running) => {}
            // Its own workers see to it. A wake that nobody reads would only make its history longer.
            Ok(Ensured::Elsewhere) => return Ok(Ok(())),
            Ok(Ensured::Started) => {
                tracing::warn!(
                    order_id,
                    "something is due for an order that Temporal does not have: started anew"
                );
                return Ok(Ok(()));
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    match temporal.wake(&order_id).await {
        // Its workflow has ended, as it should.
        Err(TemporalError::NotFound(_)) if is_over => {
            store.forget_due(&order_id, revision).await?;
            Ok(Ok(()))
        }
        // It has ended just now: the next sweep sees what has become of the order.
        Err(TemporalError::NotFound(_)) => Ok(Ok(())),
        Ok(()) => {
            tracing::info!(order_id, "an order that stood still was woken");
            Ok(Ok(()))
        }
        Err(error) => Ok(Err(error)),
    }
}

async fn start(
    store: &Store,
    temporal: &Temporal,
    order: Order,
) -> Result<Result<(), TemporalError>, StoreError> {
    let order_id = order.order_id.clone();
    if let Err(error) = temporal.start(order).await {
        return Ok(Err(error));
    }
    store.confirm_start(&order_id).await?;
    tracing::info!(order_id, "an order without workflow was started");
    Ok(Ok(()))
}
