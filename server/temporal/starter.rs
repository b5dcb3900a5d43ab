//! Starting the workflows of new orders, without making their callers wait for a Temporal that does
//! not answer.
//!
//! PlaceOrder commits the order, hands its start over, and waits for it for a moment only. A start is a
//! task of its own, so nothing that happens to the call cancels it. Once Temporal has failed a start, no
//! call waits any more: orders are stored, counted and bounded, and a loop tries the oldest of them
//! every quarter of a second. The first one that Temporal takes ends the outage, and the loop starts
//! the rest at once. The sweep stays behind all of this, for whatever a crash has cut off.

use super::{Temporal, TemporalError, pauses::Pauses, within_time};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use orders_worker::{
    clock,
    domain::order::Order,
    store::{Store, StoreError},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How long one start may take in all. The caller has its answer long before.
const LONGEST: Duration = Duration::from_secs(10);

/// A start that has taken so long shows that Temporal does not answer. Much more than `--start-wait`: a
/// Temporal that is only slow is not taken to be away.
const STALLED: Duration = Duration::from_secs(2);

/// Between two looks at the orders that wait.
const ROUND: Duration = Duration::from_millis(250);

/// How long a start may take that finds out whether Temporal answers again.
const PROBE: Duration = Duration::from_millis(500);

/// How long the start of any other order that waited may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// While Temporal answers, the start of an order is left to its own call for so long.
const GRACE: Duration = Duration::from_secs(2);

/// Orders read, and starts under way, at once.
const BATCH: i64 = 64;
const AT_ONCE: usize = 8;

/// How often the log says again that orders wait.
const REMIND: Duration = Duration::from_secs(30);

/// Starts the workflows of new orders. Cheap to clone.
#[derive(Clone)]
pub struct Starter {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    temporal: Temporal,
    /// How long a call waits for the start of its order.
    wait: Duration,
    /// How many orders may wait for Temporal.
    most: usize,
    counts: Mutex<Counts>,
    /// Something was left to the loop.
    left: Notify,
}

/// What is known of orders that Temporal may not have.
#[derive(Debug, Default)]
struct Counts {
    /// Temporal did not answer the last start.
    is_away: bool,
    /// How many there were in the database at the last look,
    counted: usize,
    /// and how many this process had left there until then, of `added` in all.
    added_before: usize,
    added: usize,
    /// Orders that are being placed.
    placing: usize,
    /// The loop looks at least until then.
    look_until: Option<Instant>,
}

/// The right to place one order. Until [`Permit::done`] says that Temporal has it, the order counts as
/// one that waits.
pub struct Permit {
    inner: Arc<Inner>,
    is_done: bool,
}

/// What became of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// Temporal has the workflow. The run's id, where Temporal says it.
    Now(Option<String>),
    /// Temporal did not answer in time: the workflow may have started, or will be.
    Later,
}

impl Starter {
    /// Starts orders of `store` on `temporal`. Calls wait for at most `wait`, and orders for Temporal
    /// at most `most` at a time.
    pub fn new(store: Store, temporal: Temporal, wait: Duration, most: u32) -> Starter {
        Starter {
            inner: Arc::new(Inner {
                store,
                temporal,
                wait,
                most: most as usize,
                counts: Mutex::default(),
                left: Notify::new(),
            }),
        }
    }

    /// Lets an order be placed; none while as many as may wait for Temporal do so.
    pub fn admit(&self) -> Option<Permit> {
        let is_admitted = self.inner.counts().admit(self.inner.most);
        is_admitted.then(|| Permit {
            inner: self.inner.clone(),
            is_done: false,
        })
    }

    /// How many orders may wait for Temporal.
    pub fn most(&self) -> usize {
        self.inner.most
    }

    /// Starts the workflow of an order that was just stored, and waits for it for a moment, for at most
    /// nine tenths of `time`.
    ///
    /// # Errors
    /// When Temporal refuses this start. That it does not answer is no error.
    pub async fn start(
        &self,
        permit: Option<Permit>,
        order: Order,
        time: Duration,
    ) -> Result<Started, TemporalError> {
        if self.inner.counts().is_away {
            return Ok(Started::Later);
        }
        let wait = self.inner.wait.min(time * 9 / 10);
        let task = tokio::spawn(self.inner.clone().start(order));
        match timeout(wait, task).await {
            Ok(Ok(Ok(run_id))) => {
                if let Some(permit) = permit {
                    permit.done();
                }
                Ok(Started::Now(run_id))
            }
            Ok(Ok(Err(error))) if !is_outage(&error) => Err(error),
            // Its task goes on where there is still one.
            Ok(Ok(Err(_))) | Err(_) => Ok(Started::Later),
            Ok(Err(panic)) => Err(TemporalError::Unexpected(panic.to_string())),
        }
    }

