//! What an order costs in Temporal's history.

use crate::harness::{shared, sku, temporal};
use orders::v1::{OrderState, ShipmentState};

/// From placing to completed, in one execution.
const PRE_ORDER: usize = 40;

#[tokio::test]
async fn a_pre_order_costs_at_most_forty_events() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    client.start_fulfillment(&id).await.unwrap();
    let requested = |order: &orders::v1::Order| {
        order.shipment.as_ref().unwrap().state() == ShipmentState::Requested
    };
    client
        .until_that(&id, "a requested pickup", requested)
        .await;
    client.confirm_pickup(&id).await.unwrap();
    client.confirm_delivery(&id).await.unwrap();
    client.until(&id, OrderState::Completed).await;
    let history = crate::harness::eventually("the workflow's end", async || {
        let events = temporal::history(&server.temporal_address(), &id).await;
        events
            .last()
            .is_some_and(|last| last == "WORKFLOW_EXECUTION_COMPLETED")
            .then_some(events)
    })
    .await;
    println!(
        "a pre-order costs {} history events (budget {PRE_ORDER})",
        history.len()
    );
    assert!(
        history.len() <= PRE_ORDER,
        "{} events: {history:#?}",
        history.len()
    );
}
