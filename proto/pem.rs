//! Certificates and keys in PEM files, as the server and its clients read them.
//!
//! Every error names the flag by which the file was given, the file, and what is wrong with it.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};
use tokio_rustls::rustls::{
    self, RootCertStore,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::CertifiedKey,
};

/// A PEM file, and the flag that named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemFile {
    flag: &'static str,
    path: PathBuf,
}

/// Why a PEM file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// The system does not let it be read.
    #[error("{file} cannot be read: {source}")]
    Unreadable {
        /// The file.
        file: PemFile,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// It is not PEM, or it was cut off.
    #[error("{file} is malformed: {reason}")]
    Malformed {
        /// The file.
        file: PemFile,
        /// The fault in its form.
        reason: String,
    },
    /// It holds no certificate.
    #[error(
        "{0} holds no certificate: give a PEM file, which has a line -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate(PemFile),
    /// It holds no key, or an encrypted one.
    #[error(
        "{0} holds no private key: give a PEM file with a line -----BEGIN PRIVATE KEY----- and \
         without a password (`openssl pkey -in FILE -out NEW` removes one)"
    )]
    NoKey(PemFile),
    /// Its content cannot be used.
    #[error("{file} cannot be used: {source}")]
    Unusable {
        /// The file.
        file: PemFile,
        /// The reason of the TLS library.
        #[source]
        source: rustls::Error,
    },
    /// The key is that of another certificate.
    #[error(
        "{key} does not belong to {certificate}: give the key of the first certificate in that file"
    )]
    Mismatch {
        /// The file of the key.
        key: PemFile,
        /// The file of the certificate.
        certificate: PemFile,
    },
}

impl fmt::Display for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.flag, self.path.display())
    }
}

impl PemFile {
    /// The file at `path`, which was given with `flag`.
    pub fn new(flag: &'static str, path: &Path) -> Self {
        let path = path.to_owned();
        Self { flag, path }
    }

    /// The flag.
    pub fn flag(&self) -> &'static str {
        self.flag
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the bytes of the file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self) -> Result<Vec<u8>, PemError> {
        fs::read(&self.path).map_err(|source| PemError::Unreadable {
            file: self.clone(),
            source,
        })
    }

    /// Returns the certificates among the bytes of the file: one or more.
    ///
    /// # Errors
    /// When there is none, or the file is malformed.
    pub fn certificates(&self, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
        let found = read.map_err(|error| self.malformed(&error))?;
        if found.is_empty() {
            return Err(PemError::NoCertificate(self.clone()));
        }
        Ok(found)
    }

    /// Returns the first private key among the bytes of the file.
    ///
    /// # Errors
    /// When there is none, or the file is malformed.
    pub fn key(&self, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
        match PrivateKeyDer::from_pem_slice(bytes) {
            Ok(key) => Ok(key),
            Err(pem::Error::NoItemsFound) => Err(PemError::NoKey(self.clone())),
            Err(error) => Err(self.malformed(&error)),
        }
    }

    /// Returns these certificates of the file as trust anchors.
    ///
    /// # Errors
    /// When one of them cannot be parsed.
    pub fn trusted(
        &self,
        certificates: &[CertificateDer<'static>],
    ) -> Result<RootCertStore, PemError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let added = roots.add(certificate.clone());
            added.map_err(|source| self.unusable(source))?;
        }
        Ok(roots)
    }

    fn malformed(&self, error: &pem::Error) -> PemError {
        let reason = match error {
            pem::Error::MissingSectionEnd { .. } => "a -----BEGIN line has no -----END line".into(),
            pem::Error::IllegalSectionStart { .. } => "a -----BEGIN line is not complete".into(),
            other => other.to_string(),
        };
        PemError::Malformed {
            file: self.clone(),
            reason,
        }
    }

    fn unusable(&self, source: rustls::Error) -> PemError {
        PemError::Unusable {
            file: self.clone(),
            source,
        }
    }
}

/// Joins a chain of certificates with the private key of the first one.
///
/// # Errors
/// When the key belongs to another certificate, or is of a kind that TLS does not know.
pub fn certified_key(
    certificate: &PemFile,
    chain: Vec<CertificateDer<'static>>,
    key_file: &PemFile,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, PemError> {
    let provider = ring::default_provider();
    let key = provider.key_provider.load_private_key(key);
    let key = key.map_err(|source| key_file.unusable(source))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(certified)
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(PemError::Mismatch {
            key: key_file.clone(),
            certificate: certificate.clone(),
        }),
        Err(source) => Err(certificate.unusable(source)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const FILE: &str = "some.pem";

    fn file() -> PemFile {
        PemFile::new("--tls-cert", Path::new(FILE))
    }

    fn section(label: &str, body: &str) -> String {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn all_certificates_of_a_file_are_found_whatever_stands_between_them() {
        let key = section("PRIVATE KEY", "AAAA");
        let (one, two) = (
            section("CERTIFICATE", "AAEC"),
            section("CERTIFICATE", "AwQF"),
        );
        let text = format!("subject=CN = a\n{one}\n{key}{two}");
        let found = file().certificates(text.as_bytes()).unwrap();
        let found: Vec<&[u8]> = found.iter().map(AsRef::as_ref).collect();
        assert_eq!(found, [[0, 1, 2], [3, 4, 5]]);
        assert!(file().key(text.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_flag_and_name() {
        let certificate = section("CERTIFICATE", "AAEC");
        let encrypted = section("ENCRYPTED PRIVATE KEY", "AAEC");
        let cut = certificate.replace("-----END CERTIFICATE-----", "");
        let certificates = |text: &str| file().certificates(text.as_bytes()).unwrap_err();
        let key = |text: &str| file().key(text.as_bytes()).unwrap_err();
        for (error, part) in [
            (certificates(""), "holds no certificate"),
            (certificates(&encrypted), "holds no certificate"),
            (certificates(&cut), "has no -----END line"),
            (
                certificates(&section("CERTIFICATE", "A*EC")),
                "is malformed",
            ),
            (key(&certificate), "holds no private key"),
            (key(&encrypted), "without a password"),
        ] {
            let error = error.to_string();
            assert!(error.starts_with("--tls-cert some.pem "), "{error}");
            assert!(error.contains(part), "{error}");
        }
        let garbage = file().certificates(certificate.as_bytes()).unwrap();
        let error = file().trusted(&garbage).unwrap_err().to_string();
        assert!(error.contains("some.pem cannot be used"), "{error}");
        let missing = PemFile::new("--tls-key", Path::new("/nowhere/key.pem"));
        let error = missing.read().unwrap_err().to_string();
        let expected = "--tls-key /nowhere/key.pem cannot be read: No such file";
        assert!(error.starts_with(expected), "{error}");
    }
}
