//! What can never succeed ends, and nobody goes by the names of the service.

use super::raw;
use orders::v1::OrderState;
use orders_test_support::{Client, Placing, TestServer, eventually, postgres, shared, sku, unique};
use serde_json::{Value, json};

const COUNTED: &str = "SELECT refused_signals FROM orders WHERE order_id = $1";

async fn held() -> (&'static TestServer, Client, String) {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    (server, client, id)
}

#[tokio::test]
async fn a_signal_that_the_api_would_not_take_is_refused() {
    let (server, client, id) = held().await;
    let long = "x".repeat(20_000);
    let cancel = json!({"type": "cancel_order", "reason": "by nobody"});
    let resolve = json!({"type": "resolve_payment", "step": "charge_payment",
        "outcome": "SUCCEEDED", "transaction_id": "made-up", "evidence": "trust me", "reason": "x"});
    let signals: Vec<Value> = vec![
        json!({"request_id": "w\u{0}b", "command": cancel}),
        json!({"request_id": long, "command": cancel}),
        json!({"actor": "orders", "command": cancel}),
        json!({"actor": "temporal", "command": cancel}),
        json!({"actor": "bob\u{1b}[31m\n2026-01-01", "command": cancel}),
        json!({"actor": "grace", "command": resolve}),
    ];
    for signal in &signals {
        raw::signal(&server.temporal_address(), &id, signal).await;
    }
    eventually("the refusals", async || {
        (server.count(COUNTED, &id).await == signals.len() as i64).then_some(())
    })
    .await;
    let events = client.events(&id).await;
    for event in &events {
        let shown = event.actor.chars().chain(event.request_id.chars());
        assert!(shown.clone().all(|c| !c.is_control()), "{event:?}");
        assert!(event.request_id.len() < 1_000, "{event:?}");
    }
    // It is as it was, and goes its way.
    assert_eq!(client.get(&id).await.state(), OrderState::AwaitingRelease);
    client.cancel(&id).await.unwrap();
    client.until(&id, OrderState::Cancelled).await;
    let workflow = format!("order/{id}");
    let address = server.temporal_address();
    raw::until_ended(&address, &workflow, "WORKFLOW_EXECUTION_COMPLETED").await;
}

/// A text that the database does not take (PostgreSQL has no NUL) is refused and holds nothing up: a
/// signal after it is applied.
#[tokio::test]
async fn a_text_that_cannot_be_stored_holds_nothing_up() {
    if !postgres::chosen() {
        return println!("SQLite stores every text");
    }
    let server = shared().await;
    let (client, address) = (server.client().await, server.temporal_address());
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("external-payment", &sku);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    let paid = json!({"command": {"type": "confirm_payment", "transaction_id": "a\u{0}b",
        "amount": {"currency": "USD", "minor": 1_999}}});
    raw::signal(&address, &id, &paid).await;
    let moved = unique("move");
    super::sequence::signal_move(&client, &id, &moved, "1 Street").await;
    eventually("the address", async || {
        (super::updated(&client, &id).await == [moved.clone()]).then_some(())
    })
    .await;
    assert_eq!(server.count(COUNTED, &id).await, 1);
    assert_eq!(client.get(&id).await.state(), OrderState::AwaitingPayment);
}

#[tokio::test]
async fn workflows_with_garbage_input_fail() {
    let (server, _, held) = held().await;
    let address = server.temporal_address();
    let inputs = [
        json!("nonsense"),
        json!(42),
        json!(null),
        json!({"order_id": "x"}),
    ];
    for (kind, queue) in [
        ("OrderWorkflow", "orders"),
        ("ShippingWorkflow", "orders-shipping"),
        ("ReplenishmentWorkflow", "orders"),
    ] {
        for input in &inputs {
            let id = unique("garbage");
            raw::start(&address, &id, kind, queue, input).await;
            let why = raw::until_ended(&address, &id, "WORKFLOW_EXECUTION_FAILED").await;
            assert!(why.contains("cannot be read"), "{kind} {input}: {why}");
        }
    }
    // One that can be read, of an order that was never placed.
    let mut unknown = raw::order(&address, &held).await;
    let order_id = unique("unknown");
    unknown["order_id"] = json!(order_id);
    let id = format!("order/{order_id}");
    raw::start(&address, &id, "OrderWorkflow", "orders", &unknown).await;
    raw::signal(
        &address,
        &order_id,
        &json!({"command": {"type": "confirm_delivery"}}),
    )
    .await;
    let why = raw::until_ended(&address, &id, "WORKFLOW_EXECUTION_FAILED").await;
    assert!(why.contains("there is no order"), "{why}");
}

