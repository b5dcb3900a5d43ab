//! Ways for tests to break the process: to kill it at the worst moment, right after something was done
//! and before it is written down that it was; and to stand in for a build with a bug.
//!
//! They exist only with the cargo feature `test-hooks`. A release has none of them: an environment must not
//! be able to make a server that handles money abort.

#[cfg(feature = "test-hooks")]
mod hooks;

/// The point where a receiver has a message, and that is not recorded here yet.
pub(crate) const MESSAGE_SENT: &str = "message_sent";

/// Panics when a test asks for it at this activity: the provider has done its work, and the transaction that
/// holds it is rolled back.
#[cfg_attr(not(feature = "test-hooks"), allow(unused_variables))]
pub(super) fn before_commit(point: &str, order_id: &str) {
    #[cfg(feature = "test-hooks")]
    hooks::before_commit(point, order_id);
}

/// Aborts the process when a test asks for it at this point.
#[cfg_attr(not(feature = "test-hooks"), allow(unused_variables))]
pub(crate) fn after_commit(point: &str) {
    #[cfg(feature = "test-hooks")]
    hooks::after_commit(point);
}

/// Notes that an activity of an order begins; nothing is done yet.
#[cfg_attr(not(feature = "test-hooks"), allow(unused_variables))]
pub(super) fn begins(point: &str, order_id: &str) {
    #[cfg(feature = "test-hooks")]
    hooks::begins(point, order_id);
}
