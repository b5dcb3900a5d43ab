//! The certificates of the client, and the reasons for which TLS fails.

use clap::Args;
use orders::{endpoint::ClientTls, pem::PemFile};
use std::{error::Error, io, path::PathBuf};

/// The certificates that the client trusts and shows. The variables differ from those of `serve`: in the
/// environment of a server, a client must not show the server's certificate as its own.
#[derive(Args, Clone, Debug, Default)]
pub struct TlsOptions {
    /// The CA that the server's certificate must come from, a PEM file [default: those that the system
    /// trusts].
    #[arg(
        long,
        env = "ORDERS_CLI_TLS_CA",
        value_name = "FILE",
        help_heading = "Server"
    )]
    tls_ca: Option<PathBuf>,

    /// The client's own certificate, a PEM file, for a server that asks for one.
    #[arg(
        long,
        env = "ORDERS_CLI_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key",
        help_heading = "Server"
    )]
    tls_cert: Option<PathBuf>,

    /// The key of --tls-cert, a PEM file.
    #[arg(
        long,
        env = "ORDERS_CLI_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert",
        help_heading = "Server"
    )]
    tls_key: Option<PathBuf>,
}

impl TlsOptions {
    /// Returns the files.
    pub fn files(&self) -> ClientTls {
        let file = |flag, path: &Option<PathBuf>| Some(PemFile::new(flag, path.as_deref()?));
        ClientTls {
            ca: file("--tls-ca", &self.tls_ca),
            certificate: file("--tls-cert", &self.tls_cert).zip(file("--tls-key", &self.tls_key)),
        }
    }
}

/// Part of the error of a TLS library whose peer does not speak TLS.
const NO_TLS: &str = "InvalidContentType";

/// Returns why a connection failed in TLS, and what to do. None for other failures. It does not help to try
/// again after these.
pub fn refusal(error: &(dyn Error + 'static), is_tls: bool) -> Option<String> {
    let causes = causes(error);
    if !is_tls {
        let wants_tls = causes.iter().any(|cause| is_inadequate(*cause));
        return wants_tls.then(|| "it speaks TLS: use https:// instead of http://".to_owned());
    }
    let texts: Vec<String> = causes.iter().map(ToString::to_string).collect();
    let find = |part: &str| texts.iter().find(|text| text.contains(part));
    if let Some(text) = find(NO_TLS) {
        return Some(format!(
            "{text}. Does it speak TLS? If it does not, use http:// instead of https://"
        ));
    }
    if let Some(text) = find("invalid peer certificate") {
        return Some(format!(
            "{text}. If the server is the right one, name the CA of its certificate with --tls-ca"
        ));
    }
    if find("CertificateRequired").is_some() {
        return Some("it asks for a client certificate: give --tls-cert and --tls-key".to_owned());
    }
    // The other alerts: the certificate is not accepted, or the version is too old.
    find("received fatal alert").map(|text| format!("it refuses the TLS handshake: {text}"))
}

/// Whether our server ended the connection because it lacks TLS.
fn is_inadequate(cause: &(dyn Error + 'static)) -> bool {
    let reason = cause
        .downcast_ref::<h2::Error>()
        .and_then(h2::Error::reason);
    reason == Some(h2::Reason::INADEQUATE_SECURITY)
}

/// Returns an error and its causes. The chain of an `io::Error` skips the error inside, which is added here.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = vec![error];
    let mut next = Some(error);
    while let Some(error) = next {
        let held = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held as &(dyn Error + 'static)),
            None => error.source(),
        };
        causes.extend(next);
    }
    causes
}
