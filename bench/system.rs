//! What is measured: a Temporal and an orders server of their own, as processes.

use crate::harness::{Client, ServerOptions, TestServer, TestTemporal, sku, temporal::free_port};
use std::{path::Path, sync::OnceLock};
use tempfile::TempDir;

/// The policies with waits of one second.
const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/policies.toml");

/// Pieces on the shelf: more than are ever ordered.
const PIECES: i64 = 1_000_000_000;

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
        let temporal = TestTemporal::spawn(free_port(), &[]).await;
        let folder = tempfile::tempdir().unwrap();
        let server = serve(&temporal, folder.path()).await;
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
        let server = serve(&temporal, folder.path()).await;
        let client = server.client().await;
        System {
            temporal,
            server,
            client,
            sku,
            folder,
        }
    }
}

async fn serve(temporal: &TestTemporal, folder: &Path) -> TestServer {
    let options = ServerOptions::with_temporal(&temporal.address)
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
