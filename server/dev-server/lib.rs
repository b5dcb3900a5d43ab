//! The embedded Temporal: the Temporal CLI's dev server as a child process, its database and its
//! log under the data directory.
//!
//! It never outlives its parent, it does not share a Ctrl-C with it, and no two of them ever work
//! on the same database file (the CLI itself would allow that).
//!
//! This crate knows nothing of orders: the caller names the search attributes that it wants.
//!
//! # Layout
//!
//! | module | what it holds |
//! |---|---|
//! | `process` | the child: its arguments, its ties to the parent, its log |
//! | `lock` | one dev server for each data directory |
//! | `owner` | the processes that have a data directory, and those that a dead server left behind |
//! | `port` | where it may listen, and whether it is really the one that does |
//! | `find` | where the CLI is |
//! | [`tuning`] | Temporal's own settings for one machine |
//! | `error` | why there is no dev server, and what to do about it |

mod error;
mod find;
mod lock;
mod owner;
mod port;
mod process;
pub mod tuning;

pub use error::DevServerError;

use lock::DataLock;
use port::Ports;
use process::Process;
use std::{
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// Between two probes.
const PROBE_INTERVAL: Duration = Duration::from_millis(25);

/// How long one probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Something answers, but that it is our child cannot be seen: how long to watch whether the child
/// fails on a taken port.
const SETTLE: Duration = Duration::from_millis(500);

/// How long the dev server may take to stop by itself (it takes 1 to 1.5 s).
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// How the dev server is started.
#[derive(Clone, Debug)]
pub struct DevServerSettings {
    /// Where its database, log and lock are; created (mode 0700) when it does not exist.
    pub data_dir: PathBuf,
    /// The CLI to use. `None` takes the one on PATH, else the one beside this program.
    pub cli: Option<PathBuf>,
    /// The port to listen on if it is free, else any free one; 0 always takes any free one.
    /// The web UI's is the same plus 1000.
    pub preferred_port: u16,
    /// Whether the web UI is served.
    pub ui: bool,
    /// A namespace to have, beside `default`, which always exists.
    pub namespace: String,
    /// Search attributes and their types, such as `("CustomerId", "Keyword")`. The CLI gives them
    /// to namespaces it creates, not to those that the database file already holds.
    pub search_attributes: Vec<(String, String)>,
    /// How long another process may take to let go of the data directory.
    pub lock_patience: Duration,
    /// How long it may take from the start until it serves.
    pub start_patience: Duration,
}

impl DevServerSettings {
    /// Returns the defaults for this data directory: the namespace `default`, no search attributes.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            cli: None,
            preferred_port: 7233,
            ui: true,
            namespace: "default".to_owned(),
            search_attributes: Vec::new(),
            lock_patience: Duration::from_secs(5),
            start_patience: Duration::from_secs(60),
        }
    }
}

/// A running dev server. Dropping it kills it; [`DevServer::stop`] lets it finish.
#[derive(Debug)]
pub struct DevServer {
    process: Process,
    ports: Ports,
    settings: DevServerSettings,
    cli: PathBuf,
    data_dir: PathBuf,
    /// Held by the child as well, so it outlives us if the child should.
    lock: DataLock,
}

impl DevServer {
    /// Locks the data directory, finds the CLI, starts the dev server and waits until `ready` says
    /// that it serves. `ready` asks for something real (`DescribeNamespace`): an open port is not enough. `progress` gets
    /// a line for each step.
    ///
    /// # Errors
    /// When the CLI is missing, another process has the data directory, or it does not serve in
    /// time. No child is left behind then.
    pub async fn start<P, R, F>(
        settings: &DevServerSettings,
        progress: P,
        ready: R,
    ) -> Result<DevServer, DevServerError>
    where
        P: Fn(&str),
        R: Fn(SocketAddr) -> F,
        F: Future<Output = bool>,
    {
        let data_dir = process::make_data_dir(&settings.data_dir)?;
        // The lock comes before the CLI: where another process has the data directory, the caller
        // may use that one's Temporal, and then needs no CLI.
        let lock = DataLock::acquire(&data_dir, settings.lock_patience, &progress).await?;
        let cli = find::cli(settings.cli.as_deref())?;
        progress(&format!("using the Temporal CLI {}", cli.display()));
        let ports = Ports::choose(settings.preferred_port, settings.ui)?;
        let started =
            match try_start(settings, &cli, &data_dir, &lock, ports, &progress, &ready).await {
                // Somebody took the port between our look and the child's.
                Err(error) if error.is_port_taken() => {
                    progress("the port was taken in the meantime, trying another");
                    let ports = Ports::choose(0, settings.ui)?;
                    try_start(settings, &cli, &data_dir, &lock, ports, &progress, &ready).await
                }
                started => started,
            };
        let (process, ports) = started?;
        Ok(DevServer {
            process,
            ports,
            settings: DevServerSettings {
                preferred_port: ports.grpc.port(),
                ..settings.clone()
            },
            cli,
            data_dir,
            lock,
        })
    }

