//! I10: reading changes nothing.

use super::{AT_ONCE, books::Books, play::Played};
use futures::{StreamExt, stream};
use orders::v1::{
    CancelOrderRequest, Consistency, GetOrderRequest, ListOrderEventsRequest, ListOrdersRequest,
    ListPoliciesRequest, ListStockItemsRequest, Order,
};
use orders_test_support::Client;
use std::collections::BTreeMap;

/// Of so many orders one is also read from its workflow, which has to be replayed for that.
const STRONG: usize = 12;

/// Reads everything in every way, and finds it as it was, in the database too; what the different
/// ways show is the same.
pub async fn i10_reading_changes_nothing(client: &Client, books: &Books, played: &[Played]) {
    let before = books.dump().await;
    let listed = list(client).await;
    assert_eq!(listed.len(), played.len());
    let reading = played.iter().enumerate().map(async |(number, played)| {
        let id = &played.plan.placing.order_id;
        read_one(client, &listed[id], number.is_multiple_of(STRONG)).await;
    });
    stream::iter(reading)
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
    let (mut inventory, mut orders) = (client.inventory.clone(), client.orders.clone());
    let stock = inventory.list_stock_items(ListStockItemsRequest::default());
    for item in stock.await.unwrap().into_inner().stock_items {
        assert_eq!(client.stock_item(&item.sku).await, item);
    }
    orders.list_policies(ListPoliciesRequest {}).await.unwrap();
    assert_eq!(list(client).await, listed, "I10");
    let after = books.dump().await;
    let changed = before
        .iter()
        .zip(&after)
        .find(|(before, after)| before != after);
    assert_eq!(changed, None, "I10: reading changed the database");
    assert_eq!(before.len(), after.len(), "I10");
}

async fn read_one(client: &Client, listed: &Order, strong: bool) {
    let id = &listed.order_id;
    let order = get(client, id, Consistency::Store).await;
    assert_eq!(order, *listed, "I10: {id}");
    events(client, &order).await;
    if strong {
        let known = get(client, id, Consistency::Strong).await;
        let (known, stored) = ((known.revision, known.state), (order.revision, order.state));
        assert_eq!(known, stored, "I10: {id}: what its workflow knows");
    }
    let preview = CancelOrderRequest {
        order_id: id.clone(),
        request_id: format!("{id}/preview"),
        validate_only: true,
        ..CancelOrderRequest::default()
    };
    let mut orders = client.orders.clone();
    orders.cancel_order(preview).await.unwrap_err();
}

async fn get(client: &Client, order_id: &str, consistency: Consistency) -> Order {
    let request = GetOrderRequest {
        order_id: order_id.to_owned(),
        consistency: consistency.into(),
    };
    let got = client.orders.clone().get_order(request).await;
    got.unwrap().into_inner().order.unwrap()
}

/// Every order, page by page.
async fn list(client: &Client) -> BTreeMap<String, Order> {
    let mut orders = BTreeMap::new();
    let mut request = ListOrdersRequest {
        page_size: 70,
        ..ListOrdersRequest::default()
    };
    loop {
        let page = client.orders.clone().list_orders(request.clone()).await;
        let page = page.unwrap().into_inner();
        for order in page.orders {
            let again = orders.insert(order.order_id.clone(), order);
            assert_eq!(again, None, "listed twice");
        }
        if page.next_page_token.is_empty() {
            return orders;
        }
        request.page_token = page.next_page_token;
    }
}

/// The events, page by page: revisions without gaps, the last one with the state of the order.
async fn events(client: &Client, order: &Order) {
    let mut request = ListOrderEventsRequest {
        order_id: order.order_id.clone(),
        page_size: 9,
        page_token: String::new(),
    };
    let mut revision = 0;
    let mut state = order.state;
    loop {
        let page = client
            .orders
            .clone()
            .list_order_events(request.clone())
            .await;
        let page = page.unwrap().into_inner();
        for event in page.events {
            revision += 1;
            assert_eq!(event.revision, revision, "{}: a gap", order.order_id);
            state = event.order_state;
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(revision, order.revision, "{}", order.order_id);
    assert_eq!(state, order.state, "{}", order.order_id);
}
