//! Clients that speak TLS.

use crate::{
    Client,
    certificates::{Authority, Issued},
};
use std::{io, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
        version::{TLS12, TLS13},
    },
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

/// A client, by the authority that it trusts and the certificate that it shows.
#[derive(Clone)]
pub struct TlsClient {
    ca: String,
    shows: Option<Issued>,
    protocols: Vec<&'static str>,
    is_old: bool,
}

impl TlsClient {
    /// One that trusts an authority, and shows nothing.
    pub fn of(authority: &Authority) -> TlsClient {
        TlsClient {
            ca: authority.pem(),
            shows: None,
            protocols: vec!["h2"],
            is_old: false,
        }
    }

    /// That shows a certificate.
    pub fn shows(mut self, issued: &Issued) -> TlsClient {
        self.shows = Some(issued.clone());
        self
    }

    /// That asks for these protocols by ALPN.
    pub fn speaks(mut self, protocols: &[&'static str]) -> TlsClient {
        self.protocols = protocols.to_vec();
        self
    }

    /// That knows no newer TLS than 1.2.
    pub fn old(mut self) -> TlsClient {
        self.is_old = true;
        self
    }

    /// Connects and does the handshake.
    pub async fn connect(&self, address: &str) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        self.over(stream).await
    }

    /// Does the handshake over a connection that is there.
    pub async fn over(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::new(self.config()));
        let name = ServerName::try_from("localhost").unwrap();
        connector.connect(name, stream).await
    }

    fn config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(chain(&self.ca));
        let versions = if self.is_old {
            vec![&TLS12]
        } else {
            vec![&TLS13, &TLS12]
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match &self.shows {
            Some(shown) => {
                let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
                let chain = chain(&shown.certificate);
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        let protocols = self.protocols.iter();
        config.alpn_protocols = protocols.map(|name| name.as_bytes().to_vec()).collect();
        config
    }

    /// A client of the API, connected to `host:port`.
    pub async fn api(&self, address: &str) -> Result<Client, tonic::transport::Error> {
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&self.ca));
        if let Some(shown) = &self.shows {
            tls = tls.identity(Identity::from_pem(&shown.certificate, &shown.key));
        }
        let endpoint = Channel::from_shared(format!("https://{address}")).unwrap();
        let channel = endpoint.tls_config(tls)?.connect().await?;
        Ok(Client::over(channel))
    }
}

/// The certificates of a PEM file.
fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    let read = CertificateDer::pem_slice_iter(pem.as_bytes());
    read.map(Result::unwrap).collect()
}

/// The certificate that a server has shown.
pub fn shown(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    let (_, session) = stream.get_ref();
    session.peer_certificates().unwrap()[0].to_vec()
}
