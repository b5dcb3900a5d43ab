//! What tests are made of: servers, clients, orders, and waiting with a bound.

pub mod again;
pub mod cli;
pub mod client;
pub mod commands;
pub mod delay;
pub mod flaky;
pub mod h2;
pub mod operator;
pub mod order;
pub mod payment_provider;
pub mod postgres;
pub mod process;
pub mod raw;
pub mod server;
pub mod smtp;
pub mod stand_in;
pub mod status;
pub mod supply;
pub mod temporal;
pub mod watch;
pub mod wire;

pub use cli::Cli;
pub use client::Client;
pub use delay::Delay;
pub use flaky::FlakyServer;
pub use order::{Placing, sku};
pub use payment_provider::{Manner, PaymentProvider};
pub use postgres::Postgres;
pub use server::{ServerOptions, TestServer, beside_shared, shared};
pub use stand_in::StandIn;
pub use status::Refused;
pub use temporal::{TestTemporal, TimeSkipping};
pub use wire::Wire;

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
