//! A way for tests to kill the process at the worst moment: right after something was done, before
//! it is written down that it was. Off unless the environment asks for it, and loud when it does.

use std::sync::OnceLock;

/// The environment variable that names what the process aborts after: the commit of an activity
/// (its name), or the sending of a message (`message_sent`).
pub const ABORT_AFTER: &str = "ORDERS_TEST_ABORT_AFTER";

/// The receiver has a message, and that is not recorded here yet.
pub(crate) const MESSAGE_SENT: &str = "message_sent";

/// Aborts the process when the environment asks for it at this point.
pub(crate) fn after_commit(point: &str) {
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| std::env::var(ABORT_AFTER).ok());
    if chosen.as_deref() == Some(point) {
        tracing::error!("{ABORT_AFTER}={point}: aborting");
        std::process::abort();
    }
}
