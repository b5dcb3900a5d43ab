//! How a client reaches a server: its address, TLS, and noticing that it is gone.

use std::{error::Error, time::Duration};
use tonic::transport::{ClientTlsConfig, Endpoint};

/// How a client notices that a silent server is gone.
#[derive(Clone, Copy, Debug)]
pub struct KeepAlive {
    /// How long the server may be silent before it is pinged.
    pub interval: Duration,
    /// How long the answer to a ping may take.
    pub timeout: Duration,
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The scheme of the URL is another one, or missing.
    #[error("neither http nor https")]
    Scheme,
    /// The URL or the TLS configuration is wrong. This is the deepest cause: it says more than
    /// "transport error".
    #[error("{0}")]
    Refused(String),
}

impl From<tonic::transport::Error> for EndpointError {
    fn from(error: tonic::transport::Error) -> Self {
        let mut cause: &dyn Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Self::Refused(cause.to_string())
    }
}

/// Returns the endpoint of a server at `http://HOST:PORT` or `https://HOST:PORT`. With https, the
/// certificate is checked against the roots of the system.
///
/// # Errors
/// When the URL cannot be an address.
pub fn endpoint(url: &str, keep_alive: KeepAlive) -> Result<Endpoint, EndpointError> {
    let tls = url.starts_with("https://");
    if !tls && !url.starts_with("http://") {
        return Err(EndpointError::Scheme);
    }
    let mut endpoint = Endpoint::from_shared(url.to_owned())?
        .user_agent(concat!("orders/", env!("CARGO_PKG_VERSION")))?
        .http2_keep_alive_interval(keep_alive.interval)
        .keep_alive_timeout(keep_alive.timeout);
    if tls {
        endpoint = endpoint.tls_config(ClientTlsConfig::new().with_enabled_roots())?;
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP_ALIVE: KeepAlive = KeepAlive {
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
    };

    #[test]
    fn only_addresses_of_http_are_taken() {
        for url in ["http://localhost:1", "https://orders.example.com"] {
            assert!(endpoint(url, KEEP_ALIVE).is_ok(), "{url}");
        }
        for (url, cause) in [
            ("localhost:1", "neither http nor https"),
            ("ftp://localhost", "neither http nor https"),
            ("http://local host", "invalid uri character"),
        ] {
            let error = endpoint(url, KEEP_ALIVE)
                .map(drop)
                .map_err(|e| e.to_string());
            assert_eq!(error, Err(cause.to_owned()), "{url}");
        }
    }
}
