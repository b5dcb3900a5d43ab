//! The parts of a certificate that the server reads: its names, and when it is valid.

use jiff::Timestamp;
use orders::pem::PemFile;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use x509_cert::{
    Certificate,
    der::{self, Decode},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// The names of a client, from a certificate that was checked in the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsIdentity {
    /// The subject, as RFC 4514 writes it, such as `CN=till-4,O=Shop`. It may be empty.
    pub subject: String,
    /// The names of the extension SubjectAltName.
    pub names: Vec<SubjectName>,
}

/// A name that a certificate gives to its owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SubjectName {
    /// The name of a host.
    Dns(String),
    /// A URI, such as the SPIFFE id of a workload.
    Uri(String),
    /// A mail address.
    Email(String),
    /// The address of a host.
    Ip(IpAddr),
}

impl TlsIdentity {
    /// Reads the names in a certificate.
    pub(super) fn read(certificate: &[u8]) -> der::Result<Self> {
        let certificate = Certificate::from_der(certificate)?;
        let certificate = certificate.tbs_certificate();
        let names = certificate.get_extension::<SubjectAltName>()?;
        let names = names.map(|(_, names)| names.0).unwrap_or_default();
        Ok(Self {
            subject: certificate.subject().to_string(),
            names: names.iter().filter_map(SubjectName::of).collect(),
        })
    }
}

impl SubjectName {
    /// Converts a name; none for the kinds that do not identify a client.
    fn of(name: &GeneralName) -> Option<Self> {
        match name {
            GeneralName::DnsName(name) => Some(Self::Dns(name.to_string())),
            GeneralName::UniformResourceIdentifier(name) => Some(Self::Uri(name.to_string())),
            GeneralName::Rfc822Name(name) => Some(Self::Email(name.to_string())),
            GeneralName::IpAddress(address) => {
                let address = address.as_bytes();
                let v4 = <[u8; 4]>::try_from(address).map(|bytes| Ipv4Addr::from(bytes).into());
                let v6 = || <[u8; 16]>::try_from(address).map(|bytes| Ipv6Addr::from(bytes).into());
                v4.or_else(|_| v6()).ok().map(Self::Ip)
            }
            _ => None,
        }
    }
}

/// The name, the number and the dates of a certificate, for the log and for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dated {
    /// The file that holds it.
    pub(super) file: PemFile,
    /// The subject, or else the serial number.
    pub(super) name: String,
    /// The serial number, in hexadecimal digits.
    pub(super) serial: String,
    /// The first moment at which it is valid.
    pub(super) from: Timestamp,
    /// The last one.
    pub(super) until: Timestamp,
}

impl Dated {
    /// Reads them from a certificate.
    pub(super) fn read(file: &PemFile, certificate: &[u8]) -> der::Result<Self> {
        let certificate = Certificate::from_der(certificate)?;
        let certificate = certificate.tbs_certificate();
        let serial = certificate.serial_number().to_string();
        let subject = certificate.subject().to_string();
        let validity = certificate.validity();
        Ok(Self {
            file: file.clone(),
            name: if subject.is_empty() {
                format!("number {serial}")
            } else {
                subject
            },
            serial,
            from: timestamp(validity.not_before),
            until: timestamp(validity.not_after),
        })
    }
}

/// Converts a time of a certificate. That of one without an end is later than any timestamp.
fn timestamp(time: x509_cert::time::Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
    let timestamp = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    timestamp.unwrap_or(Timestamp::MAX)
}
