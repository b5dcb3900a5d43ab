//! Ways for tests to break the process: to kill it at the worst moment, right after something was done
//! and before it is written down that it was; and to stand in for a build with a bug. Off unless the
//! environment asks for them, and loud when it does.

use std::sync::OnceLock;

/// The environment variable that names what the process aborts after: the commit of an activity
/// (its name), or the sending of a message (`message_sent`).
pub const ABORT_AFTER: &str = "ORDERS_TEST_ABORT_AFTER";

/// The environment variable that names the activities that panic before their commit, separated by
/// commas.
pub const BROKEN_STEP: &str = "ORDERS_TEST_BROKEN_STEP";

/// The receiver has a message, and that is not recorded here yet.
pub(crate) const MESSAGE_SENT: &str = "message_sent";

/// Panics when the environment asks for it at this activity: the provider has done its work, and
/// the transaction that holds it is rolled back.
pub(super) fn before_commit(point: &str, order_id: &str) {
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var(BROKEN_STEP).ok());
    let mut broken = chosen.iter().flat_map(|names| names.split(','));
    if broken.any(|name| name.trim() == point) {
        tracing::error!(order_id, "{BROKEN_STEP}={point}: panicking");
        panic!("{BROKEN_STEP}: {point} is broken");
    }
}

/// Aborts the process when the environment asks for it at this point.
pub(crate) fn after_commit(point: &str) {
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var(ABORT_AFTER).ok());
    if chosen.as_deref() == Some(point) {
        tracing::error!("{ABORT_AFTER}={point}: aborting");
        std::process::abort();
    }
}
