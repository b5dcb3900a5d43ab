//! Orders as Temporal's own tools see them: found by their search attributes, asked and told by the
//! `temporal` command line, with nothing of ours.

use futures::TryStreamExt;
use orders::v1::{CloseReason, OrderState};
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, eventually, shared, sku, temporal, unique,
};
use std::process::Command;
use temporalio_client::{WorkflowCountOptions, WorkflowListOptions};

/// The ids of the workflows that a query finds, by the list API; the count API must agree.
async fn found(server: &TestServer, query: &str) -> Vec<String> {
    let client = temporal::connect(&server.temporal_address()).await;
    let listed = client.list_workflows(query, WorkflowListOptions::default());
    let listed: Vec<_> = listed.try_collect().await.unwrap();
    let counted = client.count_workflows(query, WorkflowCountOptions::default());
    if counted.await.unwrap().count() != listed.len() {
        // The index is a moment behind: asked again by who waits.
        return Vec::new();
    }
    listed.iter().map(|found| found.id().to_owned()).collect()
}

async fn until_found(server: &TestServer, query: &str, id: &str) {
    let only = [format!("order/{id}")];
    eventually(&format!("only {id} to be found by {query}"), async || {
        (found(server, query).await == only).then_some(())
    })
    .await;
}

#[tokio::test]
async fn orders_are_found_by_state_customer_and_policy() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 3).await;
    let customer = unique("customer");
    let placing = |policy: &str| {
        let mut placing = match policy {
            "pre-order" => Placing::pre_order(&sku, 30),
            policy => Placing::new(policy, &sku),
        };
        placing.0.customer_id.clone_from(&customer);
        placing
    };
    let (held, other) = (placing("pre-order"), placing("standard"));
    let (held_id, other_id) = (held.id(), other.id());
    client.place(held).await;
    client.place(other).await;
    client.until(&held_id, OrderState::AwaitingRelease).await;
    client.until(&other_id, OrderState::InTransit).await;

    let query = |state: &str, policy: &str| {
        format!(
            "OrderState = \"{state}\" AND CustomerId = \"{customer}\" AND OrderPolicy = \"{policy}\""
        )
    };
    until_found(server, &query("AWAITING_RELEASE", "pre-order"), &held_id).await;
    until_found(server, &query("IN_TRANSIT", "standard"), &other_id).await;

    complete(&client, &held_id).await;
    until_found(server, &query("COMPLETED", "pre-order"), &held_id).await;
    let before = found(server, &query("AWAITING_RELEASE", "pre-order")).await;
    assert!(before.is_empty(), "{before:?}");
    let both = format!("CustomerId = \"{customer}\"");
    assert_eq!(found(server, &both).await.len(), 2);
}

#[tokio::test]
async fn where_orders_stand_need_not_be_shown() {
    let temporal = shared().await.temporal_address();
    let queue = unique("queue");
    let options = ServerOptions::with_temporal(&temporal)
        .arg("--no-order-state")
        .arg("--task-queue")
        .arg(&queue);
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let customer = unique("customer");
    let mut placing = Placing::pre_order(&sku, 30);
    placing.0.customer_id.clone_from(&customer);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    complete(&client, &id).await;
    let query = format!("CustomerId = \"{customer}\" AND OrderPolicy = \"pre-order\"");
    until_found(&server, &query, &id).await;
    let (events, _) = temporal::left_by(&temporal, &format!("order/{id}")).await;
    let events: Vec<String> = events.iter().map(temporal::name).collect();
    let shown = |event: &&String| event.contains("SEARCH_ATTRIBUTES");
    assert_eq!(events.iter().find(shown), None, "{events:#?}");
    // 28, and at most one workflow task more, of three events.
    assert!(events.len() <= 31, "{events:#?}");
    let with_state = format!("{query} AND OrderState IS NOT NULL");
    assert!(found(&server, &with_state).await.is_empty());
}

async fn complete(client: &Client, id: &str) {
    client.start_fulfillment(id).await.unwrap();
    client.until_pickup_requested(id).await;
    client.confirm_pickup(id).await.unwrap();
    client.confirm_delivery(id).await.unwrap();
    client.until(id, OrderState::Completed).await;
}

/// Temporal's command line, about one order.
struct TemporalCli {
    address: String,
    workflow: String,
}

impl TemporalCli {
    fn of(server: &TestServer, order_id: &str) -> TemporalCli {
        TemporalCli {
            address: server.temporal_address(),
            workflow: format!("order/{order_id}"),
        }
    }

    fn run(&self, args: &[&str]) -> String {
        let program = temporal::tool("temporal").expect("run `make tools`");
        let output = Command::new(program)
            .args(args)
            .args(["--workflow-id", &self.workflow, "--address", &self.address])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The answer to a query.
    fn query(&self, name: &str) -> serde_json::Value {
        let answer = self.run(&["workflow", "query", "--type", name, "--output", "json"]);
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["queryResult"][0].clone()
    }
}

/// How it shows an answer that is none: the encoding `binary/null`.
fn nothing() -> serde_json::Value {
    serde_json::json!({"metadata": {"encoding": "YmluYXJ5L251bGw="}})
}

#[tokio::test]
async fn an_order_is_asked_and_told_by_temporals_command_line() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let cli = TemporalCli::of(server, &id);
    assert_eq!(cli.query("status"), "AWAITING_RELEASE");
    assert_eq!(cli.query("deadline")["kind"], "RELEASE");
    // It shows an empty list as null, and nothing at all as a payload without data.
    assert_eq!(cli.query("compensations"), serde_json::Value::Null);
    assert_eq!(cli.query("estimated_delivery"), nothing());
    let order = cli.query("order");
    assert_eq!(order["order_id"], id.as_str());
    assert_eq!(order["payment"]["captured"], 1_999);

    let cancel = "{\"command\": {\"type\": \"cancel_order\", \"reason\": \"told by hand\"}}";
    cli.run(&["workflow", "signal", "--name", "command", "--input", cancel]);
    let closed = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(closed.close_reason(), CloseReason::CustomerCancelled);
    assert_eq!(closed.cancel_reason, "told by hand");
    eventually("the workflow's end", async || {
        let events = temporal::history(&cli.address, &id).await;
        (events.last()? == "WORKFLOW_EXECUTION_COMPLETED").then_some(())
    })
    .await;
    // A closed workflow answers, too.
    assert_eq!(cli.query("status"), "CANCELLED");
    assert_eq!(cli.query("deadline"), nothing());
    let compensations = cli.query("compensations");
    assert_eq!(compensations[0]["effect"], "release_reservation");
    assert_eq!(compensations[1]["effect"], "refund_payment");
    assert_eq!(compensations[1]["outcome"], "DONE");
}

#[tokio::test]
async fn a_closed_workflow_tells_when_the_parcel_should_arrive() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("stock", &sku);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Completed).await;
    let shipment = order.shipment.unwrap();
    let cli = TemporalCli::of(server, &id);
    let told = eventually("the workflow to know of its end", async || {
        (cli.query("status") == "COMPLETED").then(|| cli.query("estimated_delivery"))
    })
    .await;
    let expected = shipment.estimated_delivery_time.unwrap().to_string();
    let seconds = |text: &str| text.get(..19).map(str::to_owned);
    assert_eq!(seconds(told.as_str().unwrap()), seconds(&expected));
}
