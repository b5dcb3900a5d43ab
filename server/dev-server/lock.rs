//! One dev server per data directory.
//!
//! The lock belongs to the open file, and the child inherits that as its standard input: it is
//! free only when parent *and* child are gone. So a server that starts after a crash waits for what
//! was left behind, and never meets it on the same database.
//!
//! Where a child does not die with its parent (anywhere but on Linux), a `kill -9` of the server
//! leaves its Temporal running, and the lock held. The lock file names both processes, so the next
//! server finds the orphan and stops it.

use crate::{
    error::{DevServerError, system},
    owner::Owner,
};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::time::{Instant, sleep};

const FILE: &str = "temporal.lock";

/// An orphan that does not stop when asked is killed this long before the wait ends.
const KILL_BEFORE_END: Duration = Duration::from_secs(2);

/// Between two tries.
const INTERVAL: Duration = Duration::from_millis(50);

/// The right to use a data directory.
#[derive(Debug)]
pub(crate) struct DataLock {
    file: File,
    path: PathBuf,
}

impl DataLock {
    /// Waits at most `patience` for others to leave.
    pub(crate) async fn acquire(
        data_dir: &Path,
        patience: Duration,
        progress: &impl Fn(&str),
    ) -> Result<DataLock, DevServerError> {
        let path = data_dir.join(FILE);
        let failed = || system(format!("the lock file {} cannot be used", path.display()));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed())?;
        let end = Instant::now() + patience;
        let mut told = false;
        let mut orphan = None;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < end => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(DevServerError::InUse {
                        path: data_dir.to_owned(),
                        holder: Owner::read(&path).to_string(),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed()(error)),
            }
            if !told {
                let owner = Owner::read(&path);
                orphan = owner.orphan();
                progress(&match orphan {
                    Some(pid) => format!(
                        "stopping Temporal (process {pid}), which a dead server left behind"
                    ),
                    None => format!("waiting for {owner} to let go of {}", data_dir.display()),
                });
                told = true;
                stop_group(orphan, Signal::SIGTERM);
            } else if orphan.is_some() && Instant::now() + KILL_BEFORE_END >= end {
                stop_group(orphan.take(), Signal::SIGKILL);
            }
            sleep(INTERVAL).await;
        }
        let lock = DataLock { file, path };
        lock.note(Owner::server());
        Ok(lock)
    }

    /// Notes the child, so that a later server can stop it should it outlive us.
    pub(crate) fn note_child(&self, pid: Option<u32>) {
        self.note(Owner::server().with_temporal(pid));
    }

    fn note(&self, owner: Owner) {
        // Without it the next server's error message says less.
        if let Err(error) = std::fs::write(&self.path, owner.to_line()) {
            tracing::debug!(%error, "the lock file cannot be written");
        }
    }

    /// For the child's standard input, of which it reads nothing. (Any other descriptor would have
    /// to be opened to all children, or between fork and exec.)
    pub(crate) fn for_child(&self) -> Result<Stdio, DevServerError> {
        let file = self.file.try_clone().map_err(system("the lock file"))?;
        Ok(Stdio::from(file))
    }
}

/// Signals the orphan's whole group, of which it is the leader: the CLI may be a script.
fn stop_group(pid: Option<Pid>, signal: Signal) {
    if let Some(pid) = pid
        && let Err(error) = killpg(pid, signal)
    {
        tracing::debug!(%error, %pid, "the Temporal that was left behind is gone");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::process::Command;

    const SHORT: Duration = Duration::from_millis(100);

    #[tokio::test]
    async fn a_child_that_lives_on_keeps_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let lock = DataLock::acquire(dir.path(), SHORT, &|_| {}).await.unwrap();
        let mut child = Command::new("sleep")
            .arg("60")
            .stdin(lock.for_child().unwrap())
            .spawn()
            .unwrap();
        drop(lock);
        let refused = DataLock::acquire(dir.path(), SHORT, &|_| {})
            .await
            .unwrap_err();
        let text = refused.to_string();
        assert!(
            text.contains(&format!("process {}", std::process::id())),
            "{text}"
        );
        child.kill().unwrap();
        child.wait().unwrap();
        DataLock::acquire(dir.path(), SHORT, &|_| {}).await.unwrap();
    }

    #[tokio::test]
    async fn it_waits_for_one_who_is_leaving_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataLock::acquire(dir.path(), SHORT, &|_| {}).await.unwrap();
        tokio::spawn(async move {
            sleep(Duration::from_millis(300)).await;
            drop(first);
        });
        let said = std::cell::RefCell::new(Vec::new());
        let progress = |line: &str| said.borrow_mut().push(line.to_owned());
        DataLock::acquire(dir.path(), Duration::from_secs(10), &progress)
            .await
            .unwrap();
        assert_eq!(said.borrow().len(), 1, "{said:?}");
    }
}
