//! Running the worker, and running it again when it ends by itself.

use super::Temporal;
use futures::FutureExt;
use orders_worker::{
    activities::OrderActivities,
    provider::Providers,
    store::Store,
    workflow::worker::{self, Version},
};
use std::{panic::AssertUnwindSafe, thread, time::Duration};
use temporalio_sdk::Runtime;
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::sync::CancellationToken;

/// Wait before a worker that ended by itself is run again.
const RESTART: Duration = Duration::from_secs(1);

/// What a worker runs.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The workflows of orders.
    Orders,
    /// The shipping lanes of orders, on a task queue of their own.
    Shipping,
}

impl Role {
    fn thread_name(self) -> &'static str {
        match self {
            Self::Orders => "orders-worker",
            Self::Shipping => "orders-shipping",
        }
    }
}

/// A worker on a thread of its own: workflows are not `Send`, and whatever blocks it blocks no
/// call.
pub struct RunningWorker {
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
}

/// Why the worker cannot be run.
#[derive(Debug, thiserror::Error)]
#[error("the worker cannot be started: {0}")]
pub struct WorkerError(String);

impl RunningWorker {
    /// Starts it.
    ///
    /// # Errors
    /// When the SDK or the system refuses.
    pub fn start(
        role: Role,
        temporal: Temporal,
        store: Store,
        providers: Providers,
        version: Option<Version>,
    ) -> Result<RunningWorker, WorkerError> {
        let refused = |error: &dyn std::fmt::Display| WorkerError(error.to_string());
        let runtime = Runtime::from_current_tokio(Default::default()).map_err(|e| refused(&e))?;
        let handle = Handle::current();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (tell_ended, ended) = oneshot::channel();
        let body = move || {
            handle.block_on(supervise(
                role,
                &runtime,
                &temporal,
                &store,
                &providers,
                version.as_ref(),
                &stopped,
            ));
            let _ = tell_ended.send(());
        };
        thread::Builder::new()
            .name(role.thread_name().to_owned())
            .spawn(body)
            .map_err(|error| refused(&error))?;
        Ok(RunningWorker { stop, ended })
    }

    /// Lets it finish what it is at, for at most `patience`. What is left goes on elsewhere, or
    /// after the next start.
    pub async fn stop(self, patience: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(patience, self.ended).await.is_err() {
            tracing::warn!("the worker did not end in time and is left behind");
        }
    }
}

async fn supervise(
    role: Role,
    runtime: &Runtime,
    temporal: &Temporal,
    store: &Store,
    providers: &Providers,
    version: Option<&Version>,
    stop: &CancellationToken,
) {
    while !stop.is_cancelled() {
        let run = run_once(role, runtime, temporal, store, providers, version, stop);
        // A panic in the SDK's loop must not leave a server whose orders nobody runs.
        let run = AssertUnwindSafe(run).catch_unwind().await;
        match run.unwrap_or_else(|_| Err("it panicked".to_owned())) {
            Ok(()) if stop.is_cancelled() => return,
            Ok(()) => tracing::warn!(?role, "the worker ended by itself and is run again"),
            Err(error) => tracing::error!(?role, error, "the worker ended and is run again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(RESTART) => {}
        }
    }
}

async fn run_once(
    role: Role,
    runtime: &Runtime,
    temporal: &Temporal,
    store: &Store,
    providers: &Providers,
    version: Option<&Version>,
    stop: &CancellationToken,
) -> Result<(), String> {
    let activities = OrderActivities::new(store.clone(), providers.clone());
    let client = temporal.client().clone();
    let queue = temporal.task_queue_of(role);
    let worker = match role {
        Role::Orders => worker::order_worker(runtime, client, &queue, activities, version),
        Role::Shipping => worker::shipping_worker(runtime, client, &queue, activities, version),
    };
    let mut worker = worker.map_err(|error| error.to_string())?;
    let shutdown = worker.shutdown_handle();
    let running = worker.run();
    tokio::pin!(running);
    tokio::select! {
        result = &mut running => result.map_err(|error| error.to_string()),
        () = stop.cancelled() => {
            shutdown();
            running.await.map_err(|error| error.to_string())
        }
    }
}
