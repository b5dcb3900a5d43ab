//! Settings of the start of new orders.

use clap::{Args, value_parser};
use std::time::Duration;

/// How new orders are handed to Temporal.
#[derive(Args, Clone, Debug)]
pub struct StartSettings {
    /// How long PlaceOrder waits for Temporal once the order is stored; at most 1h. After that it
    /// answers without a run, and the order is started as soon as Temporal answers.
    #[arg(
        long,
        env = "ORDERS_START_WAIT",
        value_name = "DURATION",
        default_value = "250ms",
        value_parser = start_wait
    )]
    pub start_wait: Duration,

    /// How many orders may be stored and not yet started while Temporal does not answer; more are
    /// refused with UNAVAILABLE before anything is stored.
    #[arg(
        long,
        env = "ORDERS_MAX_UNSTARTED",
        value_name = "COUNT",
        default_value_t = 10_000,
        value_parser = value_parser!(u32).range(1..)
    )]
    pub max_unstarted: u32,
}

/// No call lasts longer than this.
const START_WAIT_MOST: Duration = Duration::from_secs(3600);

fn start_wait(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time > START_WAIT_MOST {
        return Err("must be at most 1h".to_owned());
    }
    Ok(time)
}
