//! The limits, as hyper and the accept loop know them.

use crate::{accept::Limits, layer::WebOrigins, settings::LimitSettings};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

/// How often TCP asks before it gives a connection up.
const PROBES: u32 = 3;

/// Headers up to this many times the limit are read, so that their call can be answered with an
/// error; more than four times that end the connection.
const HEADERS_READ: u32 = 3;

/// How much of an answer HTTP/2 holds for a stream beside what the client lets it send.
const SEND_BUFFER: usize = 64 * 1024;

/// The HTTP server with its limits.
pub(super) fn http(limits: &LimitSettings, origins: &WebOrigins) -> Builder<TokioExecutor> {
    let connections = &limits.connections;
    let mut builder = Builder::new(TokioExecutor::new());
    // gRPC-Web comes by HTTP/1 from browsers that do not speak HTTP/2 without TLS.
    if !origins.any() {
        builder = builder.http2_only();
    }
    let resets = connections.max_pending_resets as usize;
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(unless_zero(limits.keepalive_interval))
        .keep_alive_timeout(limits.keepalive_timeout)
        .max_concurrent_streams(limits.max_concurrent_streams)
        .max_pending_accept_reset_streams(resets)
        .max_local_error_reset_streams(resets)
        .max_header_list_size(connections.max_header_bytes.saturating_mul(HEADERS_READ))
        .max_send_buf_size(SEND_BUFFER);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(connections.first_bytes_timeout);
    builder
}

/// The limits of the accept loop.
pub(super) fn accept(limits: &LimitSettings, max_watches: u32) -> Limits {
    let connections = &limits.connections;
    Limits {
        connections: u64::from(connections.max_connections),
        connections_of_address: u64::from(connections.max_connections_per_address),
        first_bytes: connections.first_bytes_timeout,
        idle: connections.max_connection_idle,
        write: connections.write_timeout,
        age: limits.max_connection_age,
        calls: limits.max_concurrent_requests,
        watches: max_watches,
        lists: connections.max_concurrent_lists,
        cancels: connections.max_cancelled_calls,
        buffered: connections.max_buffered_bytes,
    }
}

/// The connections. TCP's own keepalive finds the clients of HTTP/1 that are gone without a word,
/// which HTTP/2's pings do not reach: browsers that fell asleep over a watch.
pub(super) fn incoming(listener: TcpListener, limits: &LimitSettings) -> TcpIncoming {
    let interval = unless_zero(limits.keepalive_interval);
    TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(interval)
        .with_keepalive_interval(interval.map(|_| limits.keepalive_timeout))
        .with_keepalive_retries(interval.map(|_| PROBES))
}

/// Zero is never.
fn unless_zero(time: Duration) -> Option<Duration> {
    Some(time).filter(|time| !time.is_zero())
}
