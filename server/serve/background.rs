//! What runs beside the API: the workers, and the tasks that look after what stands still.

use super::{DRAIN, ServeError, base::Base, progress};
use crate::{
    accept::Tls,
    settings::CommonSettings,
    temporal::{replenish, run_worker::RunningWorker, starter::Starter, sweep},
    watch::watch_log,
};
use orders_worker::{
    messenger,
    provider::{ExternalPaymentProvider, NotificationProvider, Providers, simulation::Simulation},
    vouching,
};
use std::sync::Arc;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// The background tasks of a process.
#[derive(Default)]
pub(super) struct Background {
    stopping: CancellationToken,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
}

impl Background {
    /// Looks for orders that stand still.
    pub(super) fn sweep(&mut self, base: &Base) {
        let (store, temporal) = (base.store.clone(), base.temporal.clone());
        let task = sweep::run(store, temporal, self.stopping.clone());
        self.tasks.push(("the sweep", tokio::spawn(task)));
    }

    /// Says when the event log is held back, which no watch can see by itself.
    pub(super) fn watch_log(&mut self, base: &Base) {
        let task = watch_log(base.store.clone(), self.stopping.clone());
        self.tasks
            .push(("the watch over the event log", tokio::spawn(task)));
    }

    /// Reads the certificates of the port again when their files change and on SIGHUP.
    pub(super) fn watch_certificates(&mut self, tls: Tls) {
        let hangup = signal(SignalKind::hangup());
        if let Err(error) = &hangup {
            tracing::warn!(%error, "SIGHUP cannot be received; certificates are read again when their files change");
        }
        let task = tls.watch(hangup.ok(), self.stopping.clone());
        self.tasks
            .push(("the watch over the certificates", tokio::spawn(task)));
    }

    /// Starts new orders for which Temporal was not there.
    pub(super) fn start(&mut self, starter: Starter) {
        let task = starter.run(self.stopping.clone());
        self.tasks.push(("the start of orders", tokio::spawn(task)));
    }

    /// Registers Temporal's search attributes, where that was not possible at the start.
    pub(super) fn search(&mut self, base: &Base) {
        let (temporal, stopping) = (base.temporal.clone(), self.stopping.clone());
        let task = async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = temporal.become_searchable() => {}
            }
        };
        self.tasks
            .push(("the search attributes", tokio::spawn(task)));
    }

    /// Starts the processes of skus that run low.
    pub(super) fn replenish(&mut self, base: &Base) {
        let (store, temporal) = (base.store.clone(), base.temporal.clone());
        let task = replenish::run(store, temporal, self.stopping.clone());
        self.tasks.push(("replenishment", tokio::spawn(task)));
    }

    /// Delivers messages. Whoever runs orders also tells people of them.
    pub(super) fn tell(&mut self, base: &Base, port: Arc<dyn NotificationProvider>) {
        let task = messenger::run(base.store.clone(), port, self.stopping.clone());
        self.tasks.push(("the messenger", tokio::spawn(task)));
    }

    /// Asks the external payment provider, if there is one, about what persons vouched for.
    pub(super) fn verify_vouched(
        &mut self,
        base: &Base,
        payment: Option<Arc<dyn ExternalPaymentProvider>>,
    ) {
        let Some(payment) = payment else { return };
        let task = vouching::run(base.store.clone(), payment, self.stopping.clone());
        self.tasks
            .push(("the check of vouched payments", tokio::spawn(task)));
    }

    /// Ends them all, each after what it is at.
    pub(super) async fn stop(self) {
        self.stopping.cancel();
        for (name, task) in self.tasks {
            if tokio::time::timeout(DRAIN, task).await.is_err() {
                tracing::warn!("{name} did not end in time");
            }
        }
    }
}

/// Starts what runs orders and their shipping lanes.
///
/// # Errors
/// When the SDK or the system refuses.
pub(super) fn start_workers(
    base: &Base,
    settings: &CommonSettings,
    payment: Option<Arc<dyn ExternalPaymentProvider>>,
) -> Result<Vec<RunningWorker>, ServeError> {
    let mut roles = settings.run.clone();
    roles.dedup();
    for role in &roles {
        let queue = base.temporal.task_queue_of(*role);
        progress(&format!("worker on task queue {queue}"));
    }
    let simulation = Simulation {
        rules: settings.simulate.clone(),
        seed: settings.simulate_seed,
    };
    for rule in &simulation.rules {
        progress(&format!("SIMULATION: {rule}"));
    }
    let mut providers = Providers::embedded().with_supplier_lead_time(settings.supplier_lead_time);
    if let Some(payment) = payment {
        providers = providers.with_external_payment(payment);
    }
    let providers = providers.simulated(&simulation);
    let version = settings.versioning.version();
    if let Some(version) = &version {
        progress(&format!(
            "build {} of deployment {}: runs orders once that is Temporal's current version",
            version.build_id, version.deployment_name
        ));
    }
    let start = |role| {
        let (temporal, store) = (base.temporal.clone(), base.store.clone());
        Ok(RunningWorker::start(
            role,
            temporal,
            store,
            providers.clone(),
            version.clone(),
        )?)
    };
    roles.into_iter().map(start).collect()
}
