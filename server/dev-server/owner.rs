//! The processes that have a data directory, as its lock file names them.

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use std::{fmt, path::Path, process::Command};

/// The server that holds the lock, and its Temporal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    server: Option<Pid>,
    temporal: Option<Pid>,
}

impl Owner {
    /// This process, which has started no Temporal yet.
    pub(crate) fn server() -> Owner {
        Owner {
            server: Some(Pid::this()),
            temporal: None,
        }
    }

    /// The same with its Temporal.
    pub(crate) fn with_temporal(self, pid: Option<u32>) -> Owner {
        let temporal = pid.and_then(|pid| i32::try_from(pid).ok());
        Owner {
            temporal: temporal.map(Pid::from_raw),
            ..self
        }
    }

    /// The owner that the lock file names. What cannot be read is unknown.
    pub(crate) fn read(path: &Path) -> Owner {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut pids = text.split_whitespace().map(|word| {
            // 0 and below would mean whole groups of processes.
            let pid = word.parse::<i32>().ok().filter(|pid| *pid > 0);
            pid.map(Pid::from_raw)
        });
        Owner {
            server: pids.next().flatten(),
            temporal: pids.next().flatten(),
        }
    }

    /// What the lock file holds.
    pub(crate) fn to_line(self) -> String {
        let pids = [self.server, self.temporal];
        let pids = pids.into_iter().flatten().map(|pid| pid.to_string());
        pids.collect::<Vec<_>>().join(" ")
    }

    /// The Temporal of a server that is dead, if it still runs.
    ///
    /// The number alone proves nothing, since the system gives it to another process later; so the
    /// process must also look like a dev server.
    pub(crate) fn orphan(&self) -> Option<Pid> {
        let server_is_dead = !runs(self.server?);
        self.temporal
            .filter(|pid| server_is_dead && runs(*pid) && is_dev_server(*pid))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.server.filter(|pid| runs(*pid));
        let temporal = self.temporal.filter(|pid| runs(*pid));
        match (server, temporal) {
            (Some(pid), _) => write!(f, "another `orders serve` (process {pid})"),
            (None, Some(pid)) => {
                write!(f, "the Temporal of another `orders serve` (process {pid})")
            }
            (None, None) => write!(f, "another `orders serve`"),
        }
    }
}

fn runs(pid: Pid) -> bool {
    !matches!(kill(pid, None), Err(Errno::ESRCH))
}

/// `ps` is asked since it is on every system; `/proc` is not.
fn is_dev_server(pid: Pid) -> bool {
    let ps = Command::new("ps")
        .args(["-o", "command=", "-p", &pid.to_string()])
        .output();
    ps.is_ok_and(|output| {
        let command = String::from_utf8_lossy(&output.stdout);
        command.contains(" server start-dev ") && command.contains(crate::process::DATABASE)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        for owner in [
            Owner::default(),
            Owner::server(),
            Owner::server().with_temporal(Some(7)),
        ] {
            std::fs::write(&path, owner.to_line()).unwrap();
            assert_eq!(Owner::read(&path), owner);
        }
        for line in ["0 0", "-1 -1", "x y"] {
            std::fs::write(&path, line).unwrap();
            assert_eq!(Owner::read(&path), Owner::default(), "{line}");
        }
    }

    #[test]
    fn another_process_that_got_the_number_is_no_orphan() {
        let mut gone = Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        let dead = i32::try_from(gone.id()).unwrap();
        let mut other = Command::new("sleep").arg("60").spawn().unwrap();
        let owner = Owner {
            server: Some(Pid::from_raw(dead)),
            temporal: None,
        };
        assert_eq!(owner.with_temporal(Some(other.id())).orphan(), None);
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
