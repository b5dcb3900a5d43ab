//! Starting the workflows of new orders, without making their callers wait for a Temporal that does
//! not answer.
//!
//! PlaceOrder commits the order, hands its start over, and waits for it for a moment only. A start is a
//! task of its own, so nothing that happens to the call cancels it. Once Temporal has failed a start, no
//! call waits any more: orders are stored, counted and bounded, and a loop tries the oldest of them
//! every quarter of a second. The first one that Temporal takes ends the outage, and the loop starts
//! the rest at once. The sweep stays behind all of this, for whatever a crash has cut off.

mod counts;

use super::{Temporal, TemporalError, pauses::Pauses, within_time};
use counts::Counts;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use orders_domain::order::Order;
use orders_store::clock;
use orders_store::{Store, StoreError};
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

/// While Temporal answers, the start of an order is left to its own call, and its first step to a worker,
/// for so long.
const GRACE: Duration = Duration::from_secs(5);

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

/// The right to place one order. Until [`Permit::done`] says that Temporal has it, the order counts as
/// one that waits.
pub struct Permit {
    inner: Arc<Inner>,
    /// The order's number in the counts.
    number: u64,
    is_stored: bool,
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
        let number = self.inner.counts().admit(self.inner.most)?;
        Some(Permit {
            inner: self.inner.clone(),
            number,
            is_stored: false,
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
        mut permit: Option<Permit>,
        order: Order,
        time: Duration,
    ) -> Result<Started, TemporalError> {
        if let Some(permit) = &mut permit {
            permit.stored();
        }
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
            if !is_busy {
                inner.counts().forget();
            }
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
        let is_away = self.counts().is_away;
        self.count().await?;
        if is_away {
            self.remind(said);
            if !self.probe().await? {
                return Ok(());
            }
        }
        *said = None;
        // Whatever was placed during an outage waits for nobody else.
        let before = if is_away {
            clock::now()
        } else {
            let grace = SignedDuration::try_from(GRACE).unwrap_or_default();
            clock::now().saturating_sub(grace).unwrap_or(Timestamp::MIN)
        };
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
            self.count().await?;
            if answered.contains(&false) {
                break;
            }
        }
        pauses.forget_old();
        Ok(())
    }

    /// Finds out whether Temporal answers again, by starting the oldest order that waits.
    async fn probe(&self) -> Result<bool, StoreError> {
        let mut oldest = self.store.unstarted(clock::now(), None, 1).await?;
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

    /// Counts what waits; also, for a moment, the orders of others whose first step is under way.
    async fn count(&self) -> Result<(), StoreError> {
        let look = self.counts().begin_look();
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        let counted = self.store.count_unstarted(clock::now(), most).await?;
        let counted = usize::try_from(counted).unwrap_or_default();
        self.counts().found(look, counted);
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

impl Permit {
    /// The order is in the database.
    fn stored(&mut self) {
        self.is_stored = true;
        self.inner.counts().stored(self.number);
    }

    /// Temporal has the order, or there is none.
    pub fn done(mut self) {
        self.is_stored = false;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.inner.counts();
        if self.is_stored {
            counts.leave();
            self.inner.left.notify_one();
        } else {
            counts.done(self.number);
        }
    }
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
