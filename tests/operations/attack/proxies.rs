//! Proxies: only those that are trusted name the client.

use super::{
    SOURCES,
    stranger::{Answered, Stranger, connect, opened},
};
use orders::v1::{ListPoliciesRequest, WatchOrdersRequest};
use orders_test_support::{PATIENCE, ServerOptions, TestServer, beside_shared};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tonic::Code;

async fn server(trusted: Option<&str>) -> TestServer {
    let mut options = ServerOptions::default().arg("--max-watches").arg("16");
    if let Some(trusted) = trusted {
        options = options.arg("--trusted-proxy").arg(trusted);
    }
    beside_shared(options).await
}

/// Watches on a connection for a client, until they are too many.
async fn watches(stranger: &mut Stranger, client: &str) -> Vec<::h2::RecvStream> {
    let mut open = Vec::new();
    for _ in 0..20 {
        let path = "/orders.v1.OrderService/WatchOrders";
        let headers = [("x-forwarded-for", client)];
        let watch = WatchOrdersRequest::default();
        let answer = stranger.call(path, &headers, &watch).await.unwrap();
        match opened(answer).await {
            Ok(stream) => open.push(stream),
            Err(Answered { code, .. }) => {
                assert_eq!(code, Code::ResourceExhausted);
                break;
            }
        }
    }
    open
}

#[tokio::test]
async fn a_trusted_proxy_names_its_clients_and_nobody_else_does() {
    let trusting = server(Some("127.0.0.2/32")).await;
    let mut proxy = Stranger::connect(&trusting.address, SOURCES[1], 65_535).await;
    let first = watches(&mut proxy, "192.0.2.1, 127.0.0.2").await;
    // What a client writes there itself stands further left.
    let forged = watches(&mut proxy, "203.0.113.1, 192.0.2.1").await;
    assert_eq!(forged.len(), 0);
    let _second = watches(&mut proxy, "192.0.2.2").await;
    println!(
        "{} and {} watches of two clients",
        first.len(),
        _second.len()
    );
    assert!(first.len() >= 8 && !_second.is_empty());

    // The same from an address that is not trusted.
    let trusting = server(Some("127.0.0.2/32")).await;
    let mut other = Stranger::connect(&trusting.address, SOURCES[0], 65_535).await;
    let first = watches(&mut other, "192.0.2.1").await;
    assert!(!first.is_empty());
    assert_eq!(watches(&mut other, "192.0.2.2").await.len(), 0);
}

/// A header of the PROXY protocol for 192.0.2.9.
const HEADER: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x09\x7f\0\0\x01\x12\x34\xc3\x83";

#[tokio::test]
async fn the_proxy_protocol_is_understood_from_trusted_proxies_alone() {
    let path = "/orders.v1.OrderService/ListPolicies";
    let trusting = server(Some("127.0.0.2")).await;
    let mut stream = connect(&trusting.address, SOURCES[1]).await.unwrap();
    // In two parts, as they may arrive.
    stream.write_all(&HEADER[..7]).await.unwrap();
    stream.flush().await.unwrap();
    stream.write_all(&HEADER[7..]).await.unwrap();
    let mut named = Stranger::over(stream, 65_535).await;
    let answered = named.ask(path, &[], &ListPoliciesRequest {}).await;
    assert_eq!(answered.code, Code::Ok);
    // A client that a proxy names so may not name others.
    let first = watches(&mut named, "192.0.2.1").await;
    assert!(!first.is_empty());
    assert_eq!(watches(&mut named, "192.0.2.2").await.len(), 0);
    // A trusted proxy need not send one.
    let mut plain = Stranger::connect(&trusting.address, SOURCES[1], 65_535).await;
    let answered = plain.ask(path, &[], &ListPoliciesRequest {}).await;
    assert_eq!(answered.code, Code::Ok);

    let mut stream = connect(&trusting.address, SOURCES[0]).await.unwrap();
    stream.write_all(HEADER).await.unwrap();
    let mut rest = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "the connection is still open");
    // Without the header it is a client like any other.
    let mut plain = Stranger::connect(&trusting.address, SOURCES[0], 65_535).await;
    let answered = plain.ask(path, &[], &ListPoliciesRequest {}).await;
    assert_eq!(answered.code, Code::Ok);
}
