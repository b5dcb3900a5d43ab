//! gzip, both ways.

use orders::v1::PlaceOrderRequest;
use orders_test_support::{
    Client, Placing, Refused, ServerOptions, beside_shared,
    raw::{self, frame, frames},
    shared, sku,
};
use tonic::{Code, codec::CompressionEncoding::Gzip};

#[tokio::test]
async fn requests_may_be_compressed() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku);
    let id = placing.id();
    let mut orders = client
        .orders
        .clone()
        .send_compressed(Gzip)
        .accept_compressed(Gzip);
    let placed = orders.place_order(placing.0).await.unwrap();
    assert_eq!(placed.metadata().get("grpc-encoding").unwrap(), "gzip");
    assert_eq!(placed.into_inner().order.unwrap().order_id, id);
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_say_that_they_take_it() {
    let address = &shared().await.address;
    let path = "/orders.v1.OrderService/ListPolicies";
    let plain = raw::grpc(address, path, &[], frame(0, &[])).await;
    let accept = [("grpc-accept-encoding", "br,gzip")];
    let small = raw::grpc(address, path, &accept, frame(0, &[])).await;
    assert_eq!(plain.header("grpc-encoding"), "");
    assert_eq!(frames(&plain.body)[0].0, 0);
    assert_eq!(small.header("grpc-encoding"), "gzip");
    assert_eq!(frames(&small.body)[0].0, 1);
    let (plain, small) = (plain.body.len(), small.body.len());
    println!("ListPolicies: {plain} bytes, {small} with gzip");
    assert!(small * 2 < plain, "{small} of {plain}");
}

/// The most memory that a process has had, in MiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn a_small_request_that_unpacks_to_a_large_one_is_refused_before_it_is_large() {
    let server = beside_shared(ServerOptions::default()).await;
    let client = Client::connect(&server.address).await;
    let bomb = PlaceOrderRequest {
        customer_id: "0".repeat(128 * 1024 * 1024),
        ..PlaceOrderRequest::default()
    };
    let before = peak(server.process.pid());
    let mut orders = client.orders.clone().send_compressed(Gzip);
    let refused = Refused::from(orders.place_order(bomb).await.unwrap_err());
    assert_eq!(refused.code, Code::ResourceExhausted);
    assert_eq!(refused.reason, "REQUEST_TOO_LARGE");
    let grown = peak(server.process.pid()) - before;
    println!("a request of 128 MiB in 128 KiB of gzip made the server grow by {grown} MiB");
    assert!(grown < 32, "{grown} MiB");
}
