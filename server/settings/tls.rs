//! The settings of TLS on the port.

use crate::accept::TlsFiles;
use clap::Args;
use orders::pem::PemFile;
use std::path::PathBuf;

/// The certificates of the port. Without them the port speaks plain text, with them only TLS.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
pub struct TlsSettings {
    /// Turns TLS (1.2 and newer) on: the certificate of the port, a PEM file, followed by those between it
    /// and its CA. It is read again when it changes, and on SIGHUP.
    #[arg(
        long,
        env = "ORDERS_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key",
        help_heading = "TLS"
    )]
    pub tls_cert: Option<PathBuf>,

    /// The key of --tls-cert, a PEM file without a password.
    #[arg(
        long,
        env = "ORDERS_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert",
        help_heading = "TLS"
    )]
    pub tls_key: Option<PathBuf>,

    /// Admit only clients with a certificate of one of the CAs in this PEM file (mTLS).
    #[arg(
        long,
        env = "ORDERS_TLS_CLIENT_CA",
        value_name = "FILE",
        requires = "tls_cert",
        help_heading = "TLS"
    )]
    pub tls_client_ca: Option<PathBuf>,
}

impl TlsSettings {
    /// Returns the files; none if the port speaks plain text. `http1` offers HTTP/1.1 to clients.
    pub fn files(&self, http1: bool) -> Option<TlsFiles> {
        let file = |flag, path: &Option<PathBuf>| Some(PemFile::new(flag, path.as_deref()?));
        Some(TlsFiles {
            certificate: file("--tls-cert", &self.tls_cert)?,
            key: file("--tls-key", &self.tls_key)?,
            client_ca: file("--tls-client-ca", &self.tls_client_ca),
            http1,
        })
    }
}
