//! Running the worker, and running it again when it ends by itself.

use super::Temporal;
use futures::FutureExt;
use orders_store::Store;
use orders_worker::{
    activities::OrderActivities,
    provider::Providers,
    workflow::worker::{self, Version},
};
use std::{panic::AssertUnwindSafe, sync::Arc, thread, time::Duration};
use temporalio_client::{Client, worker::ClientWorkerSet};
use temporalio_sdk::{Runtime, Worker};
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Wait before a worker that ended by itself is run again.
const RESTART: Duration = Duration::from_secs(1);

/// Between two looks whether Temporal has heard of a new worker.
const LOOK: Duration = Duration::from_millis(200);

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
    role: Role,
    temporal: Temporal,
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
    /// Whether a worker runs now, and does not wait for something.
    runs: watch::Receiver<bool>,
}

/// What [`supervise`] builds workers from.
struct Parts {
    role: Role,
    runtime: Runtime,
    temporal: Temporal,
    store: Store,
    providers: Providers,
    version: Option<Version>,
    runs: watch::Sender<bool>,
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
        let (tell_runs, runs) = watch::channel(false);
        let parts = Parts {
            role,
            runtime,
            temporal: temporal.clone(),
            store,
            providers,
            version,
            runs: tell_runs,
        };
        let body = move || {
            handle.block_on(supervise(&parts, &stopped));
            let _ = tell_ended.send(());
        };
        thread::Builder::new()
            .name(role.thread_name().to_owned())
            .spawn(body)
            .map_err(|error| refused(&error))?;
        Ok(RunningWorker {
            role,
            temporal,
            stop,
            ended,
            runs,
        })
    }

    /// Waits until it polls, as Temporal has seen it. It may end and begin again later.
    pub async fn polls(&self) {
        let mut runs = self.runs.clone();
        loop {
            if runs.wait_for(|runs| *runs).await.is_err() {
                // Its thread has ended, and it never will.
                return std::future::pending().await;
            }
            if matches!(self.temporal.polls_itself(self.role).await, Ok(true)) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
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

async fn supervise(parts: &Parts, stop: &CancellationToken) {
    let role = parts.role;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = parts.temporal.wait_for_namespace() => {}
        }
        let run = run_once(parts, stop);
        // A panic in the SDK's loop must not leave a server whose orders nobody runs.
        let run = AssertUnwindSafe(run).catch_unwind().await;
        parts.runs.send_replace(false);
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

async fn run_once(parts: &Parts, stop: &CancellationToken) -> Result<(), String> {
    let Parts {
        role,
        runtime,
        temporal,
        store,
        providers,
        version,
        runs,
    } = parts;
    let activities = OrderActivities::new(store.clone(), providers.clone());
    let client = temporal.client().clone();
    let (queue, version) = (temporal.task_queue_of(*role), version.as_ref());
    let worker = match role {
        Role::Orders => worker::order_worker(runtime, client, &queue, activities, version),
        Role::Shipping => worker::shipping_worker(runtime, client, &queue, activities, version),
    };
    let mut worker = worker.map_err(|error| error.to_string())?;
    let _registration = Registration::of(&worker, temporal.client());
    let shutdown = worker.shutdown_handle();
    let running = worker.run();
    tokio::pin!(running);
    runs.send_replace(true);
    tokio::select! {
        result = &mut running => result.map_err(|error| error.to_string()),
        () = stop.cancelled() => {
            shutdown();
            running.await.map_err(|error| error.to_string())
        }
    }
}

/// A worker's place in the client that all workers of the process share, so that the eager start
/// finds them. The SDK gives the place back only at the end of a run that began well; here it is given
/// back however the run ends. Otherwise the client would refuse each worker after that one.
struct Registration {
    workers: Arc<ClientWorkerSet>,
    key: Uuid,
    shutdown: Box<dyn Fn()>,
}

impl Registration {
    fn of(worker: &Worker, client: &Client) -> Registration {
        Registration {
            workers: client.connection().workers(),
            key: worker.worker_instance_key(),
            shutdown: Box::new(worker.shutdown_handle()),
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Nothing happens if the worker was shut down before; else this ends what it has begun.
        (self.shutdown)();
        // Both fail if the place was given back before.
        let _ = self.workers.unregister_slot_provider(self.key);
        let _ = self.workers.finalize_unregister(self.key);
    }
}
