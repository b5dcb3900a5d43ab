//! A way for tests to kill the process at the worst moment: right after a commit, before Temporal
//! hears of it. Off unless the environment asks for it, and loud when it does.

use std::sync::OnceLock;

/// The environment variable that names the activity after whose commit the process aborts.
pub const ABORT_AFTER: &str = "ORDERS_TEST_ABORT_AFTER";

/// Aborts the process when the environment asks for it at this activity.
pub(super) fn after_commit(point: &str) {
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var(ABORT_AFTER).ok());
    if chosen.as_deref() == Some(point) {
        tracing::error!("{ABORT_AFTER}={point}: aborting");
        std::process::abort();
    }
}
