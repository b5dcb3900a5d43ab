//! Reading: lists, events, strong reads, policies, previews.

mod pages;

use orders::v1::{
    CancelOrderRequest, Consistency, GetOrderRequest, ListOrdersRequest, ListPoliciesRequest,
    OrderState,
};
use orders_test_support::{Placing, Refused, shared, sku, unique};
use tonic::Code;

async fn page(
    client: &orders_test_support::Client,
    filter: &str,
    size: i32,
    token: &str,
) -> (Vec<String>, String) {
    let request = ListOrdersRequest {
        filter: filter.to_owned(),
        order_by: "place_time".to_owned(),
        page_size: size,
        page_token: token.to_owned(),
    };
    let page = client
        .orders
        .clone()
        .list_orders(request)
        .await
        .unwrap()
        .into_inner();
    let ids = page
        .orders
        .into_iter()
        .map(|order| order.order_id)
        .collect();
    (ids, page.next_page_token)
}

#[tokio::test]
async fn pages_stay_right_while_orders_are_placed() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 100).await;
    let customer = unique("customer");
    let mut placed = Vec::new();
    for _ in 0..5 {
        let mut placing = Placing::new("standard", &sku);
        placing.0.customer_id = customer.clone();
        placed.push(client.place(placing).await.order_id);
    }
    let filter = format!("customer_id = \"{customer}\"");
    let (mut found, mut token) = page(&client, &filter, 2, "").await;
    while !token.is_empty() {
        let mut placing = Placing::new("standard", &sku);
        placing.0.customer_id = unique("somebody-else");
        client.place(placing).await;
        let (more, next) = page(&client, &filter, 2, &token).await;
        found.extend(more);
        token = next;
    }
    assert_eq!(found, placed);
    for id in &placed {
        client.until(id, OrderState::InTransit).await;
    }
    let in_transit = format!("{filter} AND state = \"ORDER_STATE_IN_TRANSIT\"");
    assert_eq!(page(&client, &in_transit, 50, "").await.0.len(), 5);
    let completed = format!("{filter} AND state = \"ORDER_STATE_COMPLETED\"");
    assert_eq!(page(&client, &completed, 50, "").await.0.len(), 0);
}

#[tokio::test]
async fn a_filter_or_token_that_cannot_be_read_is_named() {
    let client = shared().await.client().await;
    let request = ListOrdersRequest {
        filter: "customer_id == nobody".to_owned(),
        order_by: "price".to_owned(),
        page_size: -1,
        page_token: "nonsense".to_owned(),
    };
    let refused = Refused::from(
        client
            .orders
            .clone()
            .list_orders(request)
            .await
            .unwrap_err(),
    );
    assert_eq!(refused.code, Code::InvalidArgument);
    assert_eq!(
        refused.fields(),
        ["filter", "order_by", "page_size", "page_token"]
    );
}

#[tokio::test]
async fn a_strong_read_asks_the_workflow_and_says_the_same() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    client.place(placing).await;
    let stored = client.until(&id, OrderState::AwaitingRelease).await;
    let request = GetOrderRequest {
        order_id: id.clone(),
        consistency: Consistency::Strong.into(),
    };
    let strong = client
        .orders
        .clone()
        .get_order(request)
        .await
        .unwrap()
        .into_inner();
    let mut strong = strong.order.unwrap();
    // Only the time that is left has changed between the two.
    strong.deadline.as_mut().unwrap().remaining = None;
    let mut stored = stored;
    stored.deadline.as_mut().unwrap().remaining = None;
    assert_eq!(strong, stored);
}

#[tokio::test]
async fn a_preview_says_what_a_cancel_would_undo_and_does_nothing() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    client.place(placing).await;
    let before = client.until(&id, OrderState::AwaitingRelease).await;
    let request = CancelOrderRequest {
        order_id: id.clone(),
        request_id: unique("preview"),
        validate_only: true,
        ..CancelOrderRequest::default()
    };
    let answer = client
        .orders
        .clone()
        .cancel_order(request)
        .await
        .unwrap()
        .into_inner();
    let preview = answer.preview.unwrap();
    assert_eq!(preview.released_items.len(), 1);
    assert_eq!(preview.refund_amount.unwrap().units, 19);
    assert_eq!(client.get(&id).await.revision, before.revision);
}

#[tokio::test]
async fn the_policies_are_listed_with_their_numbers() {
    let client = shared().await.client().await;
    let answer = client
        .orders
        .clone()
        .list_policies(ListPoliciesRequest {})
        .await
        .unwrap();
    let policies = answer.into_inner().policies;
    let find = |name: &str| policies.iter().find(|policy| policy.name == name).unwrap();
    let pre_order = find("pre-order");
    assert_eq!(
        pre_order.release_grace_period.as_ref().unwrap().seconds,
        7 * 86_400
    );
    assert_eq!(
        pre_order
            .payment_retry
            .as_ref()
            .unwrap()
            .initial_interval
            .as_ref()
            .unwrap()
            .seconds,
        2
    );
    let approval = find("approval");
    assert_eq!(approval.approval_threshold_units, Some(5_000));
    assert_eq!(approval.retry.as_ref().unwrap().max_attempts, 5);
    assert_eq!(
        find("quick-approval")
            .approval_timeout
            .as_ref()
            .unwrap()
            .seconds,
        2
    );
}

#[tokio::test]
async fn events_tell_who_did_what() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let mut placing = Placing::pre_order(&sku, 30);
    placing.0.actor = "shop".to_owned();
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    client.cancel(&id).await.unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    let mut events = Vec::new();
    let mut token = String::new();
    loop {
        let request = orders::v1::ListOrderEventsRequest {
            order_id: id.clone(),
            page_size: 3,
            page_token: token,
        };
        let page = client
            .orders
            .clone()
            .list_order_events(request)
            .await
            .unwrap()
            .into_inner();
        events.extend(page.events);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let revisions: Vec<i64> = events.iter().map(|event| event.revision).collect();
    assert_eq!(revisions, (1..=order.revision).collect::<Vec<_>>());
    assert_eq!(events[0].actor, "shop");
    let cancel = events
        .iter()
        .find(|event| event.r#type() == orders::v1::OrderEventType::CancelRequested)
        .unwrap();
    assert_eq!(cancel.reason, "changed my mind");
    assert!(cancel.request_id.starts_with("cancel-"));
    assert_eq!(events.last().unwrap().order_state(), OrderState::Cancelled);
}
