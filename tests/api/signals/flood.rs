//! More signals than anybody should send to one order.

use super::{raw, sequence::signal_move, updated};
use crate::operations::verify::verify;
use orders::v1::{OrderState, SignalOrderRequest, signal_order_request as signal};
use orders_domain::order::Order;
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, TestTemporal, eventually, shared, sku,
    temporal::{self, connect},
    unique,
};
use serde_json::{Value, json};
use std::path::Path;
use tonic::Code;

/// What the process that works off a burst may take.
const MEMORY: usize = 600 * 1024 * 1024;

const UPDATED: &str = "SELECT count(*) FROM order_events
     WHERE order_id = $1 AND type = 'SHIPPING_ADDRESS_UPDATED'";

fn move_to(street: &str) -> Value {
    json!({"command": {"type": "update_shipping_address", "shipping_address": {
        "line1": street, "city": "San Francisco", "postal_code": "94105", "country_code": "US",
    }}})
}

/// A server without a worker, with an order that waits for one.
struct Waiting {
    temporal: TestTemporal,
    folder: tempfile::TempDir,
    server: TestServer,
    client: Client,
    sku: String,
    id: String,
}

fn options(temporal: &TestTemporal, folder: &Path) -> ServerOptions {
    ServerOptions::with_temporal(&temporal.address)
        .policies()
        .data_dir(folder)
}

async fn waiting() -> Waiting {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(options(&temporal, folder.path()).arg("--no-worker")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    client.place(placing).await;
    Waiting {
        temporal,
        folder,
        server,
        client,
        sku,
        id,
    }
}

impl Waiting {
    /// Lets a worker come, and sees that the burst is worked off, and that nothing else suffers.
    async fn drains(self, signals: i64, last: &str) {
        let Waiting {
            temporal,
            folder,
            server,
            id,
            sku,
            client,
        } = self;
        drop(client);
        assert_eq!(server.stop().await, Some(0));
        let server = TestServer::start(options(&temporal, folder.path())).await;
        let client = server.client().await;
        // Another order goes its way meanwhile.
        let other = client.held(&sku).await;
        client.cancel(&other).await.unwrap();
        client.until(&other, OrderState::Cancelled).await;

        eventually("the burst to be worked off", async || {
            (server.count(UPDATED, &id).await == signals).then_some(())
        })
        .await;
        let order = client.until(&id, OrderState::AwaitingRelease).await;
        assert_eq!(order.shipping_address.unwrap().line1, last);
        let rows = "SELECT count(*) FROM order_events WHERE order_id = $1";
        assert_eq!(server.count(rows, &id).await, order.revision);
        // Whoever commands the order now is answered.
        client.cancel(&id).await.unwrap();
        client.until(&id, OrderState::Cancelled).await;
        let workflow = Order::workflow_id(&id);
        raw::until_ended(&temporal.address, &workflow, "WORKFLOW_EXECUTION_COMPLETED").await;
        let failed = temporal::failed_tasks(&temporal.address, &workflow).await;
        assert!(failed.is_empty(), "{failed:?}");
        let memory = server.process.memory();
        println!("{signals} signals: {} MiB", memory / 1024 / 1024);
        assert!(memory < MEMORY, "{memory} bytes");
        assert_eq!(server.stop().await, Some(0));
        let args = ["--temporal-address", &temporal.address];
        let ran = tokio::task::block_in_place(|| verify(folder.path(), &args));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_that_came_while_no_worker_ran_is_worked_off() {
    const SIGNALS: i64 = 400;
    let waiting = waiting().await;
    for number in 1..=SIGNALS {
        let street = format!("{number} Street");
        signal_move(&waiting.client, &waiting.id, &unique("move"), &street).await;
    }
    waiting.drains(SIGNALS, "400 Street").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: as many signals as Temporal lets a workflow have"]
async fn ten_thousand_waiting_signals_are_worked_off() {
    const SIGNALS: i64 = 10_000;
    let waiting = waiting().await;
    let temporal = connect(&waiting.temporal.address).await;
    for number in 1..=SIGNALS {
        let street = move_to(&format!("{number} Street"));
        raw::send(&temporal, &waiting.id, &street).await.unwrap();
    }
    // One more is refused by Temporal, and the caller is told to come back later.
    let street = signal::UpdateShippingAddress {
        shipping_address: Some(orders_test_support::order::address("no Street")),
    };
    let request = SignalOrderRequest {
        order_id: waiting.id.clone(),
        request_id: unique("move"),
        command: Some(signal::Command::UpdateShippingAddress(street)),
        ..SignalOrderRequest::default()
    };
    let refused = waiting.client.orders.clone().signal_order(request).await;
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    waiting.drains(SIGNALS, "10000 Street").await;
}

#[tokio::test]
async fn refused_signals_are_counted_and_not_stored_one_by_one() {
    const SIGNALS: i64 = 120;
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let before = client.get(&id).await.revision;
    let temporal = connect(&server.temporal_address()).await;
    for _ in 0..SIGNALS {
        let delivery = json!({"command": {"type": "confirm_delivery"}});
        raw::send(&temporal, &id, &delivery).await.unwrap();
    }
    let counted = "SELECT refused_signals FROM orders WHERE order_id = $1";
    eventually("all refusals to be counted", async || {
        (server.count(counted, &id).await == SIGNALS).then_some(())
    })
    .await;
    assert_eq!(client.get(&id).await.revision, before + 1);
    assert_eq!(client.explain(&id).await.refused_signals, SIGNALS);
    // Through the API, the caller hears it.
    let delivery = signal::ConfirmDelivery {};
    let request = SignalOrderRequest {
        order_id: id.clone(),
        request_id: unique("signal"),
        command: Some(signal::Command::ConfirmDelivery(delivery)),
        ..SignalOrderRequest::default()
    };
    let refused = client.orders.clone().signal_order(request).await;
    assert_eq!(refused.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(client.get(&id).await.revision, before + 1);
    client.cancel(&id).await.unwrap();
    client.until(&id, OrderState::Cancelled).await;
}

/// A history that grows while the order waits is cut in time: refused signals change no order, and the
/// workflow waits for weeks.
#[tokio::test]
async fn refused_signals_do_not_make_a_history_without_end() {
    let temporal = TestTemporal::with_short_histories(200).await;
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start(options(&temporal, folder.path())).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let raw_client = connect(&temporal.address).await;
    for _ in 0..300 {
        let delivery = json!({"command": {"type": "confirm_delivery"}});
        raw::send(&raw_client, &id, &delivery).await.unwrap();
    }
    eventually("a new run", async || {
        let events = temporal::history(&temporal.address, &id).await;
        (events.len() < 200 && !events.is_empty()).then_some(())
    })
    .await;
    let street = unique("move");
    signal_move(&client, &id, &street, "1 Street").await;
    eventually("the address", async || {
        (updated(&client, &id).await == [street.clone()]).then_some(())
    })
    .await;
    client.cancel(&id).await.unwrap();
    client.until(&id, OrderState::Cancelled).await;
}
