//! Turns PEM files into the configuration of handshakes. A fault in a file is found here, and not in a
//! handshake later.

use super::certificate::Dated;
use jiff::{SignedDuration, Timestamp};
use orders::pem::{PemError, PemFile, certified_key};
use std::{os::unix::fs::MetadataExt, sync::Arc};
use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::ring,
    pki_types::CertificateDer,
    server::{
        NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier,
        danger::ClientCertVerifier,
    },
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use x509_cert::der;

/// The log warns of a certificate from this time before it expires.
const WARNED: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The files of the port's certificates.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate of the port, and then those between it and its CA.
    pub certificate: PemFile,
    /// The key of the port's certificate.
    pub key: PemFile,
    /// The CAs that clients must have their certificates from; absent where clients show none.
    pub client_ca: Option<PemFile>,
    /// Whether clients are offered HTTP/1.1 beside HTTP/2.
    pub http1: bool,
}

/// Why the port cannot speak TLS with its files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds the wrong thing.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// A certificate is malformed.
    #[error("{file} holds a certificate that cannot be read: {source}")]
    Certificate {
        /// The file.
        file: PemFile,
        /// The reason of the parser.
        #[source]
        source: der::Error,
    },
    /// The certificate is too old.
    #[error("{file} has expired: {name} was valid until {until}; give a certificate that is valid")]
    Expired {
        /// The file.
        file: PemFile,
        /// The subject of the certificate.
        name: String,
        /// The last moment at which it was valid.
        until: Timestamp,
    },
    /// The certificate is for later.
    #[error(
        "{file} is not valid yet: {name} is valid from {from}; give a certificate that is valid, or \
         set the clock"
    )]
    Early {
        /// The file.
        file: PemFile,
        /// The subject of the certificate.
        name: String,
        /// The first moment at which it is valid.
        from: Timestamp,
    },
    /// The TLS library refuses the configuration.
    #[error("{file} cannot be used: {source}")]
    Refused {
        /// The file that it is about.
        file: PemFile,
        /// The reason.
        #[source]
        source: rustls::Error,
    },
    /// The TLS library refuses the CAs of clients.
    #[error("{file} cannot be used: {source}")]
    ClientCa {
        /// The file.
        file: PemFile,
        /// The reason.
        #[source]
        source: VerifierBuilderError,
    },
}

/// The content of the files when they were read.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The configuration of handshakes.
    pub(super) config: Arc<ServerConfig>,
    /// The certificates in them. The port's own comes first.
    dated: Vec<Dated>,
    /// The state of the files just before they were read.
    pub(super) stamps: Vec<Stamp>,
}

/// The state of a file, to notice a change: device, inode, length, and the times of change. None for a file
/// that is missing.
pub(super) type Stamp = Option<(u64, u64, u64, (i64, i64), (i64, i64))>;

impl TlsFiles {
    /// Reads and checks the files.
    pub(super) fn load(&self) -> Result<Loaded, TlsError> {
        let (now, stamps) = (Timestamp::now(), self.stamps());
        let chain = self.certificate.certificates(&self.certificate.read()?)?;
        let key = self.key.key(&self.key.read()?)?;
        let mut dated = dated(&self.certificate, &chain)?;
        if let Some(own) = dated.first() {
            check(own, now)?;
        }
        let certified = certified_key(&self.certificate, chain, &self.key, key)?;
        let mut clients = None;
        if let Some(file) = &self.client_ca {
            let (verifier, cas) = verifier(file, now)?;
            clients = Some(verifier);
            dated.extend(cas);
        }
        Ok(Loaded {
            config: Arc::new(self.config(certified, clients)?),
            dated,
            stamps,
        })
    }

    fn config(
        &self,
        certified: CertifiedKey,
        clients: Option<Arc<dyn ClientCertVerifier>>,
    ) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13, &TLS12]);
        let builder = builder.map_err(|source| TlsError::Refused {
            file: self.certificate.clone(),
            source,
        })?;
        let asks_clients = clients.is_some();
        let builder = match clients {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let resolver = Arc::new(SingleCertAndKey::from(certified));
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols.push(b"h2".to_vec());
        if self.http1 {
            config.alpn_protocols.push(b"http/1.1".to_vec());
        }
        if asks_clients {
            // rustls does not check a client again that resumes a session, so a session would outlive
            // the certificate and its CA.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(config)
    }

    /// Returns the state of the files. It blocks, as reading them does.
    pub(super) fn stamps(&self) -> Vec<Stamp> {
        let files = [
            Some(&self.certificate),
            Some(&self.key),
            self.client_ca.as_ref(),
        ];
        let stamp = |file: &PemFile| {
            let file = std::fs::metadata(file.path()).ok()?;
            let (changed, moved) = (
                (file.mtime(), file.mtime_nsec()),
                (file.ctime(), file.ctime_nsec()),
            );
            Some((file.dev(), file.ino(), file.len(), changed, moved))
        };
        files.into_iter().flatten().map(stamp).collect()
    }
}

impl Loaded {
    /// Returns the port's own certificate.
    pub(super) fn own(&self) -> Option<&Dated> {
        self.dated.first()
    }

    /// Returns a warning for each certificate that expires soon or has expired.
    pub(super) fn warnings(&self, now: Timestamp) -> Vec<String> {
        let ends = self.dated.iter().filter(|one| now + WARNED >= one.until);
        let line = |one: &Dated| {
            let Dated {
                file, name, until, ..
            } = one;
            if now > *until {
                return format!("{file} has expired: {name} was valid until {until}; replace it");
            }
            let days = until.duration_since(now).as_hours() / 24;
            format!("{file} expires in {days} days: {name} is valid until {until}; replace it")
        };
        ends.map(line).collect()
    }
}

fn dated(file: &PemFile, certificates: &[CertificateDer<'_>]) -> Result<Vec<Dated>, TlsError> {
    let read = certificates.iter().map(|one| Dated::read(file, one));
    let read = read.collect::<der::Result<_>>();
    read.map_err(|source| TlsError::Certificate {
        file: file.clone(),
        source,
    })
}

/// Refuses a certificate that is not valid now.
fn check(one: &Dated, now: Timestamp) -> Result<(), TlsError> {
    let (file, name) = (one.file.clone(), one.name.clone());
    let Dated { from, until, .. } = *one;
    if now > until {
        return Err(TlsError::Expired { file, name, until });
    }
    if now < from {
        return Err(TlsError::Early { file, name, from });
    }
    Ok(())
}

/// Returns the verifier of client certificates, and the CAs in the file. A CA that has expired is left out,
/// since handshakes do not check the dates of a CA. One at least must be left.
fn verifier(
    file: &PemFile,
    now: Timestamp,
) -> Result<(Arc<dyn ClientCertVerifier>, Vec<Dated>), TlsError> {
    let certificates = file.certificates(&file.read()?)?;
    let all = dated(file, &certificates)?;
    let mut trusted = certificates;
    let mut is_valid = all.iter().map(|one| now <= one.until);
    trusted.retain(|_| is_valid.next().unwrap_or_default());
    if trusted.is_empty()
        && let Some(expired) = all.first()
    {
        check(expired, now)?;
    }
    let roots = Arc::new(file.trusted(&trusted)?);
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
    let verifier = verifier.map_err(|source| TlsError::ClientCa {
        file: file.clone(),
        source,
    })?;
    Ok((verifier, all))
}
