#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::accept::{
    pool::Pools, registry::Registry, transport::Transport, turns::Turns, wire::Wire,
};
use bytes::Bytes;
use futures::future::join;
use jiff::{SignedDuration, Timestamp};
use orders::pem::PemFile;
use orders_test_support::{
    TlsClient,
    certificates::{Authority, DAY, Issued, Wanted, replace},
    tls::shown,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::SystemTime,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// A folder with the files of a port.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, issued: &Issued) {
        issued.write(self.path(), "server");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn files(&self, client_ca: Option<&Path>) -> TlsFiles {
        TlsFiles {
            certificate: PemFile::new("--tls-cert", &self.file("server.cert.pem")),
            key: PemFile::new("--tls-key", &self.file("server.key.pem")),
            client_ca: client_ca.map(|path| PemFile::new("--tls-client-ca", path)),
            http1: true,
        }
    }

    /// Why the files are refused.
    fn refused(&self, client_ca: Option<&Path>) -> String {
        Tls::load(self.files(client_ca)).unwrap_err().to_string()
    }
}

/// Does one handshake. Returns the result of each side.
async fn meet(
    tls: &Tls,
    client: &TlsClient,
) -> (
    io::Result<Vec<u8>>,
    Result<Option<TlsIdentity>, HandshakeError>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = async {
        let (stream, _) = listener.accept().await.unwrap();
        let (mut stream, identity) = tls.accept(Rewound::new(stream, Bytes::new())).await?;
        stream.write_all(b"!").await.unwrap();
        stream.shutdown().await.unwrap();
        Ok(identity)
    };
    let client = async {
        let mut stream = client.connect(&address).await?;
        let certificate = shown(&stream);
        // With TLS 1.3, a client knows only now whether its certificate was accepted.
        stream.read_u8().await?;
        Ok(certificate)
    };
    join(client, server).await
}

#[test]
fn what_is_wrong_with_the_files_is_said_with_the_name_of_the_file() {
    let (folder, authority) = (Folder::new(), Authority::new("the CA"));
    let server = authority.issue(&Wanted::new("the server"));
    let certificate = folder.file("server.cert.pem");
    let named = |error: String, file: &str, part: &str| {
        assert!(error.contains(file) && error.contains(part), "{error}");
    };
    let cert_file = format!("--tls-cert {}", certificate.display());
    named(
        folder.refused(None),
        &cert_file,
        "cannot be read: No such file",
    );
    folder.put(&server);
    assert!(Tls::load(folder.files(None)).is_ok());
    // A chain is fine, with the own certificate at its beginning.
    let other = authority.issue(&Wanted::new("another"));
    replace(
        &certificate,
        &(server.certificate.clone() + &other.certificate),
    );
    assert!(Tls::load(folder.files(None)).is_ok());
    replace(&certificate, &(other.certificate + &server.certificate));
    named(
        folder.refused(None),
        "--tls-key",
        "does not belong to --tls-cert",
    );
    replace(&certificate, &server.key);
    named(folder.refused(None), &cert_file, "holds no certificate");
    let garbage = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
    replace(&certificate, garbage);
    named(folder.refused(None), &cert_file, "cannot be read: ");
    let now = SystemTime::now();
    folder.put(&authority.issue(&Wanted::new("an old one").expired()));
    named(
        folder.refused(None),
        &cert_file,
        "has expired: CN=an old one was valid until",
    );
    let early = Wanted::new("a new one").valid(now + DAY, now + 2 * DAY);
    folder.put(&authority.issue(&early));
    named(
        folder.refused(None),
        &cert_file,
        "is not valid yet: CN=a new one is valid from",
    );
    replace(&folder.file("server.key.pem"), "no key");
    folder.put(&server);
    replace(&folder.file("server.key.pem"), &server.certificate);
    named(
        folder.refused(None),
        "server.key.pem",
        "holds no private key",
    );
}

#[test]
fn the_authorities_of_clients_are_checked_as_well() {
    let (folder, authority) = (Folder::new(), Authority::new("the CA"));
    folder.put(&authority.issue(&Wanted::new("the server")));
    let missing = folder.file("clients.pem");
    let error = folder.refused(Some(&missing));
    assert!(
        error.contains("--tls-client-ca") && error.contains("cannot be read"),
        "{error}"
    );
    // An old one beside a valid one may stay in the file for a while.
    let old = Authority::of(&Wanted::new("the old CA").expired());
    replace(&missing, &(authority.pem() + &old.pem()));
    assert!(Tls::load(folder.files(Some(&missing))).is_ok());
    replace(&missing, &old.pem());
    let error = folder.refused(Some(&missing));
    assert!(error.contains("has expired: CN=the old CA"), "{error}");
}

#[test]
fn a_certificate_that_ends_soon_is_warned_of() {
    let (folder, authority) = (Folder::new(), Authority::new("the CA"));
    let ends = SystemTime::now() + 13 * DAY;
    let soon = Wanted::new("the server").valid(SystemTime::now() - DAY, ends);
    folder.put(&authority.issue(&soon));
    let loaded = folder.files(None).load().unwrap();
    let now = Timestamp::now();
    let hours = |hours| now + SignedDuration::from_hours(hours);
    assert_eq!(loaded.warnings(hours(-48)), Vec::<String>::new());
    let [warning] = &loaded.warnings(now)[..] else {
        panic!("one warning");
    };
    assert!(
        warning.contains("server.cert.pem expires in 12 days"),
        "{warning}"
    );
    let late = loaded.warnings(hours(14 * 24));
    assert!(late[0].contains("server.cert.pem has expired"), "{late:?}");
}

