//! Signals and cancellations, by the API and by Temporal's own client.

mod contents;
mod flood;
mod garbage;
mod raw;
mod sequence;

use orders::v1::{
    CloseReason, OrderEventType, OrderState, SignalOrderRequest, signal_order_request,
};
use orders_test_support::{Client, Placing, shared, sku, temporal, unique};
use serde_json::json;
use std::process::Command;

/// The request ids of an order's new addresses, oldest first.
async fn updated(client: &Client, id: &str) -> Vec<String> {
    let events = client.events(id).await.into_iter();
    let moved = events.filter(|event| event.r#type() == OrderEventType::ShippingAddressUpdated);
    moved.map(|event| event.request_id).collect()
}

/// Runs Temporal's own command line client.
fn cli(address: &str, args: &[&str]) -> String {
    let program = temporal::tool("temporal").expect("run `make tools`");
    let output = Command::new(program)
        .args(args)
        .args(["--address", address])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {text}{errors}");
    text
}

#[tokio::test]
async fn a_signal_that_cannot_be_read_harms_nothing() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let address = server.temporal_address();
    let workflow = format!("order/{id}");
    for input in [
        "\"nonsense\"",
        "{\"command\": {\"type\": \"explode\"}}",
        "42",
        "null",
        // Names that the API refuses, which Temporal does not.
        "{\"actor\": \"orders\", \"command\": {\"type\": \"start_fulfillment\"}}",
        "{\"actor\": \"orders\\u200b\", \"command\": {\"type\": \"start_fulfillment\"}}",
        "{\"actor\": \"bob\\u001b[31m\\n2026\", \"command\": {\"type\": \"start_fulfillment\"}}",
        "{\"request_id\": \"w\\u0000b\", \"command\": {\"type\": \"start_fulfillment\"}}",
    ] {
        let args = [
            "workflow",
            "signal",
            "--workflow-id",
            &workflow,
            "--name",
            "command",
            "--input",
            input,
        ];
        cli(&address, &args);
    }
    cli(
        &address,
        &[
            "workflow",
            "signal",
            "--workflow-id",
            &workflow,
            "--name",
            "unheard-of",
        ],
    );
    let status = cli(
        &address,
        &[
            "workflow",
            "query",
            "--workflow-id",
            &workflow,
            "--type",
            "status",
        ],
    );
    assert!(status.contains("AWAITING_RELEASE"), "{status}");
    client.start_fulfillment(&id).await.unwrap();
    client.confirm_pickup(&id).await.unwrap();
    client.confirm_delivery(&id).await.unwrap();
    client.until(&id, OrderState::Completed).await;
    let query = [
        "workflow",
        "query",
        "--workflow-id",
        &workflow,
        "--type",
        "order",
    ];
    assert!(
        cli(&address, &query).contains("COMPLETED"),
        "closed ones answer queries too"
    );
}

#[tokio::test]
async fn signals_do_what_commands_do_and_refusals_are_recorded() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let signal = |command| SignalOrderRequest {
        order_id: id.clone(),
        request_id: unique("signal"),
        command: Some(command),
        ..SignalOrderRequest::default()
    };
    let delivery = signal_order_request::ConfirmDelivery {};
    let too_early = signal(signal_order_request::Command::ConfirmDelivery(delivery));
    let refused = client.orders.clone().signal_order(too_early).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
    let too_early = json!({"actor": "cli", "command": {"type": "confirm_delivery"}});
    raw::signal(&server.temporal_address(), &id, &too_early).await;
    let recorded = async || {
        let types = client.event_types(&id).await;
        types.contains(&"COMMAND_REFUSED".to_owned()).then_some(())
    };
    orders_test_support::eventually("the refusal to be recorded", recorded).await;
    assert_eq!(client.get(&id).await.state(), OrderState::AwaitingRelease);

    let address = server.temporal_address();
    let workflow = format!("order/{id}");
    let input = "{\"actor\": \"cli\", \"command\": {\"type\": \"cancel_order\", \"reason\": \"by signal\"}}";
    let args = [
        "workflow",
        "signal",
        "--workflow-id",
        &workflow,
        "--name",
        "command",
        "--input",
        input,
    ];
    cli(&address, &args);
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.cancel_reason, "by signal");
    let delivery = signal_order_request::ConfirmDelivery {};
    let late = signal(signal_order_request::Command::ConfirmDelivery(delivery));
    let refused = client.orders.clone().signal_order(late).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
}

