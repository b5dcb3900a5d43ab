//! What is measured: a Temporal and an orders server of their own, as processes.

use orders_test_support::{
    Client, ServerOptions, TestServer, TestTemporal, sku, temporal::free_port,
};
use std::{
    path::Path,
    sync::OnceLock,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The policies with waits of one second.
const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/policies.toml");

/// Pieces on the shelf: more than are ever ordered.
const PIECES: i64 = 1_000_000_000;

/// The longest that Temporal may take for what it puts off.
const PUT_OFF: Duration = Duration::from_secs(10);

/// How long Temporal is looked at, to see whether it has something to do.
const MOMENT: Duration = Duration::from_millis(200);

/// The share of a processor below which it has nothing to do.
const IDLE: f64 = 0.15;

static SERVER: OnceLock<Vec<String>> = OnceLock::new();

/// With what all servers are started from now on, beside what they need. Once.
pub fn start_with(args: Vec<String>) {
    SERVER.set(args).expect("once");
}

/// A Temporal in memory and an orders server on it.
pub struct System {
    /// The Temporal, for the floor and the peers, too.
    pub temporal: TestTemporal,
    /// The server, with its worker.
    pub server: TestServer,
    /// A client of the server.
    pub client: Client,
    /// What is ordered.
    pub sku: String,
    folder: TempDir,
}

impl System {
    /// Starts both.
    pub async fn start() -> System {
        Self::start_program(None).await
    }

    /// Starts both, with the program of another build.
    pub async fn start_program(program: Option<&Path>) -> System {
        let temporal = TestTemporal::spawn(free_port(), &[]).await;
        let folder = tempfile::tempdir().unwrap();
        let server = serve(&temporal, folder.path(), program).await;
        let client = server.client().await;
        let sku = sku();
        client.stock(&sku, PIECES).await;
        System {
            temporal,
            server,
            client,
            sku,
            folder,
        }
    }

    /// The same with a new server process.
    pub async fn restarted(self) -> System {
        let System {
            temporal,
            server,
            sku,
            folder,
            ..
        } = self;
        assert_eq!(server.stop().await, Some(0));
        let server = serve(&temporal, folder.path(), None).await;
        let client = server.client().await;
        System {
            temporal,
            server,
            client,
            sku,
            folder,
        }
    }

    /// The processor time so far, in seconds: of the orders process, and of Temporal.
    pub fn cpu_seconds(&self) -> (f64, f64) {
        let (orders, temporal) = (&self.server.process, &self.temporal.process);
        (cpu_seconds(orders.pid()), cpu_seconds(temporal.pid()))
    }

    /// Waits until Temporal has done what it puts off: it belongs to the workflows that it is for, and
    /// must not be in the way of the next ones.
    pub async fn settle(&self) {
        let end = Instant::now() + PUT_OFF;
        loop {
            let before = self.cpu_seconds().1;
            tokio::time::sleep(MOMENT).await;
            let busy = self.cpu_seconds().1 - before;
            if busy < IDLE * MOMENT.as_secs_f64() || Instant::now() > end {
                return;
            }
        }
    }
}

async fn serve(temporal: &TestTemporal, folder: &Path, program: Option<&Path>) -> TestServer {
    let on_temporal = ServerOptions {
        program: program.map(Path::to_owned),
        ..ServerOptions::with_temporal(&temporal.address)
    };
    let options = on_temporal
        .data_dir(folder)
        .arg("--policies")
        .arg(POLICIES)
        .env("ORDERS_LOG_LEVEL", "warn,orders=info");
    let more = SERVER.get().into_iter().flatten();
    TestServer::start(more.fold(options, |options, arg| options.arg(arg))).await
}

/// The processor time that a process has had, in seconds.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in brackets may hold anything; utime and stime are the 12th and 13th after it.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    // Linux tells programs hundredths of a second, whatever it counts in itself.
    (ticks(11) + ticks(12)) / 100.0
}
