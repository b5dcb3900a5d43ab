//! The child: its arguments, its ties to the parent, its log.

use crate::{
    DevServerSettings,
    error::{DevServerError, in_words, system},
    lock::DataLock,
    port::Ports,
    tuning::{PRAGMAS, dynamic_config},
};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::mpsc,
    thread,
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
    time::timeout,
};

/// Both in the data directory. SQLite would read `?` and `#` in a path as parts of a URI, so the
/// child works in that directory and gets only the name.
pub(crate) const DATABASE: &str = "temporal.db";
const LOG: &str = "temporal.log";

/// How much of the log goes into an error.
const TAIL_LINES: usize = 10;
const TAIL_BYTES: u64 = 64 * 1024;

/// A child process that dies with us.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// While this exists, the thread that started the child lives, and therefore the child may.
    _keeper: mpsc::Sender<()>,
}

impl Process {
    /// Starts the dev server.
    pub(crate) async fn spawn(
        settings: &DevServerSettings,
        cli: &Path,
        data_dir: &Path,
        lock: &DataLock,
        ports: Ports,
    ) -> Result<Process, DevServerError> {
        let log = data_dir.join(LOG);
        let output = create_log(&log).map_err(system(format!("its log {}", log.display())))?;
        let errors = output.try_clone().map_err(system("its log"))?;
        let config = dynamic_config(data_dir, DATABASE)?;
        let mut command = command(settings, cli, ports, &config);
        command
            .current_dir(data_dir)
            .stdin(lock.for_child()?)
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true);
        die_with_parent(&mut command);
        let cannot_run = format!("{} cannot be run", cli.display());
        let (child, keeper) = spawn_from_keeper(command)
            .await
            .map_err(system(cannot_run))?;
        lock.note_child(child.id());
        Ok(Process {
            child,
            log,
            _keeper: keeper,
        })
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    pub(crate) fn log_path(&self) -> &Path {
        &self.log
    }

    /// Waits for its end. Cancel-safe.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Asks it to stop, and after `patience` kills it.
    pub(crate) async fn stop(&mut self, patience: Duration) {
        self.signal(Signal::SIGTERM);
        if timeout(patience, self.child.wait()).await.is_err() {
            tracing::warn!("the Temporal dev server does not stop and is killed");
            self.kill().await;
        }
    }

    pub(crate) async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        // Waits as well.
        let _ = self.child.kill().await;
    }

    /// To its whole group: the CLI may be a script that runs the real one. Nothing happens when its
    /// end was seen already, so the number cannot mean another process.
    fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid
            && let Err(error) = killpg(Pid::from_raw(pid), signal)
        {
            tracing::debug!(%error, "the Temporal dev server is gone already");
        }
    }

    /// It ended before it served.
    pub(crate) fn failed(&self, status: io::Result<ExitStatus>) -> DevServerError {
        let log = read_end(&self.log);
        DevServerError::Failed {
            status: in_words(status),
            log: self.log.clone(),
            tail: last_lines(&log),
            port_taken: log.contains("address already in use"),
        }
    }

    /// It does not serve.
    pub(crate) fn silent(&self, patience: Duration) -> DevServerError {
        DevServerError::Silent {
            patience,
            log: self.log.clone(),
            tail: last_lines(&read_end(&self.log)),
        }
    }

    /// It ended later.
    pub(crate) fn ended(&self, status: io::Result<ExitStatus>) -> DevServerError {
        DevServerError::Ended {
            status: in_words(status),
            log: self.log.clone(),
            tail: last_lines(&read_end(&self.log)),
        }
    }
}

/// Creates the data directory for its owner only, and gives its absolute path.
pub(crate) fn make_data_dir(path: &Path) -> Result<PathBuf, DevServerError> {
    let failed = || {
        let path = path.display();
        system(format!(
            "the data directory {path} cannot be used (choose one with --data-dir)"
        ))
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed())?;
    std::path::absolute(path).map_err(failed())
}

fn command(settings: &DevServerSettings, cli: &Path, ports: Ports, config: &[&str]) -> Command {
    let mut command = Command::new(cli);
    command
        .args(["server", "start-dev", "--ip", "127.0.0.1"])
        .args(["--port", &ports.grpc.port().to_string()])
        .args(["--db-filename", DATABASE])
        .args(["--namespace", &settings.namespace])
        .args(["--log-level", "warn", "--color", "never"]);
    match ports.ui {
        Some(ui) => {
            let port = ui.port().to_string();
            command.args(["--ui-ip", "127.0.0.1", "--ui-port", &port])
        }
        None => command.arg("--headless"),
    };
    for pragma in PRAGMAS {
        command.args(["--sqlite-pragma", pragma]);
    }
    for value in config {
        command.args(["--dynamic-config-value", value]);
    }
    for (name, kind) in &settings.search_attributes {
        command
            .arg("--search-attribute")
            .arg(format!("{name}={kind}"));
    }
    // Temporal's environment configuration is about the cluster one connects to; some of it
    // (TEMPORAL_ENV) makes the CLI refuse to start.
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"TEMPORAL_") {
            command.env_remove(name);
        }
    }
    command
}

/// Starts the child from a thread that lives as long as its [`Process`]: the signal at the parent's
/// death goes by the *thread* that started the child, and tokio's threads come and go.
async fn spawn_from_keeper(mut command: Command) -> io::Result<(Child, mpsc::Sender<()>)> {
    let runtime = Handle::current();
    let (keeper, released) = mpsc::channel::<()>();
    let (answer, spawned) = oneshot::channel();
    thread::Builder::new()
        .name("temporal-keeper".to_owned())
        .spawn(move || {
            let child = {
                let _entered = runtime.enter();
                command.spawn()
            };
            // Nobody waits any more: the child is dropped, and killed by that.
            if answer.send(child).is_ok() {
                // Ends with an error when the sender is dropped.
                let _ = released.recv();
            }
        })?;
    let child = spawned.await.map_err(io::Error::other)??;
    Ok((child, keeper))
}

/// What the child does between fork and exec: it gets its own session, so that a Ctrl-C is not for
/// it (it must go on while the worker finishes), and its death when the parent dies.
#[allow(
    unsafe_code,
    reason = "pre_exec: system calls only, no memory, no locks"
)]
fn die_with_parent(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let before_exec = move || {
        nix::unistd::setsid()?;
        // Elsewhere a kill -9 of the parent leaves the child, which the next server stops.
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have died before that took hold.
        if nix::unistd::getppid() != parent {
            return Err(nix::errno::Errno::ESRCH.into());
        }
        Ok(())
    };
    // SAFETY: the closure makes four system calls, all of which signal-safety(7) or their nature
    // allow after a fork, and does not allocate.
    unsafe { command.pre_exec(before_exec) };
}

fn create_log(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// The end of the log; empty when it cannot be read.
fn read_end(path: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

fn last_lines(text: &str) -> String {
    // When it panics, its goroutines' stacks bury the reason.
    let text = text.split("\ngoroutine ").next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
