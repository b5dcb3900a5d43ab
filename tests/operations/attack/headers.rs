//! Metadata that is too large: its call is refused, and nothing happens to the others.

use super::{SOURCES, stranger::Stranger};
use orders::v1::ListPoliciesRequest;
use orders_test_support::{ServerOptions, beside_shared};
use tonic::Code;

const PATH: &str = "/orders.v1.OrderService/ListPolicies";

#[tokio::test]
async fn metadata_that_is_too_large_is_refused_for_its_call_alone() {
    let server = beside_shared(ServerOptions::default()).await;
    let mut stranger = Stranger::connect(&server.address, SOURCES[0], 65_535).await;
    let list = ListPoliciesRequest {};
    for (kib, code, reason) in [
        (17, Code::Ok, ""),
        (30, Code::Ok, ""),
        (33, Code::ResourceExhausted, "HEADERS_TOO_LARGE"),
        (64, Code::ResourceExhausted, "HEADERS_TOO_LARGE"),
    ] {
        let value = "x".repeat(kib * 1024);
        let answered = stranger.ask(PATH, &[("x-baggage", &value)], &list).await;
        assert_eq!(
            (answered.code, answered.reason.as_str()),
            (code, reason),
            "{kib} KiB"
        );
    }
    // Beyond what is read at all HTTP/2 has an answer of its own.
    let value = "x".repeat(120 * 1024);
    let response = stranger.call(PATH, &[("x-baggage", &value)], &list).await;
    assert_eq!(response.unwrap().await.unwrap().status(), 431);
    let answered = stranger.ask(PATH, &[], &list).await;
    assert_eq!(answered.code, Code::Ok);
}

#[tokio::test]
async fn how_large_it_may_be_is_a_setting() {
    let options = ServerOptions::default()
        .arg("--max-header-bytes")
        .arg("4096");
    let server = beside_shared(options).await;
    let mut stranger = Stranger::connect(&server.address, SOURCES[0], 65_535).await;
    let list = ListPoliciesRequest {};
    let value = "x".repeat(5_000);
    let answered = stranger.ask(PATH, &[("x-baggage", &value)], &list).await;
    assert_eq!(answered.reason, "HEADERS_TOO_LARGE");
}
