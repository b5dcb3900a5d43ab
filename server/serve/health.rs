//! Health: `""` says that the process and its store work, so reads do; `orders.v1.InventoryService` says
//! that the database takes writes, too; `orders.v1.OrderService` says that commands work: the database
//! takes writes, Temporal answers, and a worker polls.

use crate::temporal::Temporal;
use orders_store::Store;
use std::time::Duration;
use tokio::{sync::watch, task::JoinHandle};
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};

/// The name under which a load balancer asks for commands.
const COMMANDS: &str = "orders.v1.OrderService";
/// The same for the stock, which needs the database only, and writes to it.
const STOCK: &str = "orders.v1.InventoryService";

/// What operators ask is answered whenever reads are; what they command needs what commands need.
const OPERATORS: &str = "orders.v1.OperatorService";

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the last look has seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    reads: bool,
    commands: bool,
}

/// Looks at what the service needs, and says so.
pub(super) struct Monitor {
    reporter: HealthReporter,
    seen: watch::Receiver<Seen>,
    looking: JoinHandle<()>,
}

/// Starts looking. Until the first look nothing is SERVING.
pub(super) async fn start(
    store: &Store,
    temporal: &Temporal,
) -> (Monitor, HealthServer<impl Health>) {
    let (reporter, service) = tonic_health::server::health_reporter();
    for name in ["", COMMANDS, STOCK, OPERATORS] {
        reporter
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
    let (tell, seen) = watch::channel(Seen::default());
    let looking = tokio::spawn(look(
        reporter.clone(),
        store.clone(),
        temporal.clone(),
        tell,
    ));
    let monitor = Monitor {
        reporter,
        seen,
        looking,
    };
    (monitor, service)
}

impl Monitor {
    /// Waits until commands work, at most `patience`: a server that can only read is still of use.
    pub(super) async fn wait_ready(&self, patience: Duration) {
        if !self.is_ready_within(patience).await {
            tracing::warn!("no worker polls yet: commands wait until one does");
        }
    }

    /// Waits until commands work, at most `patience`, and returns whether they do.
    pub(super) async fn is_ready_within(&self, patience: Duration) -> bool {
        self.sees_within(patience, |seen| seen.commands).await
    }

    /// Waits until reads work, at most `patience`, and returns whether they do.
    pub(super) async fn reads_within(&self, patience: Duration) -> bool {
        self.sees_within(patience, |seen| seen.reads).await
    }

    async fn sees_within(&self, patience: Duration, what: impl Fn(&Seen) -> bool) -> bool {
        let mut seen = self.seen.clone();
        let waited = tokio::time::timeout(patience, seen.wait_for(what)).await;
        matches!(waited, Ok(Ok(_)))
    }

    /// Says that nothing is served any more.
    pub(super) async fn stop(self) {
        self.looking.abort();
        // A look that is at its end must not say the contrary afterwards.
        let _ = self.looking.await;
        for name in ["", COMMANDS, STOCK, OPERATORS] {
            self.reporter
                .set_service_status(name, ServingStatus::NotServing)
                .await;
        }
    }
}

async fn look(
    reporter: HealthReporter,
    store: Store,
    temporal: Temporal,
    tell: watch::Sender<Seen>,
) {
    let mut before = None;
    let mut probe = store.write_probe();
    loop {
        let (store, written, worker) = tokio::join!(
            tokio::time::timeout(PATIENCE, store.ping()),
            tokio::time::timeout(PATIENCE, probe.check()),
            tokio::time::timeout(PATIENCE, temporal.has_worker()),
        );
        let reads = matches!(store, Ok(Ok(())));
        let writes = reads && matches!(written, Ok(Ok(())));
        let commands = writes && matches!(worker, Ok(Ok(true)));
        if before != Some((reads, writes, commands)) {
            if let (true, Ok(Err(error))) = (reads, &written) {
                tracing::warn!(%error, "the database takes no writes: commands are refused until it does");
            }
            tracing::info!(reads, writes, commands, "health");
            before = Some((reads, writes, commands));
            // Only then: every call sends a message to everybody who watches.
            for (name, serving) in [
                ("", reads),
                (STOCK, writes),
                (OPERATORS, reads),
                (COMMANDS, commands),
            ] {
                let status = match serving {
                    true => ServingStatus::Serving,
                    false => ServingStatus::NotServing,
                };
                reporter.set_service_status(name, status).await;
            }
        }
        tell.send_replace(Seen { reads, commands });
        let pause = if commands { INTERVAL } else { INTERVAL / 10 };
        tokio::time::sleep(pause).await;
    }
}
