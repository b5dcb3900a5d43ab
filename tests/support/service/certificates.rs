//! Certificates of tests: authorities, what they issue, and the files of it.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate, as PEM.
    pub certificate: String,
    /// The certificate, as it is shown in a handshake.
    pub der: Vec<u8>,
    /// The key, as PEM.
    pub key: String,
}

/// The content of a certificate to be issued.
#[derive(Clone, Debug)]
pub struct Wanted {
    name: String,
    hosts: Vec<String>,
    uri: Option<String>,
    from: SystemTime,
    until: SystemTime,
}

impl Wanted {
    /// A certificate of that name for a server at this machine, or for a client.
    pub fn new(name: &str) -> Wanted {
        let now = SystemTime::now();
        Wanted {
            name: name.to_owned(),
            hosts: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            uri: None,
            from: now - DAY,
            until: now + 365 * DAY,
        }
    }

    /// With a URI among its names.
    pub fn uri(mut self, uri: &str) -> Wanted {
        self.uri = Some(uri.to_owned());
        self
    }

    /// Valid between these two.
    pub fn valid(mut self, from: SystemTime, until: SystemTime) -> Wanted {
        (self.from, self.until) = (from, until);
        self
    }

    /// One that expired a day ago.
    pub fn expired(self) -> Wanted {
        let now = SystemTime::now();
        self.valid(now - 30 * DAY, now - DAY)
    }

    fn params(&self) -> CertificateParams {
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap();
        let mut params = CertificateParams::new(self.hosts.clone()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, self.name.clone());
        params.not_before = date_time_ymd(1970, 1, 1) + since(self.from);
        params.not_after = date_time_ymd(1970, 1, 1) + since(self.until);
        let uri = self.uri.as_ref();
        let uri = uri.map(|uri| SanType::URI(uri.as_str().try_into().unwrap()));
        params.subject_alt_names.extend(uri);
        params
    }
}

impl Authority {
    /// One of that name.
    pub fn new(name: &str) -> Authority {
        Authority::of(&Wanted::new(name))
    }

    /// One whose own certificate says that.
    pub fn of(wanted: &Wanted) -> Authority {
        let mut params = wanted.params();
        params.subject_alt_names.clear();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Its own certificate, as PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Writes its own certificate into a folder.
    pub fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        replace(&path, &self.pem());
        path
    }

    /// Issues a certificate.
    pub fn issue(&self, wanted: &Wanted) -> Issued {
        let mut params = wanted.params();
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued {
            certificate: certificate.pem(),
            der: certificate.der().to_vec(),
            key: key.serialize_pem(),
        }
    }
}

impl Issued {
    /// Writes the certificate and the key into a folder, over those of that name. Gives their paths.
    pub fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let path = |kind: &str| folder.join(format!("{name}.{kind}.pem"));
        let (certificate, key) = (path("cert"), path("key"));
        replace(&certificate, &self.certificate);
        replace(&key, &self.key);
        (certificate, key)
    }
}

/// Writes a file as programs do that renew certificates: nobody sees a half of it.
pub fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, path).unwrap();
}
