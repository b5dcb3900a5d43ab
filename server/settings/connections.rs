//! Settings of connections: how many, for how long, and how much each may hold.

use super::limits::above_zero;
use clap::{Args, value_parser};
use ipnet::IpNet;
use std::{net::IpAddr, time::Duration};

/// How many connections there may be, and how much they may hold.
#[derive(Args, Clone, Debug)]
pub struct ConnectionSettings {
    /// How many connections may be open. At the limit, one that does nothing is closed for a new one;
    /// if all have open calls, the new one is refused. The limit of open files may lower it.
    #[arg(
        long,
        env = "ORDERS_MAX_CONNECTIONS",
        value_name = "COUNT",
        default_value_t = 4096,
        value_parser = value_parser!(u32).range(1..),
        help_heading = "Limits"
    )]
    pub max_connections: u32,

    /// The same for the connections of one address (of IPv6: one network of 64 bits); at most three
    /// quarters of all.
    #[arg(
        long,
        env = "ORDERS_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "COUNT",
        default_value_t = 1024,
        value_parser = value_parser!(u32).range(1..),
        help_heading = "Limits"
    )]
    pub max_connections_per_address: u32,

    /// A proxy or load balancer, as `10.0.0.0/8`: exempt from the limits per address, and may name the
    /// client by PROXY protocol version 2 or `X-Forwarded-For`. May be given more than once.
    #[arg(
        long = "trusted-proxy",
        env = "ORDERS_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ',',
        value_parser = network,
        help_heading = "Limits"
    )]
    pub trusted_proxies: Vec<IpNet>,

    /// How long a new connection may take to begin with HTTP/2, or to send a request, with its TLS handshake.
    #[arg(
        long,
        env = "ORDERS_FIRST_BYTES_TIMEOUT",
        value_name = "DURATION",
        default_value = "10s",
        value_parser = above_zero,
        help_heading = "Limits"
    )]
    pub first_bytes_timeout: Duration,

    /// After this time without an open call a connection is ended (HTTP/2 GOAWAY); `0s` never.
    #[arg(
        long,
        env = "ORDERS_MAX_CONNECTION_IDLE",
        value_name = "DURATION",
        default_value = "5m",
        value_parser = humantime::parse_duration,
        help_heading = "Limits"
    )]
    pub max_connection_idle: Duration,

    /// How long a client may take nothing of an answer before its connection is closed. Watches may
    /// wait longer.
    #[arg(
        long,
        env = "ORDERS_WRITE_TIMEOUT",
        value_name = "DURATION",
        default_value = "30s",
        value_parser = above_zero,
        help_heading = "Limits"
    )]
    pub write_timeout: Duration,

    /// How long a client may take to send a request, once it has begun.
    #[arg(
        long,
        env = "ORDERS_MAX_REQUEST_TIME",
        value_name = "DURATION",
        default_value = "5s",
        value_parser = above_zero,
        help_heading = "Limits"
    )]
    pub max_request_time: Duration,

    /// The largest metadata of a call, in bytes, as HTTP/2 counts them. More is refused for that call;
    /// more than three times as much may end the connection.
    #[arg(
        long,
        env = "ORDERS_MAX_HEADER_BYTES",
        value_name = "BYTES",
        default_value_t = 32 * 1024,
        value_parser = value_parser!(u32).range(4096..=1024 * 1024),
        help_heading = "Limits"
    )]
    pub max_header_bytes: u32,

    /// How many cancelled calls may wait on one connection to be seen by the server. More at once end
    /// the connection (HTTP/2 GOAWAY too_many_resets).
    #[arg(
        long,
        env = "ORDERS_MAX_PENDING_RESETS",
        value_name = "COUNT",
        default_value_t = 4000,
        help_heading = "Limits"
    )]
    pub max_pending_resets: u32,

    /// How many calls of one address may be cancelled in a second. While there are more, its connections
    /// that cancel calls are read more slowly; the others are not.
    #[arg(
        long,
        env = "ORDERS_MAX_CANCELLED_CALLS",
        value_name = "COUNT",
        default_value_t = 1000,
        value_parser = value_parser!(u32).range(1..),
        help_heading = "Limits"
    )]
    pub max_cancelled_calls: u32,

    /// How many bytes of requests are held at a time, and as many of answers that are not written yet.
    #[arg(
        long,
        env = "ORDERS_MAX_BUFFERED_BYTES",
        value_name = "BYTES",
        default_value_t = 64 * 1024 * 1024,
        value_parser = value_parser!(u64).range(8 * 1024 * 1024..),
        help_heading = "Limits"
    )]
    pub max_buffered_bytes: u64,

    /// How many lists are read at a time; others wait for their turn.
    #[arg(
        long,
        env = "ORDERS_MAX_CONCURRENT_LISTS",
        value_name = "COUNT",
        default_value_t = 4,
        value_parser = value_parser!(u32).range(1..),
        help_heading = "Limits"
    )]
    pub max_concurrent_lists: u32,

    /// How long a watch may be silent: then it sends an answer without an event, so that proxies keep
    /// it open. `0s` never.
    #[arg(
        long,
        env = "ORDERS_WATCH_HEARTBEAT",
        value_name = "DURATION",
        default_value = "15s",
        value_parser = humantime::parse_duration,
        help_heading = "Limits"
    )]
    pub watch_heartbeat: Duration,
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
    let network = text.parse::<IpNet>().ok().or_else(address);
    let wrong = || format!("give an address or a network, as 10.0.0.0/8, not {text}");
    network.map(|network| network.trunc()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        let read = |text: &str| network(text).map(|network| network.to_string());
        assert_eq!(read("10.1.2.3/8").unwrap(), "10.0.0.0/8");
        assert_eq!(read("127.0.0.1").unwrap(), "127.0.0.1/32");
        assert_eq!(read("fd00::1/8").unwrap(), "fd00::/8");
        assert_eq!(read("::1").unwrap(), "::1/128");
        for wrong in ["", "10.0.0.0/33", "proxy.example", "10.0.0"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
