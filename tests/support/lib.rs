//! Building blocks of tests and benchmarks.
//!
//! Without features there are only a PostgreSQL ([`Postgres`]) and a slow network ([`Delay`]), which the
//! tests of the store need. The feature `service` adds servers, clients, Temporals and orders.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should stop, with the line that says where"
)]

pub mod delay;
pub mod postgres;
#[cfg(feature = "service")]
mod service;

pub use delay::Delay;
pub use postgres::Postgres;
#[cfg(feature = "service")]
pub use service::*;

use std::time::Duration;

/// The longest that a test waits for anything. Long, since it proves nothing, and a machine may be slow.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Asks `look` again and again until it finds something; fails with `what` after [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "waited in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A text that no other test, and no other run of this test, uses.
pub fn unique(name: &str) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{count}", std::process::id())
}
