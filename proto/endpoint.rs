//! How a client reaches a server: its address, TLS, and noticing that it is gone.

mod tls;

pub use tls::ClientTls;

use crate::pem::PemError;
use std::{error::Error, time::Duration};
use tonic::transport::Endpoint;

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
    /// A file of the TLS settings cannot be used.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The flag names a file for TLS, but the address does not use TLS.
    #[error("{0} is for TLS, which an address with http:// does not use")]
    PlainText(&'static str),
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
/// server's certificate is checked as `tls` says.
///
/// # Errors
/// When the URL cannot be an address, or a file of `tls` cannot be used.
pub fn endpoint(
    url: &str,
    keep_alive: KeepAlive,
    tls: &ClientTls,
) -> Result<Endpoint, EndpointError> {
    let is_tls = url.starts_with("https://");
    if !is_tls && !url.starts_with("http://") {
        return Err(EndpointError::Scheme);
    }
    // A caller that names a CA must not take the answers of an unchecked server for those of the right one.
    if let Some(flag) = tls.flag().filter(|_| !is_tls) {
        return Err(EndpointError::PlainText(flag));
    }
    let mut endpoint = Endpoint::from_shared(url.to_owned())?
        .user_agent(concat!("orders/", env!("CARGO_PKG_VERSION")))?
        .http2_keep_alive_interval(keep_alive.interval)
        .keep_alive_timeout(keep_alive.timeout);
    if is_tls {
        endpoint = endpoint.tls_config(tls.config()?)?;
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::pem::PemFile;
    use std::path::Path;

    const KEEP_ALIVE: KeepAlive = KeepAlive {
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
    };

    #[test]
    fn only_addresses_of_http_are_taken() {
        for url in ["http://localhost:1", "https://orders.example.com"] {
            let endpoint = endpoint(url, KEEP_ALIVE, &ClientTls::default());
            assert!(endpoint.is_ok(), "{url}");
        }
        for (url, cause) in [
            ("localhost:1", "neither http nor https"),
            ("ftp://localhost", "neither http nor https"),
            ("http://local host", "invalid uri character"),
        ] {
            let error = endpoint(url, KEEP_ALIVE, &ClientTls::default())
                .map(drop)
                .map_err(|e| e.to_string());
            assert_eq!(error, Err(cause.to_owned()), "{url}");
        }
    }

    #[test]
    fn files_for_tls_are_read_at_once_and_never_ignored() {
        let tls = ClientTls {
            ca: Some(PemFile::new("--tls-ca", Path::new("/nowhere/ca.pem"))),
            certificate: None,
        };
        for (url, part) in [
            ("https://localhost:1", "--tls-ca /nowhere/ca.pem cannot"),
            ("http://localhost:1", "--tls-ca is for TLS"),
        ] {
            let error = endpoint(url, KEEP_ALIVE, &tls).unwrap_err().to_string();
            assert!(error.starts_with(part), "{error}");
        }
    }
}
