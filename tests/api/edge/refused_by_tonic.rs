//! Requests that no RPC ever sees get the same kind of error as all others.

use orders::v1::{GetOrderRequest, PlaceOrderRequest};
use orders_test_support::{
    Refused,
    raw::{self, frame},
    shared,
};
use prost::Message;
use tonic::Code;

const GET: &str = "/orders.v1.OrderService/GetOrder";
const PLACE: &str = "/orders.v1.OrderService/PlaceOrder";

async fn refused(path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (Refused, raw::Answer) {
    let answer = raw::grpc(&shared().await.address, path, headers, body).await;
    (Refused::from(answer.grpc_status()), answer)
}

#[tokio::test]
async fn what_cannot_be_decoded_is_invalid_and_not_internal() {
    let good = GetOrderRequest {
        order_id: "order-1".to_owned(),
        consistency: 0,
    };
    let good = good.encode_to_vec();
    let cases = [
        ("a wrong wire type", frame(0, &[0x0b])),
        ("text that is not UTF-8", frame(0, &[0x0a, 1, 0xff])),
        ("a message cut short", frame(0, &good[..3])),
        ("no message", Vec::new()),
        ("half a frame", frame(0, &good)[..7].to_vec()),
        ("a flag that there is not", frame(7, &good)),
        ("compressed with nothing", frame(1, &good)),
    ];
    for (what, body) in cases {
        let (refused, _) = refused(GET, &[], body).await;
        assert_eq!(refused.code, Code::InvalidArgument, "{what}");
        assert_eq!(refused.reason, "MALFORMED_REQUEST", "{what}");
        assert_eq!(refused.fields(), [""], "{what}");
    }
    let gzip = [("grpc-encoding", "gzip")];
    let (refused, _) = refused(GET, &gzip, frame(1, b"no gzip")).await;
    assert_eq!(refused.reason, "MALFORMED_REQUEST");
}

#[tokio::test]
async fn a_request_that_is_too_large_is_never_sent_again() {
    let large = PlaceOrderRequest {
        customer_id: "c".repeat(1024 * 1024),
        ..PlaceOrderRequest::default()
    };
    let (refused, answer) = refused(PLACE, &[], frame(0, &large.encode_to_vec())).await;
    assert_eq!(refused.code, Code::ResourceExhausted);
    assert_eq!(refused.reason, "REQUEST_TOO_LARGE");
    let quota = refused.details.quota_failure().expect("a QuotaFailure");
    assert!(quota.violations[0].description.contains("1048576 bytes"));
    // gRPC's own retries would otherwise send it again, for its code.
    assert_eq!(answer.header("grpc-retry-pushback-ms"), "-1");
    assert!(refused.details.retry_info().is_none());

    // Just small enough to be read; it is refused for what it says.
    let almost = PlaceOrderRequest {
        customer_id: "c".repeat(1024 * 1024 - 100),
        ..PlaceOrderRequest::default()
    };
    let (refused, _) = self::refused(PLACE, &[], frame(0, &almost.encode_to_vec())).await;
    assert_eq!(refused.reason, "INVALID_REQUEST");
}

#[tokio::test]
async fn what_is_not_known_is_unimplemented_with_its_reason() {
    for path in [
        "/orders.v1.OrderService/Nonsense",
        "/orders.v2.OrderService/GetOrder",
        "/",
    ] {
        let (refused, _) = refused(path, &[], frame(0, &[])).await;
        assert_eq!(refused.code, Code::Unimplemented, "{path}");
        assert_eq!(refused.reason, "UNKNOWN_METHOD", "{path}");
    }
    let brotli = [("grpc-encoding", "br")];
    let (refused, answer) = refused(GET, &brotli, frame(1, &[])).await;
    assert_eq!(refused.code, Code::Unimplemented);
    assert_eq!(refused.reason, "UNSUPPORTED_ENCODING");
    assert_eq!(answer.header("grpc-accept-encoding"), "gzip,identity");
}
