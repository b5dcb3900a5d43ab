//! Settings of `replay`.

use clap::Args;
use std::time::Duration;

/// Settings of `replay`.
#[derive(Args, Debug)]
pub struct ReplaySettings {
    /// Temporal's address [default: TEMPORAL_ADDRESS, or that of a temporal.toml].
    #[arg(long, env = "ORDERS_TEMPORAL_ADDRESS", value_name = "HOST:PORT")]
    pub temporal_address: Option<String>,

    /// Temporal's namespace [default: TEMPORAL_NAMESPACE, or `default`].
    #[arg(long, env = "ORDERS_NAMESPACE")]
    pub namespace: Option<String>,

    /// The task queue that orders run on; their shipping lanes run on this with `-shipping` behind it.
    #[arg(long, env = "ORDERS_TASK_QUEUE", default_value = "orders")]
    pub task_queue: String,

    /// Look at no more than so many histories; those of open orders come first.
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<usize>,

    /// Beside those of open orders, look at the histories of orders that closed since then, as in `1h` or
    /// `7days`; `0s` for none.
    #[arg(long, default_value = "1day", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub closed_since: Duration,
}
