//! The messenger: delivers the messages that events have left in the store ([`store::outbox`]).
//!
//! It runs beside the orders and never in front of them: a message is sent outside of any
//! transaction, and a receiver that is away delays messages only. Sent and recorded are two
//! things; a process that dies between them leaves a message that is sent again, under the same id.
//! So a receiver that checks ids is told each milestone once.
//!
//! [`store::outbox`]: orders_store::outbox

#[cfg(test)]
mod tests;

use crate::{
    activities::fault,
    provider::{DeliveryError, NotificationProvider},
};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use orders_domain::text;
use orders_store::clock;
use orders_store::{
    Store, StoreError,
    outbox::{Claim, Outcome},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Between two looks for messages that another process wrote, or that are to be tried again.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long the first of some new messages waits for the others: one look serves them all.
const GATHER: Duration = Duration::from_millis(100);

/// Orders whose messages are taken at once, at most.
const BATCH: i64 = 64;

/// Messages on their way at the same time; each is of another order.
const AT_ONCE: usize = 4;

/// The longest that the delivery of one message may take. Not short: a receiver that is slow to say
/// that it has the message would get it again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long after a batch was taken the last of it may be begun.
const BEGIN: Duration = Duration::from_secs(60);

/// How long a batch is ours: longer than the last of it can take, so that no two processes deliver
/// one message at the same time.
const LEASE: SignedDuration = SignedDuration::from_secs(180);

/// How long a message that is on its way may still take when the messenger is to stop.
const STOPPING: Duration = Duration::from_secs(3);

/// After so many failures in a row the receiver is taken to be away until the next look.
const FAILURES: u32 = 3;

/// Until a message that failed once is tried again; then twice as long each time.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// At most between two attempts.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// A message that fails is tried for so long.
const OLDEST: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Delivers messages until `stop`. Those that are on their way then are finished first, unless they
/// take long: such a message is sent again after the next start.
pub async fn run(store: Store, port: Arc<dyn NotificationProvider>, stop: CancellationToken) {
    loop {
        let away = match deliver_due(&store, port.as_ref(), &stop).await {
            Ok(away) => away,
            Err(error) => {
                tracing::warn!(%error, "messages cannot be read or recorded now");
                true
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            // New messages are no reason to ask again so soon a receiver that is away.
            () = gathered(&store), if !away => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn gathered(store: &Store) {
    store.message_written().await;
    tokio::time::sleep(GATHER).await;
}

/// Delivers all that is due, batch by batch; gives whether the receiver is away.
async fn deliver_due(
    store: &Store,
    port: &dyn NotificationProvider,
    stop: &CancellationToken,
) -> Result<bool, StoreError> {
    while !stop.is_cancelled() {
        let now = clock::now();
        let claims = store.claim_messages(now, later(now, LEASE), BATCH).await?;
        if claims.is_empty() {
            return Ok(false);
        }
        let batch = Batch {
            port,
            stop,
            end: Instant::now() + BEGIN,
            failures: AtomicU32::new(0),
        };
        let outcomes: Vec<_> = stream::iter(claims)
            .map(|of_order| batch.outcomes(of_order))
            .buffer_unordered(AT_ONCE)
            .concat()
            .await;
        store.settle_messages(clock::now(), &outcomes).await?;
        if batch.is_away() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the messages that were taken at once share.
struct Batch<'a> {
    port: &'a dyn NotificationProvider,
    stop: &'a CancellationToken,
    /// No message is begun after this.
    end: Instant,
    /// How many failed since the last one that did not.
    failures: AtomicU32,
}

impl Batch<'_> {
    fn is_away(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= FAILURES
    }

    /// Delivers the messages of one order, one after the other, as far as it goes.
    async fn outcomes(&self, of_order: Vec<Claim>) -> Vec<(Claim, Outcome)> {
        let mut outcomes = Vec::with_capacity(of_order.len());
        let mut stuck = None;
        for claim in of_order {
            let outcome = match stuck {
                Some(again) => Outcome::Untried { again },
                None => self.outcome(&claim).await,
            };
            // What is behind it waits with it.
            if let Outcome::Failed { again, .. } | Outcome::Untried { again } = outcome {
                stuck = Some(again);
            }
            outcomes.push((claim, outcome));
        }
        outcomes
    }

    async fn outcome(&self, claim: &Claim) -> Outcome {
        if self.is_away() {
            let again = later(clock::now(), FIRST_PAUSE);
            return Outcome::Untried { again };
        }
        if self.stop.is_cancelled() || Instant::now() >= self.end {
            let again = clock::now();
            return Outcome::Untried { again };
        }
        tokio::select! {
            delivered = self.deliver(claim) => match delivered {
                Ok(()) => Outcome::Delivered,
                Err(error) => not_delivered(claim, error, clock::now()),
            },
            () = self.patience_is_over() => Outcome::Untried { again: clock::now() },
        }
    }

    async fn patience_is_over(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(STOPPING).await;
    }

    async fn deliver(&self, claim: &Claim) -> Result<(), DeliveryError> {
        let delivery = self.port.deliver(&claim.message);
        let delivered = tokio::time::timeout(PATIENCE, delivery).await;
        let delivered = delivered.unwrap_or_else(|_| {
            let error = format!("not delivered within {PATIENCE:?}");
            Err(DeliveryError::Failed(error))
        });
        match &delivered {
            Ok(()) => fault::after_commit(fault::MESSAGE_SENT),
            Err(DeliveryError::Rejected(_)) => {}
            Err(DeliveryError::Failed(_)) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                return delivered;
            }
        }
        self.failures.store(0, Ordering::Relaxed);
        delivered
    }
}

fn not_delivered(claim: &Claim, error: DeliveryError, now: Timestamp) -> Outcome {
    let id = claim.message.id();
    let attempt = claim.attempts.saturating_add(1);
    let age = now.duration_since(claim.first_time);
    let error = match error {
        DeliveryError::Rejected(error) => DeliveryError::Rejected(text::words(&error)),
        DeliveryError::Failed(error) => DeliveryError::Failed(text::words(&error)),
    };
    match error {
        DeliveryError::Rejected(error) => {
            tracing::error!(id, error, "a message was refused and is given up");
            Outcome::GivenUp { error }
        }
        DeliveryError::Failed(error) if age >= OLDEST => {
            tracing::error!(id, attempt, error, "a message is too old and is given up");
            Outcome::GivenUp { error }
        }
        DeliveryError::Failed(error) => {
            // 1, 2, 4, ...: a receiver that is away for days must not fill the log.
            if attempt.is_power_of_two() {
                tracing::warn!(id, attempt, error, "a message could not be delivered yet");
            }
            Outcome::Failed {
                error,
                again: later(now, pause(attempt)),
            }
        }
    }
}

/// The wait after the `attempt`th failure, from 1.
fn pause(attempt: u32) -> SignedDuration {
    let factor = 2i32.checked_pow(attempt.saturating_sub(1));
    let pause = factor.and_then(|factor| FIRST_PAUSE.checked_mul(factor));
    pause.map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}

fn later(time: Timestamp, wait: SignedDuration) -> Timestamp {
    time.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
