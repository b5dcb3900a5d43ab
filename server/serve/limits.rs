//! The limits, as tonic knows them.

use crate::{layer::WebOrigins, settings::LimitSettings};
use std::time::Duration;
use tonic::transport::Server;

/// A server with its limits, to be given layers and services.
pub(super) fn server(limits: &LimitSettings, origins: &WebOrigins) -> Server {
    // Zero is never.
    let unless_zero = |time: Duration| Some(time).filter(|time| !time.is_zero());
    let server = Server::builder()
        .tcp_nodelay(true)
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
