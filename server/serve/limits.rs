//! The limits, as tonic knows them.

use crate::{layer::WebOrigins, settings::LimitSettings};
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

/// How often TCP asks before it gives a connection up.
const PROBES: u32 = 3;

/// A server with its limits, to be given layers and services.
pub(super) fn server(limits: &LimitSettings, origins: &WebOrigins) -> Server {
    // Zero is never.
    let unless_zero = |time: Duration| Some(time).filter(|time| !time.is_zero());
    let server = Server::builder()
        // gRPC-Web comes by HTTP/1 from browsers that do not speak HTTP/2 without TLS.
        .accept_http1(origins.any())
        .http2_keepalive_interval(unless_zero(limits.keepalive_interval))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
        .max_concurrent_streams(Some(limits.max_concurrent_streams));
    // No max_connection_age_grace: with it tonic leaves out the GOAWAY and cuts the calls under way.
    match unless_zero(limits.max_connection_age) {
        Some(age) => server.max_connection_age(age),
        None => server,
    }
}

/// The connections. TCP's own keepalive finds the clients of HTTP/1 that are gone without a word,
/// which HTTP/2's pings do not reach: browsers that fell asleep over a watch.
pub(super) fn incoming(listener: TcpListener, limits: &LimitSettings) -> TcpIncoming {
    let interval = Some(limits.keepalive_interval).filter(|time| !time.is_zero());
    TcpIncoming::from(listener)
        .with_nodelay(Some(true))
        .with_keepalive(interval)
        .with_keepalive_interval(interval.map(|_| limits.keepalive_timeout))
        .with_keepalive_retries(interval.map(|_| PROBES))
}