    /// Starts what waits, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let inner = &self.inner;
        let mut pauses = Pauses::new(ROUND);
        let mut said = None;
        loop {
            // Not cut off by the stop: what it writes is written to its end.
            if let Err(error) = inner.round(&mut pauses, &mut said, &stop).await {
                tracing::warn!(%error, "the orders that wait for Temporal cannot be read now");
            }
            let is_busy = inner.counts().is_busy(Instant::now());
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(ROUND), if is_busy => {}
                () = inner.left.notified(), if !is_busy => {}
            }
        }
    }
}

impl Inner {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the workflow of an order, however long the caller waits for it.
    async fn start(self: Arc<Self>, order: Order) -> Result<Option<String>, TemporalError> {
        let begun = Instant::now();
        let order_id = order.order_id.clone();
        let start = within_time(LONGEST, self.temporal.start(order));
        tokio::pin!(start);
        let started = match timeout(STALLED, &mut start).await {
            Ok(started) => started,
            Err(_) => {
                self.note_away("a start was not answered in time");
                timeout(LONGEST, start)
                    .await
                    .unwrap_or_else(|_| Err(late()))
            }
        };
        self.note(&started);
        // The call has left it to the loop, which need not start it again.
        if started.is_ok() && begun.elapsed() >= self.wait {
            self.confirm(&order_id).await;
        }
        started
    }

    /// Starts an order that was left, and gives whether Temporal has answered.
    async fn start_left(&self, order: Order, time: Duration) -> bool {
        let order_id = order.order_id.clone();
        // The answer to an eager start holds the first task, which would be lost with the answer.
        let temporal = self.temporal.clone().without_eager_start();
        let start = within_time(time, temporal.start(order));
        let started = timeout(time, start).await.unwrap_or_else(|_| Err(late()));
        self.note(&started);
        match &started {
            Ok(_) => {
                self.confirm(&order_id).await;
                tracing::info!(order_id, "an order that waited for Temporal was started");
            }
            Err(error) if is_outage(error) => return false,
            Err(error) => {
                tracing::warn!(order_id, %error, "Temporal refuses to start an order that waits");
            }
        }
        true
    }

    async fn confirm(&self, order_id: &str) {
        // The sweep sees to it where this fails.
        if let Err(error) = self.store.confirm_start(order_id).await {
            tracing::debug!(order_id, %error, "that an order was started is not noted");
        }
    }

    /// One look at what waits, and a try to start it.
    async fn round(
        &self,
        pauses: &mut Pauses,
        said: &mut Option<Instant>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let mut is_away = self.counts().is_away;
        self.count(is_away).await?;
        if is_away {
            self.remind(said);
            if !self.probe().await? {
                return Ok(());
            }
            is_away = false;
        }
        *said = None;
        let before = before(is_away);
        let mut last: Option<Order> = None;
        while !stop.is_cancelled() {
            let page = self.store.unstarted(before, last.as_ref(), BATCH).await?;
            let Some(end) = page.last() else {
                break;
            };
            last = Some(end.clone());
            // One that Temporal refuses is tried less and less often.
            let due: Vec<Order> = page
                .into_iter()
                .filter(|order| pauses.may_try(&order.order_id))
                .collect();
            let starts = stream::iter(due).map(async |order| {
                let is_away = self.counts().is_away;
                !is_away && self.start_left(order, PATIENCE).await
            });
            let answered: Vec<bool> = starts.buffer_unordered(AT_ONCE).collect().await;
            self.count(is_away).await?;
            if answered.contains(&false) {
                break;
            }
        }
        pauses.forget_old();
        Ok(())
    }

    /// Finds out whether Temporal answers again, by starting the oldest order that waits.
    async fn probe(&self) -> Result<bool, StoreError> {
        let mut oldest = self.store.unstarted(before(true), None, 1).await?;
        match oldest.pop() {
            Some(order) => Ok(self.start_left(order, PROBE).await),
            // Another process was faster.
            None => {
                let answered = timeout(PROBE, self.temporal.check_namespace()).await;
                let is_back = matches!(answered, Ok(Ok(())));
                if is_back {
                    self.note_back();
                }
                Ok(is_back)
            }
        }
    }

