//! How many files the process may have open: each connection is one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The part of the limit that is kept for databases, Temporal and log files: one in this many.
const KEPT: u64 = 4;

/// The least and the most that are kept.
const KEPT_LEAST: u64 = 80;
const KEPT_MOST: u64 = 512;

/// Raises the limit of open files as far as the system lets the process. Returns the limit.
pub fn raise_limit() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return u64::MAX;
    };
    if soft >= hard {
        return soft;
    }
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(error) => {
            tracing::warn!(soft, hard, %error, "the limit of open files cannot be raised");
            soft
        }
    }
}

/// How many of these may be connections.
pub fn for_connections(limit: u64) -> u64 {
    let kept = (limit / KEPT).clamp(KEPT_LEAST, KEPT_MOST);
    limit.saturating_sub(kept).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_kept_for_the_rest_of_the_process() {
        for (limit, connections) in [
            (64, 1),
            (256, 176),
            (1_024, 768),
            (1 << 20, (1 << 20) - 512),
        ] {
            assert_eq!(for_connections(limit), connections, "{limit}");
        }
        assert!(raise_limit() >= 64);
    }
}