/// The answer to a signal names the order as it is, not as it was before an earlier signal.
#[tokio::test]
async fn a_signal_to_an_order_that_closed_meanwhile_says_how_it_closed() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let cancel = signal_order_request::CancelOrder::default();
    let first = SignalOrderRequest {
        order_id: id.clone(),
        request_id: unique("signal"),
        command: Some(signal_order_request::Command::CancelOrder(cancel)),
        ..SignalOrderRequest::default()
    };
    let mut orders = client.orders.clone();
    orders.signal_order(first.clone()).await.unwrap();
    // Whichever moment it comes in: it is taken, or refused with the truth.
    for _ in 0..200 {
        let another = SignalOrderRequest {
            request_id: unique("signal"),
            ..first.clone()
        };
        if let Err(refused) = orders.signal_order(another).await {
            let refused = orders_test_support::Refused::from(refused);
            let state = refused.metadata("state").to_owned();
            match refused.reason.as_str() {
                "ORDER_CLOSED" => assert_eq!(state, "ORDER_STATE_CANCELLED", "{refused:?}"),
                reason => assert_eq!(reason, "COMMAND_NOT_ALLOWED", "{refused:?}"),
            }
        }
    }
    client.until(&id, OrderState::Cancelled).await;
    // The signal that closed it was done, however late it is asked about.
    let again = orders.signal_order(first).await.unwrap();
    assert_eq!(again.metadata().get("orders-replayed").unwrap(), "true");
}

#[tokio::test]
async fn a_cancel_in_temporals_own_ui_is_a_cancel_order() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let id = client.held(&sku).await;
    let address = server.temporal_address();
    let workflow = format!("order/{id}");
    cli(
        &address,
        &["workflow", "cancel", "--workflow-id", &workflow],
    );
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.close_reason(), CloseReason::CustomerCancelled);
    assert_eq!(client.stock_item(&sku).await.available, 2);

    let id = client.held(&sku).await;
    client.start_fulfillment(&id).await.unwrap();
    let workflow = format!("order/{id}");
    cli(
        &address,
        &["workflow", "cancel", "--workflow-id", &workflow],
    );
    orders_test_support::eventually("the refusal to be recorded", async || {
        let types = client.event_types(&id).await;
        types.contains(&"COMMAND_REFUSED".to_owned()).then_some(())
    })
    .await;
    client.confirm_pickup(&id).await.unwrap();
    client.confirm_delivery(&id).await.unwrap();
    client.until(&id, OrderState::Completed).await;
}

#[tokio::test]
async fn a_signal_refused_once_may_be_sent_again() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let pickup = signal_order_request::ConfirmPickup::default();
    let signal = SignalOrderRequest {
        order_id: id.clone(),
        request_id: unique("signal"),
        command: Some(signal_order_request::Command::ConfirmPickup(pickup)),
        ..SignalOrderRequest::default()
    };
    let too_early = json!({"request_id": signal.request_id, "command": {"type": "confirm_pickup"}});
    raw::signal(&server.temporal_address(), &id, &too_early).await;
    orders_test_support::eventually("the refusal to be recorded", async || {
        let types = client.event_types(&id).await;
        types.contains(&"COMMAND_REFUSED".to_owned()).then_some(())
    })
    .await;
    client.start_fulfillment(&id).await.unwrap();
    client.until_pickup_requested(&id).await;
    client
        .orders
        .clone()
        .signal_order(signal.clone())
        .await
        .unwrap();
    client.until(&id, OrderState::InTransit).await;
    let again = client
        .orders
        .clone()
        .signal_order(signal.clone())
        .await
        .unwrap();
    assert_eq!(again.metadata().get("orders-replayed").unwrap(), "true");
    let delivery = signal_order_request::ConfirmDelivery {};
    let other = SignalOrderRequest {
        command: Some(signal_order_request::Command::ConfirmDelivery(delivery)),
        ..signal
    };
    let refused = client.orders.clone().signal_order(other).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::AlreadyExists);
}

#[tokio::test]
async fn an_order_whose_workflow_was_terminated_goes_on() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let address = server.temporal_address();
    let workflow = format!("order/{id}");
    cli(
        &address,
        &["workflow", "terminate", "--workflow-id", &workflow],
    );
    client.start_fulfillment(&id).await.unwrap();
    client.confirm_pickup(&id).await.unwrap();
    client.confirm_delivery(&id).await.unwrap();
    client.until(&id, OrderState::Completed).await;
    let charges = "SELECT count(*) FROM payment_entries e JOIN payments p USING (payment_id)
                   WHERE p.order_id = $1";
    assert_eq!(server.count(charges, &id).await, 1);
}

#[tokio::test]
async fn a_raw_update_without_request_id_is_refused() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    client.place(placing).await;
    let before = client.until(&id, OrderState::AwaitingRelease).await;
    let program = temporal::tool("temporal").unwrap();
    let input = "{\"command\": {\"type\": \"start_fulfillment\"}}";
    let output = Command::new(program)
        .args([
            "workflow", "update", "execute", "--name", "command", "--input", input,
        ])
        .args(["--workflow-id", &format!("order/{id}"), "--address"])
        .arg(server.temporal_address())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("request_id is required"), "{errors}");
    assert_eq!(client.get(&id).await.revision, before.revision);
}
