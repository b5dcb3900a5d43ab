//! gRPC-Web from a page, by HTTP/1.1 over TLS.

use super::Port;
use orders::v1::{ListPoliciesRequest, ListPoliciesResponse};
use orders_test_support::{
    Refused, TestServer, beside_shared,
    raw::{Answer, Http1, frame, frames},
};
use prost::Message;

const PATH: &str = "/orders.v1.OrderService/ListPolicies";
const WEB: &str = "application/grpc-web+proto";

async fn post(port: &Port, server: &TestServer, origin: &str) -> Answer {
    let client = port.client().speaks(&["http/1.1"]);
    let stream = client.connect(&server.address).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let headers = [("content-type", WEB), ("origin", origin)];
    let body = frame(0, &ListPoliciesRequest {}.encode_to_vec());
    let address = &server.address;
    let sent = Http1::send_over(stream, address, "POST", PATH, &headers, &body).await;
    sent.answer().await
}

#[tokio::test]
async fn a_page_calls_by_http_1_1_over_tls_if_it_may() {
    let port = Port::new();
    let server = beside_shared(port.options()).await;
    let page = "https://localhost:8443";
    let answer = post(&port, &server, page).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), WEB);
    assert_eq!(answer.header("access-control-allow-origin"), page);
    assert_eq!(answer.web_trailers()["grpc-status"], "0");
    let (_, message) = &frames(&answer.body)[0];
    let listed = ListPoliciesResponse::decode(message.as_slice()).unwrap();
    assert!(!listed.policies.is_empty());

    let foreign = post(&port, &server, "https://evil.example").await;
    let refused = Refused::from(foreign.grpc_status());
    assert_eq!(refused.reason, "ORIGIN_NOT_ALLOWED");

    // Where no page may call, HTTP/1.1 is not offered either.
    let server = beside_shared(port.options().arg("--web-origin").arg("none")).await;
    let both = port.client().speaks(&["http/1.1", "h2"]);
    let stream = both.connect(&server.address).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let only = port.client().speaks(&["http/1.1"]);
    assert!(only.connect(&server.address).await.is_err());
}