#[tokio::test]
async fn a_handshake_shows_the_certificate_and_offers_both_protocols() {
    let (folder, authority) = (Folder::new(), Authority::new("the CA"));
    let server = authority.issue(&Wanted::new("the server"));
    folder.put(&server);
    let tls = Tls::load(folder.files(None)).unwrap();
    for client in [
        TlsClient::of(&authority),
        TlsClient::of(&authority).speaks(&["http/1.1"]),
        TlsClient::of(&authority).speaks(&[]).old(),
    ] {
        let (shown, identity) = meet(&tls, &client).await;
        assert_eq!(shown.unwrap(), server.der);
        assert_eq!(identity.unwrap(), None);
    }
    let only_h2 = TlsFiles {
        http1: false,
        ..folder.files(None)
    };
    let tls = Tls::load(only_h2).unwrap();
    let old = TlsClient::of(&authority).speaks(&["http/1.1"]);
    let (shown, _) = meet(&tls, &old).await;
    let error = shown.unwrap_err().to_string();
    assert!(error.contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test]
async fn clients_are_known_by_their_certificate_or_refused() {
    let (folder, authority) = (Folder::new(), Authority::new("the CA"));
    let server = authority.issue(&Wanted::new("the server"));
    folder.put(&server);
    let client_ca = authority.write(folder.path(), "clients.pem");
    let tls = Tls::load(folder.files(Some(&client_ca))).unwrap();
    assert!(tls.asks_clients());
    let wanted = Wanted::new("till 4").uri("spiffe://shop/till");
    let anybody = TlsClient::of(&authority);
    for anybody in [anybody.clone(), anybody.clone().old()] {
        let till = anybody.clone().shows(&authority.issue(&wanted));
        let (shown, identity) = meet(&tls, &till).await;
        assert_eq!(shown.unwrap(), server.der);
        let identity = identity.unwrap().unwrap();
        assert_eq!(identity.subject, "CN=till 4");
        let address = "127.0.0.1".parse().unwrap();
        let names = [
            SubjectName::Dns("localhost".to_owned()),
            SubjectName::Ip(address),
            SubjectName::Uri("spiffe://shop/till".to_owned()),
        ];
        assert_eq!(identity.names, names);

        let expired = authority.issue(&wanted.clone().expired());
        let foreign = Authority::new("the CA").issue(&wanted);
        for (client, alert) in [
            (anybody.clone(), "received fatal alert"),
            (anybody.clone().shows(&expired), "CertificateExpired"),
            (anybody.clone().shows(&foreign), "received fatal alert"),
        ] {
            let (shown, identity) = meet(&tls, &client).await;
            let error = shown.unwrap_err().to_string();
            assert!(error.contains(alert), "{error}");
            assert!(
                matches!(identity, Err(HandshakeError::Refused(_))),
                "{identity:?}"
            );
        }
    }
}

#[tokio::test]
async fn new_files_are_used_and_broken_ones_are_not() {
    let (folder, authority) = (Folder::new(), Authority::new("the CA"));
    let (one, two) = (Wanted::new("one"), Wanted::new("two"));
    let (one, two) = (authority.issue(&one), authority.issue(&two));
    folder.put(&one);
    let tls = Tls::load(folder.files(None)).unwrap();
    let client = TlsClient::of(&authority);
    let before = tls.stamps();
    folder.put(&two);
    assert_ne!(folder.files(None).stamps(), before);
    assert_eq!(meet(&tls, &client).await.0.unwrap(), one.der);
    tls.reload().await;
    assert_eq!(meet(&tls, &client).await.0.unwrap(), two.der);
    replace(&folder.file("server.key.pem"), &one.key);
    tls.reload().await;
    assert_eq!(meet(&tls, &client).await.0.unwrap(), two.der);
    std::fs::remove_file(folder.file("server.cert.pem")).unwrap();
    assert_eq!(folder.files(None).stamps()[0], None);
    tls.reload().await;
    assert_eq!(meet(&tls, &client).await.0.unwrap(), two.der);
}

#[tokio::test]
async fn bytes_that_were_read_before_belong_to_the_handshake() {
    let (folder, authority) = (Folder::new(), Authority::new("the CA"));
    let server = authority.issue(&Wanted::new("the server"));
    folder.put(&server);
    let tls = Tls::load(folder.files(None)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let accept = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 5];
        stream.read_exact(&mut head).await.unwrap();
        let stream = Rewound::new(stream, Bytes::copy_from_slice(&head));
        tls.accept(stream).await
    };
    let client = TlsClient::of(&authority);
    let (accepted, connected) = join(accept, client.connect(&address)).await;
    assert!(accepted.is_ok());
    assert_eq!(shown(&connected.unwrap()), server.der);
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_given_up_through_tls_as_well() {
    let (folder, authority) = (Folder::new(), Authority::new("the CA"));
    folder.put(&authority.issue(&Wanted::new("the server")));
    let tls = Tls::load(folder.files(None)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let accept = async {
        let (stream, _) = listener.accept().await.unwrap();
        tls.accept(Rewound::new(stream, Bytes::new())).await
    };
    let client = TlsClient::of(&authority);
    let (accepted, connected) = join(accept, client.connect(&address)).await;
    let _unread = connected.unwrap();
    let registry = Registry::new(Pools::default(), Turns::new(1), 9, 9, 9);
    let peer = IpAddr::from(Ipv4Addr::LOCALHOST);
    let admitted = Arc::new(registry).admit(peer, None, false).unwrap();
    let connection = admitted.connection().clone();
    let transport = Transport::Tls(Box::new(accepted.unwrap().0));
    let mut wire = Wire::new(transport, connection.clone(), Duration::from_secs(1));
    // More than the system holds for a connection.
    let error = wire.write_all(&vec![7; 64 << 20]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(connection.bytes()[1] > 0);
}
