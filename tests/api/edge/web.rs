//! gRPC-Web as a browser speaks it, by HTTP/1.1, and which pages may.

use base64::{Engine, prelude::BASE64_STANDARD};
use orders::v1::{
    OrderState, PlaceOrderRequest, PlaceOrderResponse, WatchOrderRequest, WatchOrderResponse,
};
use orders_test_support::{
    Placing, Refused, ServerOptions, beside_shared,
    raw::{self, Answer, Http1, frame, frames},
    shared, sku,
};
use prost::Message;
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpStream};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

const PLACE: &str = "/orders.v1.OrderService/PlaceOrder";
const WEB: &str = "application/grpc-web+proto";
const PAGE: &str = "http://localhost:5173";
const FOREIGN: &str = "https://evil.example";

async fn post(address: &str, path: &str, origin: &str, body: &[u8]) -> Answer {
    let headers = [
        ("content-type", WEB),
        ("x-grpc-web", "1"),
        ("origin", origin),
    ];
    let sent = Http1::send(address, "POST", path, &headers, body).await;
    sent.answer().await
}

async fn preflight(address: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "content-type,grpc-timeout,x-grpc-web,x-user-agent",
        ),
    ];
    let sent = Http1::send(address, "OPTIONS", PLACE, &headers, &[]).await;
    sent.answer().await
}

fn body(request: &PlaceOrderRequest) -> Vec<u8> {
    frame(0, &request.encode_to_vec())
}

#[tokio::test]
async fn a_page_of_this_machine_may_ask_and_another_may_not() {
    let address = &shared().await.address;
    let allowed = preflight(address, PAGE).await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), PAGE);
    assert_eq!(allowed.header("access-control-allow-methods"), "POST");
    let headers = allowed.header("access-control-allow-headers");
    for header in ["content-type", "grpc-timeout", "x-grpc-web", "x-user-agent"] {
        assert!(headers.split(',').any(|name| name == header), "{headers}");
    }
    let foreign = preflight(address, FOREIGN).await;
    assert_eq!(foreign.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn an_order_is_placed_and_the_replay_is_in_the_trailers() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku);
    let first = post(&server.address, PLACE, PAGE, &body(&placing.0)).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("content-type"), WEB);
    assert_eq!(first.header("access-control-allow-origin"), PAGE);
    let exposed = first.header("access-control-expose-headers");
    for name in [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "orders-replayed",
        "grpc-retry-pushback-ms",
        "orders-position",
    ] {
        assert!(exposed.split(',').any(|header| header == name), "{exposed}");
    }
    let (flag, message) = &frames(&first.body)[0];
    assert_eq!(*flag, 0);
    let placed = PlaceOrderResponse::decode(message.as_slice()).unwrap();
    assert_eq!(placed.order.unwrap().order_id, placing.id());
    let trailers = first.web_trailers();
    assert_eq!(trailers["grpc-status"], "0");
    assert!(!trailers.contains_key("orders-replayed"));

    let again = post(&server.address, PLACE, PAGE, &body(&placing.0)).await;
    let trailers = again.web_trailers();
    assert_eq!(trailers["grpc-status"], "0");
    assert_eq!(trailers["orders-replayed"], "true");
    client.until(&placing.id(), OrderState::InTransit).await;
}

#[tokio::test]
async fn the_text_form_is_spoken_too() {
    let server = shared().await;
    let sku = sku();
    server.client().await.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku);
    let headers = [
        ("content-type", "application/grpc-web-text"),
        ("accept", "application/grpc-web-text"),
        ("origin", PAGE),
    ];
    let text = BASE64_STANDARD.encode(body(&placing.0));
    let sent = Http1::send(&server.address, "POST", PLACE, &headers, text.as_bytes()).await;
    let mut answer = sent.answer().await;
    // Each frame is encoded for itself, with its own padding.
    let text = String::from_utf8(answer.body).unwrap();
    let parts = text
        .split_inclusive("==")
        .flat_map(|part| match part.ends_with("==") {
            true => vec![part],
            false => part.split_inclusive('=').collect(),
        });
    let decoded = parts.map(|part| BASE64_STANDARD.decode(part).unwrap());
    answer.body = decoded.collect::<Vec<_>>().concat();
    assert_eq!(answer.web_trailers()["grpc-status"], "0");
    assert_eq!(frames(&answer.body).len(), 2);
}

#[tokio::test]
async fn errors_arrive_with_their_details() {
    let address = &shared().await.address;
    let empty = body(&PlaceOrderRequest::default());
    let answer = post(address, PLACE, PAGE, &empty).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), WEB);
    let refused = Refused::from(answer.grpc_status());
    assert_eq!(refused.code, Code::InvalidArgument);
    assert_eq!(refused.reason, "INVALID_REQUEST");
    assert!(refused.fields().contains(&"customer_id".to_owned()));

    // tonic's own errors, and those of the way in.
    let broken = post(address, PLACE, PAGE, &frame(0, &[0x0b])).await;
    assert_eq!(
        Refused::from(broken.grpc_status()).reason,
        "MALFORMED_REQUEST"
    );
    let unknown = post(address, "/orders.v1.OrderService/No", PAGE, &empty).await;
    assert_eq!(
        Refused::from(unknown.grpc_status()).reason,
        "UNKNOWN_METHOD"
    );
}

