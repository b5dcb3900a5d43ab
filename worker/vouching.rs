//! Asks the payment provider again about what a person vouched for ([`Vouched`]): it could not be asked then.
//!
//! It runs beside the orders, since the answer changes no order's way, and an order may have closed long before the
//! provider is back. The store says which orders are to be asked about, so that any process may do it; two that ask
//! about the same record one answer.
//!
//! [`Vouched`]: orders_domain::order::Vouched

use crate::{activities, provider::ExternalPaymentProvider};
use jiff::{SignedDuration, Timestamp};
use orders_store::clock;
use orders_store::{Store, StoreError};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Between two looks into the store.
const INTERVAL: Duration = Duration::from_secs(2);

/// Orders read at once.
const BATCH: i64 = 20;

/// The shortest and the longest time between two questions about one order. In between it is asked again when as much
/// time has passed as since the person vouched.
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// Asks until `stop`.
pub async fn run(
    store: Store,
    provider: Arc<dyn ExternalPaymentProvider>,
    stop: CancellationToken,
) {
    while !stop.is_cancelled() {
        if let Err(error) = ask(&store, &provider, &stop).await {
            tracing::warn!(%error, "what persons vouched for cannot be read or recorded now");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn ask(
    store: &Store,
    provider: &Arc<dyn ExternalPaymentProvider>,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let now = clock::now();
    for order_id in store.vouched(now, BATCH).await? {
        if stop.is_cancelled() {
            return Ok(());
        }
        let verified = activities::verify_vouched(store, provider, &order_id, now).await;
        let Some(stored) = store.order(&order_id).await? else {
            continue;
        };
        let since = stored.order.vouch_time();
        let again = match verified {
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(error) => {
                tracing::error!(order_id, %error, "the provider's answer cannot be recorded");
                clock::now().checked_add(LONGEST_PAUSE).ok()
            }
            Ok(()) => since.map(|since| next(since, clock::now())),
        };
        let revision = stored.order.revision;
        store.ask_vouched_at(&order_id, revision, again).await?;
    }
    Ok(())
}

/// When the provider is asked again about what a person vouched for at `since`.
fn next(since: Timestamp, now: Timestamp) -> Timestamp {
    let age = now.duration_since(since);
    let pause = age.clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    now.saturating_add(pause).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_with_the_age_up_to_an_hour() {
        let since = Timestamp::UNIX_EPOCH;
        for (age, pause) in [(0, 5), (3, 5), (60, 60), (3_000, 3_000), (1_000_000, 3_600)] {
            let now = since + SignedDuration::from_secs(age);
            assert_eq!(
                next(since, now),
                now + SignedDuration::from_secs(pause),
                "{age}"
            );
        }
        // A clock that was set back.
        let now = since - SignedDuration::from_hours(1);
        assert_eq!(next(since, now), now + SHORTEST_PAUSE);
    }
}