    /// Starts the child again where it was, after [`exited`](Self::exited): on the same ports, so that
    /// whoever was connected finds it.
    ///
    /// # Errors
    /// When it does not serve in time. No child is left behind then.
    pub async fn restart<P, R, F>(&mut self, progress: P, ready: R) -> Result<(), DevServerError>
    where
        P: Fn(&str),
        R: Fn(SocketAddr) -> F,
        F: Future<Output = bool>,
    {
        let (settings, ports) = (&self.settings, self.ports);
        let (cli, data_dir) = (&self.cli, &self.data_dir);
        let started = try_start(
            settings, cli, data_dir, &self.lock, ports, &progress, &ready,
        );
        (self.process, self.ports) = started.await?;
        Ok(())
    }

    /// Where it listens; always on 127.0.0.1.
    pub fn address(&self) -> SocketAddr {
        self.ports.grpc
    }

    /// Where its web UI is.
    pub fn ui_url(&self) -> Option<String> {
        self.ports.ui.map(|address| format!("http://{address}"))
    }

    /// The child's process id, until its end was seen.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Its log; it begins anew at each start.
    pub fn log_path(&self) -> &Path {
        self.process.log_path()
    }

    /// Waits until it ends without being asked to, and tells how. Cancel-safe.
    pub async fn exited(&mut self) -> DevServerError {
        let status = self.process.wait().await;
        self.process.ended(status)
    }

    /// Asks it to stop, waits a while, then kills it.
    pub async fn stop(mut self) {
        self.process.stop(STOP_PATIENCE).await;
    }
}

async fn try_start<R, F>(
    settings: &DevServerSettings,
    cli: &Path,
    data_dir: &Path,
    lock: &DataLock,
    ports: Ports,
    progress: &impl Fn(&str),
    ready: &R,
) -> Result<(Process, Ports), DevServerError>
where
    R: Fn(SocketAddr) -> F,
    F: Future<Output = bool>,
{
    let note = match settings.preferred_port {
        taken if taken != 0 && taken != ports.grpc.port() => format!(" (port {taken} is taken)"),
        _ => String::new(),
    };
    progress(&format!(
        "starting the Temporal dev server on {}{note}; data and log in {}",
        ports.grpc,
        data_dir.display()
    ));
    let begin = Instant::now();
    let mut process = Process::spawn(settings, cli, data_dir, lock, ports).await?;
    let (patience, pid) = (settings.start_patience, process.pid());
    let outcome = tokio::select! {
        biased;
        status = process.wait() => Err(Some(status)),
        served = timeout(patience, serves(ready, ports.grpc, pid)) => served.map_err(|_| None),
    };
    match outcome {
        Ok(()) => {}
        Err(Some(status)) => return Err(process.failed(status)),
        Err(None) => {
            process.kill().await;
            return Err(process.silent(patience));
        }
    }
    let took = begin.elapsed().as_secs_f32();
    let ui = ports
        .ui
        .map(|ui| format!(", web UI http://{ui}"))
        .unwrap_or_default();
    progress(&format!(
        "Temporal serves on {} after {took:.1} s{ui}",
        ports.grpc
    ));
    Ok((process, ports))
}

/// Returns once `ready` is true and it is our child who answers.
async fn serves<R, F>(ready: &R, address: SocketAddr, pid: Option<u32>)
where
    R: Fn(SocketAddr) -> F,
    F: Future<Output = bool>,
{
    while !timeout(PROBE_TIMEOUT, ready(address))
        .await
        .unwrap_or(false)
    {
        sleep(PROBE_INTERVAL).await;
    }
    // Two dev servers that start at once may both have seen the port free; the loser's probe is
    // then answered by the winner, shortly before or after the loser dies of it.
    let answered = Instant::now();
    while !pid.is_some_and(|pid| port::listens(pid, address)) && answered.elapsed() < SETTLE {
        sleep(PROBE_INTERVAL).await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_data_directory_in_use_is_told_before_a_missing_cli() {
        let dir = tempfile::tempdir().unwrap();
        let settings = DevServerSettings {
            cli: Some(dir.path().join("nothing")),
            lock_patience: Duration::ZERO,
            ..DevServerSettings::new(dir.path())
        };
        let start = async || DevServer::start(&settings, |_| {}, async |_| true).await;
        let server = DataLock::acquire(dir.path(), Duration::ZERO, &|_| {}).await;
        let refused = start().await.unwrap_err();
        assert!(matches!(refused, DevServerError::InUse { .. }), "{refused}");
        drop(server);
        let refused = start().await.unwrap_err();
        assert!(
            matches!(refused, DevServerError::CliUnusable { .. }),
            "{refused}"
        );
    }
}
