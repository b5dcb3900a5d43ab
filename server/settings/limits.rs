//! Limits: how much callers may ask of one process.

use super::ConnectionSettings;
use clap::{Args, value_parser};
use std::time::Duration;

/// How much callers may ask of one process.
#[derive(Args, Clone, Debug)]
pub struct LimitSettings {
    /// The largest request message, in bytes, compressed or not.
    #[arg(
        long,
        env = "ORDERS_MAX_REQUEST_BYTES",
        value_name = "BYTES",
        default_value_t = 1024 * 1024,
        value_parser = value_parser!(u32).range(1024..=64 * 1024 * 1024),
        help_heading = "Limits"
    )]
    pub max_request_bytes: u32,

    /// How many unary calls are worked on at a time, from when their request is there until their
    /// answer is written; more are refused at once with RESOURCE_EXHAUSTED. Three quarters of it may be
    /// changes, a quarter lists. One connection or address has at most four times what is free.
    #[arg(
        long,
        env = "ORDERS_MAX_CONCURRENT_REQUESTS",
        value_name = "COUNT",
        default_value_t = 512,
        value_parser = value_parser!(u32).range(1..=100_000),
        help_heading = "Limits"
    )]
    pub max_concurrent_requests: u32,

    /// How long a unary call may take, whatever its caller allows.
    #[arg(
        long,
        env = "ORDERS_MAX_CALL_TIME",
        value_name = "DURATION",
        default_value = "60s",
        value_parser = call_time,
        help_heading = "Limits"
    )]
    pub max_call_time: Duration,

    /// How many calls, watches among them, may be open on one connection.
    #[arg(
        long,
        env = "ORDERS_MAX_CONCURRENT_STREAMS",
        value_name = "COUNT",
        default_value_t = 1_000,
        value_parser = value_parser!(u32).range(1..),
        help_heading = "Limits"
    )]
    pub max_concurrent_streams: u32,

    /// How often a connection is asked whether its client still lives (HTTP/2 ping); `0s` never.
    #[arg(
        long,
        env = "ORDERS_KEEPALIVE_INTERVAL",
        value_name = "DURATION",
        default_value = "30s",
        value_parser = humantime::parse_duration,
        help_heading = "Limits"
    )]
    pub keepalive_interval: Duration,

    /// How long a client may take to answer that, before its connection is closed. As gRPC has it: a
    /// machine may be busy for ten seconds.
    #[arg(
        long,
        env = "ORDERS_KEEPALIVE_TIMEOUT",
        value_name = "DURATION",
        default_value = "20s",
        value_parser = above_zero,
        help_heading = "Limits"
    )]
    pub keepalive_timeout: Duration,

    /// After this time a connection takes no new calls (HTTP/2 GOAWAY), so that its client connects
    /// anew; the calls that are open on it go on to their end. `0s` never.
    #[arg(
        long,
        env = "ORDERS_MAX_CONNECTION_AGE",
        value_name = "DURATION",
        default_value = "1h",
        value_parser = humantime::parse_duration,
        help_heading = "Limits"
    )]
    pub max_connection_age: Duration,

    /// Connections.
    #[command(flatten)]
    pub connections: ConnectionSettings,
}

pub(super) fn above_zero(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be above zero".to_owned()),
        read => read.map_err(|error| error.to_string()),
    }
}

/// Longer calls than this are watches.
const CALL_TIME_MOST: Duration = Duration::from_secs(3600);

fn call_time(text: &str) -> Result<Duration, String> {
    match above_zero(text)? {
        time if time <= CALL_TIME_MOST => Ok(time),
        _ => Err("must be at most 1h".to_owned()),
    }
}
