//! One dev server per data directory.
//!
//! The lock belongs to the open file, and the child inherits that as its standard input: it is
//! free only when parent *and* child are gone. So whoever starts after a crash waits for what was
//! left behind, and never meets it on the same database.

use super::error::{DevServerError, system};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::Stdio,
    time::Duration,
};
use tokio::time::{Instant, sleep};

const FILE: &str = "temporal.lock";

/// Between two tries.
const INTERVAL: Duration = Duration::from_millis(50);

/// The right to use a data directory.
#[derive(Debug)]
pub(super) struct DataLock(File);

impl DataLock {
    /// Waits at most `patience` for others to leave.
    pub(super) async fn acquire(
        data_dir: &Path,
        patience: Duration,
        progress: &impl Fn(&str),
    ) -> Result<DataLock, DevServerError> {
        let path = data_dir.join(FILE);
        let failed = || system(format!("the lock file {} cannot be used", path.display()));
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed())?;
        let end = Instant::now() + patience;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < end => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(DevServerError::InUse {
                        path: data_dir.to_owned(),
                        holder: holder(&path),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed()(error)),
            }
            if !told {
                progress(&format!(
                    "waiting for {} to let go of {}",
                    holder(&path),
                    data_dir.display()
                ));
                told = true;
            }
            sleep(INTERVAL).await;
        }
        // Only words for the next one's error message: that they are missing is no failure.
        let _ = file
            .set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(DataLock(file))
    }

    /// For the child's standard input, of which it reads nothing. (Any other descriptor would have
    /// to be opened to all children, or between fork and exec.)
    pub(super) fn for_child(&self) -> Result<Stdio, DevServerError> {
        let file = self.0.try_clone().map_err(system("the lock file"))?;
        Ok(Stdio::from(file))
    }
}

fn holder(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    match text.trim().parse::<u32>() {
        Ok(pid) => format!("another `orders serve` (process {pid}) or its Temporal"),
        Err(_) => "another `orders serve`".to_owned(),
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
