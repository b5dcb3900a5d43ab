//! Signals and commands of one order are applied in the order in which they came.

use super::updated;
use futures::future::join_all;
use orders::v1::{
    SignalOrderRequest, UpdateShippingAddressRequest, signal_order_request as signal,
};
use orders_test_support::{Client, eventually, order::address, shared, sku, unique};

const ORDERS: usize = 30;

/// Signals that the parcel goes to another street.
pub async fn signal_move(client: &Client, id: &str, request_id: &str, street: &str) {
    let asked = signal::UpdateShippingAddress {
        shipping_address: Some(address(street)),
    };
    let request = SignalOrderRequest {
        order_id: id.to_owned(),
        request_id: request_id.to_owned(),
        command: Some(signal::Command::UpdateShippingAddress(asked)),
        ..SignalOrderRequest::default()
    };
    client.orders.clone().signal_order(request).await.unwrap();
}

async fn command_move(client: &Client, id: &str, request_id: &str, street: &str) {
    let request = UpdateShippingAddressRequest {
        order_id: id.to_owned(),
        request_id: request_id.to_owned(),
        shipping_address: Some(address(street)),
        ..UpdateShippingAddressRequest::default()
    };
    let mut orders = client.orders.clone();
    orders.update_shipping_address(request).await.unwrap();
}

async fn in_sequence(client: &Client, sku: &str, is_signal: impl Fn(usize) -> bool) {
    let id = client.held(sku).await;
    let mut asked = Vec::new();
    for number in 1..=5 {
        let (request_id, street) = (unique("move"), format!("{number} Street"));
        if is_signal(number) {
            signal_move(client, &id, &request_id, &street).await;
        } else {
            command_move(client, &id, &request_id, &street).await;
        }
        asked.push(request_id);
    }
    let applied = eventually("all addresses", async || {
        let applied = updated(client, &id).await;
        (applied.len() == asked.len()).then_some(applied)
    })
    .await;
    assert_eq!(applied, asked, "{id}");
    let order = client.get(&id).await;
    assert_eq!(order.shipping_address.unwrap().line1, "5 Street", "{id}");
}

#[tokio::test]
async fn signals_are_applied_in_the_order_of_their_answers() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, ORDERS as i64).await;
    join_all((0..ORDERS).map(|_| in_sequence(&client, &sku, |_| true))).await;
}

#[tokio::test]
async fn a_command_does_not_overtake_the_signals_before_it() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, ORDERS as i64).await;
    join_all((0..ORDERS).map(|_| in_sequence(&client, &sku, |number| number % 2 == 1))).await;
}