/// The id of an order's workflow is taken in advance, in every way.
#[tokio::test]
async fn an_order_whose_workflow_id_was_taken_goes_its_way() {
    let (server, client, held) = held().await;
    let address = server.temporal_address();
    let sample = raw::order(&address, &held).await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let cancel = json!({"command": {"type": "cancel_order", "reason": "planted"}});
    for (kind, queue, planted) in [
        ("OrderWorkflow", "nobody-polls-this", true),
        ("OrderWorkflow", "orders", true),
        ("NobodyHasThis", "orders", false),
        ("OrderWorkflow", "orders", false),
    ] {
        let placing = Placing::pre_order(&sku, 30);
        let id = placing.id();
        let mut input = sample.clone();
        input["order_id"] = json!(id);
        if !planted {
            input = json!("garbage");
        }
        let workflow = format!("order/{id}");
        let taken = raw::start(&address, &workflow, kind, queue, &input).await;
        if planted {
            raw::signal(&address, &id, &cancel).await;
        }
        client.place(placing).await;
        client.until(&id, OrderState::AwaitingRelease).await;
        assert_ne!(client.get(&id).await.run_id, taken, "{kind} on {queue}");
        client.start_fulfillment(&id).await.unwrap();
        client.confirm_pickup_when_requested(&id).await;
        client.confirm_delivery(&id).await.unwrap();
        client.until(&id, OrderState::Completed).await;
        let refused = client.count_events(&id, "COMMAND_REFUSED").await;
        assert_eq!(refused, 0, "{kind} on {queue}");
    }
}

/// The same later: the order's own workflow was ended by hand, and its id taken.
#[tokio::test]
async fn retry_order_replaces_a_foreign_workflow() {
    let (server, client, id) = held().await;
    let address = server.temporal_address();
    let workflow = format!("order/{id}");
    let sample = raw::order(&address, &id).await;
    orders_test_support::temporal::terminate(&address, &workflow)
        .await
        .unwrap();
    raw::start(
        &address,
        &workflow,
        "OrderWorkflow",
        "nobody-polls-this",
        &sample,
    )
    .await;
    client.retry(&id).await.unwrap();
    client.start_fulfillment(&id).await.unwrap();
    client.confirm_pickup_when_requested(&id).await;
    client.confirm_delivery(&id).await.unwrap();
    client.until(&id, OrderState::Completed).await;
}

/// The sweep finds an order that is overdue because a foreign workflow has its id.
#[tokio::test]
async fn the_sweep_replaces_a_foreign_workflow() {
    let server = shared().await;
    let client = server.client().await;
    let address = server.temporal_address();
    let sku = sku();
    client.stock(&sku, 20).await;
    // Its time to pay is short: taking the id may come too late.
    let id = eventually("an order whose id is taken", async || {
        let placing = Placing::new("quick-external", &sku);
        let id = placing.id();
        client.place(placing).await;
        let workflow = format!("order/{id}");
        let sample = raw::order(&address, &id).await;
        let ended = orders_test_support::temporal::terminate(&address, &workflow).await;
        ended.ok()?;
        raw::start(
            &address,
            &workflow,
            "OrderWorkflow",
            "nobody-polls-this",
            &sample,
        )
        .await;
        Some(id)
    })
    .await;
    // Its payment does not come in time, and somebody must see that.
    client.until(&id, OrderState::Cancelled).await;
}
