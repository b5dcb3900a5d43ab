//! What an order costs in Temporal, from placing to closed, with all its executions: events of its
//! history, which are at most one workflow task more than it needs, and their bytes, which are what it
//! is measured to have and about a tenth. What the seeds cost by their own reports stands beside.

use orders::v1::{OrderState, ReviewDecision};
use orders_test_support::{Client, Placing, TestServer, shared, sku, temporal};

/// What an order may leave in Temporal.
struct Budget {
    policy: &'static str,
    events: usize,
    bytes: i64,
    /// Events of the seed's own system.
    seed: usize,
}

const PRE_ORDER: Budget = budget("pre-order", 35, 9_600, 69);
const EXTERNAL_PAYMENT: Budget = budget("external-payment", 26, 6_700, 64);
const STOCK: Budget = budget("stock", 7, 3_900, 29);
const SHIPPING_LANE: Budget = budget("shipping-lane", 26, 11_000, 54);
const APPROVAL: Budget = budget("approval", 17, 4_800, 52);
const APPROVAL_REVIEWED: Budget = budget("approval above the threshold", 26, 7_000, 64);

const fn budget(policy: &'static str, events: usize, bytes: i64, seed: usize) -> Budget {
    Budget {
        policy,
        events,
        bytes,
        seed,
    }
}

/// Prints what the order cost, and holds it to its budget.
async fn assert_budget(server: &TestServer, budget: Budget, workflows: &[String]) {
    let (mut events, mut bytes) = (Vec::new(), 0);
    for workflow in workflows {
        let (left, size) = temporal::left_by(&server.temporal_address(), workflow).await;
        events.extend(left.iter().map(temporal::name));
        bytes += size;
    }
    let count = events.len();
    println!(
        "{} costs {count} history events (budget {}, the seed's own {}), {bytes} bytes (budget {})",
        budget.policy, budget.events, budget.seed, budget.bytes
    );
    assert!(count <= budget.events, "{count} events: {events:#?}");
    assert!(bytes <= budget.bytes, "{bytes} bytes in {count} events");
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
    assert_budget(server, PRE_ORDER, &[order(&id)]).await;
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
    assert_budget(server, EXTERNAL_PAYMENT, &[order(&id)]).await;
}

#[tokio::test]
async fn a_stock_order_costs_at_most_seven_events() {
    let server = shared().await;
    let client = server.client().await;
    let id = placed(&client, Placing::new("stock", &sku()), 1).await;
    client.until(&id, OrderState::Completed).await;
    assert_budget(server, STOCK, &[order(&id)]).await;
}

#[tokio::test]
async fn a_shipping_lane_costs_at_most_twenty_six_events_with_its_child() {
    let server = shared().await;
    let client = server.client().await;
    let id = placed(&client, Placing::new("shipping-lane", &sku()), 1).await;
    client.until(&id, OrderState::Completed).await;
    let workflows = [order(&id), format!("shipping/{id}")];
    assert_budget(server, SHIPPING_LANE, &workflows).await;
}

#[tokio::test]
async fn an_approval_below_the_threshold_costs_at_most_seventeen_events() {
    let server = shared().await;
    let client = server.client().await;
    let id = placed(&client, Placing::new("quick-approval", &sku()), 1).await;
    client.until(&id, OrderState::Completed).await;
    assert_budget(server, APPROVAL, &[order(&id)]).await;
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
    assert_budget(server, APPROVAL_REVIEWED, &[order(&id)]).await;
}
