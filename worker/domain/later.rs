//! Arithmetic with times.

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Returns the time `wait` after `time`, or the last representable time if that is earlier.
pub fn later(time: Timestamp, wait: Duration) -> Timestamp {
    time.saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}
