//! TLS on the port: clients that get in, those that are told why not, and certificates that change.

mod half_open;
mod mutual;
mod payment;
mod reload;
mod start;
mod web;

use orders::v1::ListPoliciesRequest;
use orders_test_support::{
    Cli, Client, ServerOptions, TlsClient, beside_shared,
    certificates::{Authority, Issued, Wanted},
    eventually, shared, sku,
    tls::shown,
};
use std::{path::Path, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

/// The certificates of a server, and their files.
pub struct Port {
    folder: TempDir,
    authority: Authority,
    certificate: Issued,
}

impl Port {
    pub fn new() -> Port {
        let (folder, authority) = (TempDir::new().unwrap(), Authority::new("the CA"));
        let certificate = authority.issue(&Wanted::new("the server"));
        certificate.write(folder.path(), "server");
        authority.write(folder.path(), "ca.pem");
        Port {
            folder,
            authority,
            certificate,
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file, for a command line.
    pub fn file(&self, name: &str) -> String {
        self.folder().join(name).display().to_string()
    }

    /// A server with this certificate.
    pub fn options(&self) -> ServerOptions {
        ServerOptions::default()
            .arg("--tls-cert")
            .arg(&self.file("server.cert.pem"))
            .arg("--tls-key")
            .arg(&self.file("server.key.pem"))
    }

    /// A client that trusts the server.
    pub fn client(&self) -> TlsClient {
        TlsClient::of(&self.authority)
    }

    /// The same as a command line client.
    pub fn cli(&self, address: &str) -> Cli {
        Cli::of_url(&format!("https://{address}")).env("ORDERS_CLI_TLS_CA", &self.file("ca.pem"))
    }
}

/// A call that every server answers.
async fn call(client: &Client) -> Result<(), tonic::Status> {
    let mut orders = client.orders.clone();
    orders.list_policies(ListPoliciesRequest {}).await.map(drop)
}

#[tokio::test]
async fn the_api_is_served_by_tls_to_those_who_trust_the_server() {
    let port = Port::new();
    let server = beside_shared(port.options()).await;
    let ready = format!("ready on https://{}; try: grpcurl -cacert", server.address);
    eventually("the line that it is ready", async || {
        server.process.line_with(&ready)
    })
    .await;
    let (client, sku) = (port.client().api(&server.address).await.unwrap(), sku());
    client.stock(&sku, 3).await;
    let listed = port.cli(&server.address).out(&["stock", "get", &sku]);
    assert!(listed.contains(&sku), "{listed}");
    // Without a scheme, a CA says that TLS is meant.
    let (_, number) = server.address.split_once(':').unwrap();
    let by_name = format!("localhost:{number}");
    let listed = port
        .cli(&server.address)
        .out(&["stock", "get", &sku, "--server", &by_name]);
    assert!(listed.contains(&sku), "{listed}");
    let old = port.client().old().connect(&server.address).await.unwrap();
    assert_eq!(shown(&old), port.certificate.der);

    let other = TlsClient::of(&Authority::new("the CA"));
    assert!(other.api(&server.address).await.is_err());
    let ran = Cli::of_url(&format!("https://{}", server.address)).run(&["stock", "list"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("--tls-ca"), "{ran:?}");
}

#[tokio::test]
async fn plain_text_to_a_tls_port_and_tls_to_a_plain_one_fail_at_once() {
    let port = Port::new();
    let server = beside_shared(port.options()).await;
    let begun = Instant::now();
    let args = ["stock", "list", "--timeout", "110s"];
    let plain = Cli::of(&server).run(&args);
    assert_eq!(plain.code, Some(2), "{plain:?}");
    assert!(
        plain.err.contains("use https:// instead of http://"),
        "{plain:?}"
    );
    let by_tls = port.cli(&shared().await.address).run(&args);
    assert_eq!(by_tls.code, Some(2), "{by_tls:?}");
    assert!(
        by_tls.err.contains("use http:// instead of https://"),
        "{by_tls:?}"
    );
    let named = [&args[..], &["--server", "http://127.0.0.1:1"]].concat();
    let no_tls = port.cli(&server.address).run(&named);
    assert_eq!(no_tls.code, Some(2), "{no_tls:?}");
    assert!(no_tls.err.contains("--tls-ca is for TLS"), "{no_tls:?}");
    // Much less than the time limit, within which they could try again.
    assert!(begun.elapsed() < Duration::from_secs(100));
    if let Ok(client) = Client::try_connect(&server.address).await {
        assert!(call(&client).await.is_err());
    }

    let mut browser = TcpStream::connect(&server.address).await.unwrap();
    let get = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    browser.write_all(get).await.unwrap();
    let mut page = String::new();
    browser.read_to_string(&mut page).await.unwrap();
    assert!(page.starts_with("HTTP/1.1 400 "), "{page}");
    assert!(page.ends_with("use https://"), "{page}");
}

/// A header of the PROXY protocol for 192.0.2.9.
const HEADER: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x09\x7f\0\0\x01\x12\x34\xc3\x83";

#[tokio::test]
async fn a_trusted_proxy_names_its_client_before_the_handshake() {
    let port = Port::new();
    let options = port.options().arg("--trusted-proxy").arg("127.0.0.1");
    let server = beside_shared(options).await;
    for header in [HEADER, &[]] {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(header).await.unwrap();
        let handshake = timeout(Duration::from_secs(60), port.client().over(stream)).await;
        let stream = handshake.expect("a handshake in time").unwrap();
        assert_eq!(shown(&stream), port.certificate.der);
    }
}