    /// Counts what waits.
    async fn count(&self, is_away: bool) -> Result<(), StoreError> {
        let added = self.counts().added;
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        let counted = self.store.count_unstarted(before(is_away), most).await?;
        let mut counts = self.counts();
        counts.counted = usize::try_from(counted).unwrap_or_default();
        counts.added_before = added;
        Ok(())
    }

    fn remind(&self, said: &mut Option<Instant>) {
        let is_known = said.is_some_and(|at: Instant| at.elapsed() < REMIND);
        if !is_known {
            *said = Some(Instant::now());
            let (unstarted, most) = (self.counts().left(), self.most);
            tracing::warn!(
                unstarted,
                most,
                "orders wait until Temporal answers: those that are placed now are only stored"
            );
        }
    }

    fn note(&self, started: &Result<Option<String>, TemporalError>) {
        match started {
            Ok(_) => self.note_back(),
            Err(error) if is_outage(error) => self.note_away(&error.to_string()),
            Err(_) => {}
        }
    }

    fn note_back(&self) {
        let mut counts = self.counts();
        if std::mem::replace(&mut counts.is_away, false) {
            let unstarted = counts.left();
            tracing::info!(
                unstarted,
                "Temporal answers again: orders that waited are started"
            );
        }
    }

    fn note_away(&self, reason: &str) {
        let was_away = std::mem::replace(&mut self.counts().is_away, true);
        if !was_away {
            tracing::warn!(
                reason,
                "Temporal does not answer: new orders are not waited for"
            );
            self.left.notify_one();
        }
    }
}

impl Counts {
    /// Orders that Temporal may not have.
    fn left(&self) -> usize {
        self.counted + self.added.saturating_sub(self.added_before)
    }

    /// Lets one more be placed, unless Temporal is away and as many wait as may.
    fn admit(&mut self, most: usize) -> bool {
        let waiting = self.left();
        if (self.is_away || waiting > 0) && waiting + self.placing >= most {
            return false;
        }
        self.placing += 1;
        true
    }

    fn is_busy(&self, now: Instant) -> bool {
        let is_new = self.look_until.is_some_and(|until| now < until);
        self.is_away || self.left() > 0 || is_new
    }
}

impl Permit {
    /// Temporal has the order, or there is none.
    pub fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.inner.counts();
        counts.placing = counts.placing.saturating_sub(1);
        if !self.is_done {
            counts.added += 1;
            counts.look_until = Some(Instant::now() + GRACE + STALLED);
            self.inner.left.notify_one();
        }
    }
}

/// Orders that were placed before this are started by the loop.
fn before(is_away: bool) -> Timestamp {
    let now = clock::now();
    if is_away {
        return now;
    }
    let grace = SignedDuration::try_from(GRACE).unwrap_or_default();
    now.saturating_sub(grace).unwrap_or(Timestamp::MIN)
}

/// Whether Temporal cannot do anything now, rather than not this.
fn is_outage(error: &TemporalError) -> bool {
    matches!(
        error,
        TemporalError::Unavailable(_) | TemporalError::Busy(_)
    )
}

fn late() -> TemporalError {
    TemporalError::Unavailable("no answer in time".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_bounded_while_temporal_takes_orders() {
        let mut counts = Counts::default();
        assert!((0..100).all(|_| counts.admit(1)));
        assert!(!counts.is_busy(Instant::now()));
    }

    #[test]
    fn those_that_wait_and_those_that_are_being_placed_are_bounded_together() {
        let mut counts = Counts {
            is_away: true,
            counted: 2,
            ..Counts::default()
        };
        assert!(counts.admit(4) && counts.admit(4));
        assert!(!counts.admit(4), "{counts:?}");
        // One of them is stored, and not yet counted.
        counts.placing -= 1;
        counts.added += 1;
        assert!(!counts.admit(4), "{counts:?}");
        // The other was no order after all.
        counts.placing -= 1;
        assert!(counts.admit(4), "{counts:?}");
    }

    #[test]
    fn an_order_that_is_stored_during_the_count_is_not_forgotten() {
        let mut counts = Counts {
            is_away: true,
            ..Counts::default()
        };
        let at_begin = counts.added;
        counts.added += 1;
        // The database was read before the order was there.
        (counts.counted, counts.added_before) = (0, at_begin);
        assert_eq!(counts.left(), 1);
        assert!(!counts.admit(1), "{counts:?}");
    }
}
