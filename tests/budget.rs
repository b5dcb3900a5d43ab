//! What an order costs in Temporal's history, from placing to closed, with all its executions. The
//! seeds' own figures stand beside the budgets, which are what it costs and at most one more workflow task.

use crate::harness::{Client, Placing, TestServer, eventually, shared, sku, temporal};
use orders::v1::{OrderState, ReviewDecision};

/// The events of a workflow's history, once it has ended.
async fn closed_history(server: &TestServer, workflow_id: &str) -> Vec<String> {
    eventually("the workflow's end", async || {
        let events = temporal::history_of(&server.temporal_address(), workflow_id).await;
        let last = events.last();
        last.is_some_and(|last| last == "WORKFLOW_EXECUTION_COMPLETED")
            .then_some(events)
    })
    .await
}

/// Prints what the order cost, and holds it to its budget.
async fn assert_budget(
    server: &TestServer,
    policy: &str,
    workflows: &[String],
    budget: usize,
    seed: usize,
) {
    let mut events = Vec::new();
    for workflow in workflows {
        events.extend(closed_history(server, workflow).await);
    }
    let count = events.len();
    println!("{policy} costs {count} history events (budget {budget}, the seed's own {seed})");
    assert!(count <= budget, "{count} events: {events:#?}");
}

fn order(id: &str) -> String {
    format!("order/{id}")
}

async fn placed(client: &Client, placing: Placing, pieces: i64) -> String {
    client
        .stock(&placing.0.line_items[0].sku.clone(), pieces)
        .await;
    let id = placing.id();
    client.place(placing).await;
    id
}

#[tokio::test]
async fn a_pre_order_costs_at_most_thirty_five_events() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    client.start_fulfillment(&id).await.unwrap();
    client.until_pickup_requested(&id).await;
    client.confirm_pickup(&id).await.unwrap();
    client.confirm_delivery(&id).await.unwrap();
    client.until(&id, OrderState::Completed).await;
    assert_budget(server, "pre-order", &[order(&id)], 35, 69).await;
}

#[tokio::test]
async fn an_external_payment_costs_at_most_twenty_six_events() {
    let server = shared().await;
    let client = server.client().await;
    let id = placed(&client, Placing::new("quick-external", &sku()), 1).await;
    let waiting = client.until(&id, OrderState::AwaitingPayment).await;
    let total = waiting.total.unwrap();
    client.confirm_payment(&id, total).await.unwrap();
    client.until(&id, OrderState::Completed).await;
    assert_budget(server, "external-payment", &[order(&id)], 26, 64).await;
}

#[tokio::test]
async fn a_stock_order_costs_at_most_seven_events() {
    let server = shared().await;
    let client = server.client().await;
    let id = placed(&client, Placing::new("stock", &sku()), 1).await;
    client.until(&id, OrderState::Completed).await;
    assert_budget(server, "stock", &[order(&id)], 7, 29).await;
}

#[tokio::test]
async fn a_shipping_lane_costs_at_most_twenty_six_events_with_its_child() {
    let server = shared().await;
    let client = server.client().await;
    let id = placed(&client, Placing::new("shipping-lane", &sku()), 1).await;
    client.until(&id, OrderState::Completed).await;
    let workflows = [order(&id), format!("shipping/{id}")];
    assert_budget(server, "shipping-lane", &workflows, 26, 54).await;
}

#[tokio::test]
async fn an_approval_below_the_threshold_costs_at_most_seventeen_events() {
    let server = shared().await;
    let client = server.client().await;
    let id = placed(&client, Placing::new("quick-approval", &sku()), 1).await;
    client.until(&id, OrderState::Completed).await;
    assert_budget(server, "approval", &[order(&id)], 17, 52).await;
}

#[tokio::test]
async fn an_approval_above_the_threshold_costs_at_most_twenty_six_events() {
    let server = shared().await;
    let client = server.client().await;
    let placing = Placing::new("quick-approval", &sku()).price(8_999, 900_000_000);
    let id = placed(&client, placing, 1).await;
    client.until(&id, OrderState::AwaitingApproval).await;
    client.review(&id, ReviewDecision::Approve).await.unwrap();
    client.until(&id, OrderState::Completed).await;
    assert_budget(
        server,
        "approval above the threshold",
        &[order(&id)],
        26,
        64,
    )
    .await;
}
