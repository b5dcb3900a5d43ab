//! The clock on the wall. Orders live by the workflow's clock; this one tells when something was asked
//! for from outside, what is overdue, and when a message may be tried again.

/// Returns what time it is.
#[cfg(not(feature = "test-hooks"))]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[cfg(feature = "test-hooks")]
pub use hooks::now;

#[cfg(feature = "test-hooks")]
mod hooks {
    use jiff::{SignedDuration, Timestamp};
    use std::{path::PathBuf, sync::OnceLock};

    /// The environment variable by which a test lets the clock jump: the path of a file with the milliseconds
    /// to add, read anew each time.
    const TEST_CLOCK: &str = "ORDERS_TEST_CLOCK";

    /// Returns what time it is, with what a test adds.
    pub fn now() -> Timestamp {
        static CLOCK: OnceLock<Option<PathBuf>> = OnceLock::new();
        let now = Timestamp::now();
        match CLOCK.get_or_init(|| std::env::var_os(TEST_CLOCK).map(PathBuf::from)) {
            Some(file) => jumped(now, &std::fs::read_to_string(file).unwrap_or_default()),
            None => now,
        }
    }

    fn jumped(now: Timestamp, millis: &str) -> Timestamp {
        let millis = millis.trim().parse().unwrap_or(0);
        now.saturating_add(SignedDuration::from_millis(millis))
            .unwrap_or(now)
    }
}