#[tokio::test]
async fn a_stream_comes_answer_by_answer() {
    let address = &shared().await.address;
    let request = HealthCheckRequest {
        service: String::new(),
    };
    let headers = [("content-type", WEB), ("origin", PAGE)];
    let path = "/grpc.health.v1.Health/Watch";
    let body = frame(0, &request.encode_to_vec());
    let mut sent = Http1::send(address, "POST", path, &headers, &body).await;
    let answer = sent.until(|answer| !frames(&answer.body).is_empty()).await;
    assert_eq!(answer.header("content-type"), WEB);
    let (flag, message) = &frames(&answer.body)[0];
    assert_eq!(*flag, 0);
    let status = HealthCheckResponse::decode(message.as_slice()).unwrap();
    assert_eq!(status.status, 1);
    // It is still open: no trailers yet.
    assert!(answer.web_trailers().is_empty());
}

#[tokio::test]
async fn an_order_is_followed_to_its_end() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let request = WatchOrderRequest {
        order_id: id.clone(),
        after_revision: 0,
    };
    let headers = [("content-type", WEB), ("origin", PAGE)];
    let path = "/orders.v1.OrderService/WatchOrder";
    let body = frame(0, &request.encode_to_vec());
    let mut sent = Http1::send(&server.address, "POST", path, &headers, &body).await;
    let begun = sent.until(|answer| !frames(&answer.body).is_empty()).await;
    assert!(begun.web_trailers().is_empty());
    client.cancel(&id).await.unwrap();
    let answer = sent.answer().await;
    assert_eq!(answer.web_trailers()["grpc-status"], "0");
    let mut answers = frames(&answer.body);
    answers.pop();
    let decode = |(_, message): &(u8, Vec<u8>)| WatchOrderResponse::decode(message.as_slice());
    let orders = answers
        .iter()
        .map(|frame| decode(frame).unwrap().order.unwrap());
    let orders: Vec<_> = orders.collect();
    let revisions: Vec<i64> = orders.iter().map(|order| order.revision).collect();
    let all: Vec<i64> = (1..=orders.len() as i64).collect();
    assert_eq!(revisions, all);
    assert_eq!(orders.last().unwrap().state(), OrderState::Cancelled);
}

#[tokio::test]
async fn a_foreign_page_changes_nothing() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku);
    let request = body(&placing.0);
    for origin in [FOREIGN, "null", "http://localhost.evil.example:5173"] {
        let answer = post(&server.address, PLACE, origin, &request).await;
        let refused = Refused::from(answer.grpc_status());
        assert_eq!(refused.code, Code::PermissionDenied, "{origin}");
        assert_eq!(refused.reason, "ORIGIN_NOT_ALLOWED", "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    // A page whose host name was pointed here after it was opened: it is of the same origin for its
    // browser, which still tells its name.
    let port = server.address.rsplit(':').next().unwrap();
    let rebound = format!("http://rebound.example:{port}");
    let headers = [
        ("host", rebound.trim_start_matches("http://")),
        ("content-type", WEB),
        ("origin", &rebound),
    ];
    let headers = &headers[1..];
    let sent = Http1::send(&server.address, "POST", PLACE, headers, &request).await;
    let refused = Refused::from(sent.answer().await.grpc_status());
    assert_eq!(refused.reason, "ORIGIN_NOT_ALLOWED");
    // Also by HTTP/2, without gRPC-Web.
    let headers = [("origin", FOREIGN)];
    let answer = raw::grpc(&server.address, PLACE, &headers, request.clone()).await;
    assert_eq!(
        Refused::from(answer.grpc_status()).code,
        Code::PermissionDenied
    );
    // A form of a page, which browsers send without asking first.
    let headers = [("content-type", "text/plain"), ("origin", PAGE)];
    let sent = Http1::send(&server.address, "POST", PLACE, &headers, &request).await;
    assert_eq!(sent.answer().await.status, 400);

    let query = "SELECT count(*) FROM orders WHERE order_id = $1";
    assert_eq!(server.count(query, &placing.id()).await, 0);
    // Nothing was wrong with the order itself.
    let placed = post(&server.address, PLACE, PAGE, &request).await;
    assert_eq!(placed.web_trailers()["grpc-status"], "0");
    assert_eq!(server.count(query, &placing.id()).await, 1);
}

#[tokio::test]
async fn the_pages_that_may_call_are_a_setting() {
    let options = ServerOptions::default();
    let options = options.arg("--web-origin").arg("https://shop.example.com");
    let server = beside_shared(options).await;
    let shop = "https://shop.example.com";
    let preflight = preflight(&server.address, shop).await;
    assert_eq!(preflight.header("access-control-allow-origin"), shop);
    let empty = body(&PlaceOrderRequest::default());
    let answer = post(&server.address, PLACE, shop, &empty).await;
    assert_eq!(answer.grpc_status().code(), Code::InvalidArgument);
    let answer = post(&server.address, PLACE, PAGE, &empty).await;
    assert_eq!(answer.grpc_status().code(), Code::PermissionDenied);

    // Without pages there is no HTTP/1 at all.
    let server = beside_shared(ServerOptions::default().arg("--web-origin").arg("none")).await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let _ = stream
        .write_all(b"POST / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await;
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
    assert!(!read.starts_with(b"HTTP/1"), "{read:?}");
    // Whoever is no page is not concerned.
    server.client().await.stock(&sku(), 1).await;
}
