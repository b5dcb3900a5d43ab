//! Signals and updates with contents that no call of the API could have.

use super::raw;
use orders::v1::{OrderEvent, OrderState, SetStockItemRequest, StockItem};
use orders_test_support::{
    Client, Placing, eventually, order::dollars, shared, sku, temporal::run_cli, unique,
};
use serde_json::{Value, json};
use tonic::Code;

const COUNTED: &str = "SELECT refused_signals FROM orders WHERE order_id = $1";

fn pay(field: &str, value: Value) -> Value {
    let mut command = json!({"type": "confirm_payment", "transaction_id": "bank",
        "amount": {"currency": "USD", "minor": 1_999}, "last4": ""});
    *command.pointer_mut(field).unwrap() = value;
    command
}

fn moved(field: &str, value: &str) -> Value {
    let mut address = json!({"line1": "1 Main St", "line2": "", "city": "Boston", "region": "MA",
        "postal_code": "02101", "country_code": "US"});
    address[field] = json!(value);
    json!({"type": "update_shipping_address", "shipping_address": address})
}

fn contents() -> Vec<Value> {
    let long = "q".repeat(20_012);
    let mut all = vec![
        pay("/transaction_id", json!("")),
        pay("/transaction_id", json!("a\u{202e}b")),
        pay("/last4", json!("4111111111111111")),
        pay("/last4", json!("x".repeat(3_000))),
        pay(
            "/amount/currency",
            json!(format!("usd\u{202e}{}", "z".repeat(2_000))),
        ),
        pay("/amount/minor", json!(0)),
        pay("/amount/minor", json!(-5)),
        pay("/amount/minor", json!(i64::MAX)),
        json!({"type": "cancel_order", "reason": long}),
        json!({"type": "cancel_order", "reason": "nul\0"}),
        json!({"type": "confirm_pickup", "tracking_number": "a\u{1b}[31m"}),
    ];
    for (field, value) in [
        ("line1", ""),
        ("line1", "a\0b"),
        ("line2", &long[..201]),
        ("city", " "),
        ("region", &long[..101]),
        ("postal_code", ""),
        ("country_code", "zz!"),
    ] {
        all.push(moved(field, value));
    }
    all
}

async fn waiting(client: &Client) -> String {
    let sku = sku();
    client.stock(&sku, 2).await;
    let mut placing = Placing::new("external-payment", &sku);
    placing.0.payment_method = None;
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    id
}

/// No event shows anything hidden, or grows without bound.
fn assert_clean(events: &[OrderEvent]) {
    for event in events {
        // Hidden characters are escapes in here.
        let shown = format!("{event:?}");
        assert!(shown.len() < 4_000, "{shown}");
        assert!(!shown.contains("\\u{") && !shown.contains("\\0"), "{shown}");
    }
}

#[tokio::test]
async fn a_signal_with_contents_that_no_call_could_have_is_refused_and_counted() {
    let server = shared().await;
    let (client, address) = (server.client().await, server.temporal_address());
    let id = waiting(&client).await;
    let before = client.get(&id).await;
    let mut signals: Vec<Value> = contents()
        .into_iter()
        .map(|command| json!({"actor": "joe", "command": command}))
        .collect();
    let cancel = json!({"type": "cancel_order", "reason": "by nobody"});
    for request_id in ["signal/run/1", "temporal-cancel/run"] {
        signals.push(json!({"request_id": request_id, "command": cancel}));
    }
    signals.push(json!({"expected_revision": -5, "command": cancel}));
    for signal in &signals {
        raw::signal(&address, &id, signal).await;
    }
    eventually("the refusals", async || {
        (server.count(COUNTED, &id).await == signals.len() as i64).then_some(())
    })
    .await;
    let after = client.get(&id).await;
    assert_eq!(after.state(), OrderState::AwaitingPayment);
    assert_eq!(after.payment, before.payment);
    assert_eq!(after.shipping_address, before.shipping_address);
    assert_clean(&client.events(&id).await);
    // One that is right needs no request id, and counts.
    let right = pay("/transaction_id", json!(unique("bank")));
    raw::signal(&address, &id, &json!({"command": right})).await;
    client.until(&id, OrderState::InTransit).await;
}

#[tokio::test]
async fn nobody_is_no_reviewer() {
    let server = shared().await;
    let (client, address) = (server.client().await, server.temporal_address());
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("approval", &sku).price(8_999, 0);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingApproval).await;
    let reviewers = ["", " ", "anonymous", "orders", "Temporal", "ada\u{200b}"];
    for reviewer in reviewers {
        let review = json!({"type": "review_order", "decision": "APPROVE", "reviewer": reviewer});
        raw::signal(&address, &id, &json!({"actor": "joe", "command": review})).await;
    }
    eventually("the refusals", async || {
        (server.count(COUNTED, &id).await == reviewers.len() as i64).then_some(())
    })
    .await;
    assert_eq!(client.get(&id).await.state(), OrderState::AwaitingApproval);
    let review = json!({"type": "review_order", "decision": "APPROVE", "reviewer": "ada"});
    raw::signal(&address, &id, &json!({"command": review})).await;
    client.until(&id, OrderState::InTransit).await;
}

#[tokio::test]
async fn an_update_with_contents_that_no_call_could_have_is_refused() {
    let server = shared().await;
    let (client, address) = (server.client().await, server.temporal_address());
    let id = waiting(&client).await;
    let before = client.get(&id).await;
    for command in contents() {
        let request = json!({"request_id": unique("raw"), "actor": "joe", "command": command});
        let workflow = format!("order/{id}");
        let input = request.to_string();
        let args = ["workflow", "update", "execute", "--name", "command"];
        let args = [&args[..], &["--workflow-id", &workflow, "--input", &input]].concat();
        let refused = run_cli(&address, &args).unwrap_err();
        let is_said = refused.contains("must") || refused.contains("is required");
        assert!(is_said, "{request}: {refused}");
    }
    assert_eq!(client.get(&id).await.revision, before.revision);
    let total = dollars(19, 990_000_000);
    client.confirm_payment(&id, total).await.unwrap();
}

/// The ids that the service makes itself cannot be taken in advance, so that a cancellation in Temporal's own UI
/// and a signal without an id always count.
#[tokio::test]
async fn the_request_ids_of_the_service_are_not_for_callers() {
    let server = shared().await;
    let (client, address) = (server.client().await, server.temporal_address());
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let run = client.get(&id).await.run_id;
    for request_id in [format!("temporal-cancel/{run}"), format!("signal/{run}/1")] {
        let request = SetStockItemRequest {
            stock_item: Some(StockItem {
                sku: sku.clone(),
                on_hand: Some(1),
                ..StockItem::default()
            }),
            request_id: request_id.clone(),
            ..SetStockItemRequest::default()
        };
        let refused = client.inventory.clone().set_stock_item(request).await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
        let request = orders::v1::CancelOrderRequest {
            order_id: id.clone(),
            request_id: request_id.clone(),
            ..orders::v1::CancelOrderRequest::default()
        };
        let refused = client.orders.clone().cancel_order(request).await;
        let refused = orders_test_support::Refused::from(refused.unwrap_err());
        assert_eq!(refused.fields(), ["request_id"]);
    }
    let workflow = format!("order/{id}");
    let args = ["workflow", "cancel", "--workflow-id", &workflow];
    run_cli(&address, &args).unwrap();
    client.until(&id, OrderState::Cancelled).await;
}
