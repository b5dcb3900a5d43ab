//! The certificates that a client trusts, and the one that it shows of itself.

use crate::pem::{PemError, PemFile, certified_key};
use tonic::transport::{ClientTlsConfig, Identity};

/// The certificates of a client. By default it trusts the roots of the system, and shows none.
#[derive(Clone, Debug, Default)]
pub struct ClientTls {
    /// The CA that the server's certificate must come from, instead of the roots of the system.
    pub ca: Option<PemFile>,
    /// The client's own certificate with the chain to its CA, and its key.
    pub certificate: Option<(PemFile, PemFile)>,
}

impl ClientTls {
    /// Returns the first flag that named a file; none without files.
    pub fn flag(&self) -> Option<&'static str> {
        let certificate = self
            .certificate
            .as_ref()
            .map(|(certificate, _)| certificate);
        self.ca.as_ref().or(certificate).map(PemFile::flag)
    }

    /// Reads and checks the files.
    pub(super) fn config(&self) -> Result<ClientTlsConfig, PemError> {
        let mut config = ClientTlsConfig::new();
        config = match &self.ca {
            Some(ca) => {
                let certificates = ca.certificates(&ca.read()?)?;
                config.trust_anchors(ca.trusted(&certificates)?.roots)
            }
            None => config.with_enabled_roots(),
        };
        if let Some((certificate, key)) = &self.certificate {
            let (chain, key_bytes) = (certificate.read()?, key.read()?);
            // tonic reads them once more, but its errors do not say which file is wrong.
            certified_key(
                certificate,
                certificate.certificates(&chain)?,
                key,
                key.key(&key_bytes)?,
            )?;
            config = config.identity(Identity::from_pem(chain, key_bytes));
        }
        Ok(config)
    }
}
