//! Large orders: pages of them are small enough for every client, and no order is too large.

use super::stranger::large_order;
use orders::v1::ListOrdersRequest;
use orders_test_support::{Refused, beside_shared, shared, sku, unique};
use prost::Message;
use std::collections::BTreeSet;

/// What every client takes by default.
const TAKEN: usize = 4 * 1024 * 1024;

#[tokio::test]
async fn a_default_page_of_large_orders_is_taken_by_every_client() {
    let client = shared().await.client().await;
    let (customer, sku) = (unique("large"), sku());
    client.stock(&sku, 100_000).await;
    let mut placed = BTreeSet::new();
    for _ in 0..20 {
        placed.insert(client.place(large_order(&customer, &sku).0).await.order_id);
    }
    let mut listed = BTreeSet::new();
    let mut request = ListOrdersRequest {
        filter: format!("customer_id = \"{customer}\""),
        ..ListOrdersRequest::default()
    };
    loop {
        let page = client.orders.clone().list_orders(request.clone()).await;
        let page = page.unwrap().into_inner();
        let size = page.encoded_len();
        println!("{} orders in {size} bytes", page.orders.len());
        assert!(size < TAKEN / 3 && page.orders.len() > 1);
        for order in page.orders {
            assert!(listed.insert(order.order_id), "an order comes twice");
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed, placed);
}

#[tokio::test]
async fn an_order_that_is_too_large_is_refused_with_the_field_that_makes_it_so() {
    let server = beside_shared(Default::default()).await;
    let client = server.client().await;
    let mut placing = large_order("customer-1", &sku());
    let item = placing.0.line_items[0].clone();
    placing.0.line_items.resize(190, item);
    assert!(placing.0.encoded_len() > 128 * 1024);
    let placed = client.orders.clone().place_order(placing.0).await;
    let refused = Refused::from(placed.unwrap_err());
    assert_eq!(refused.reason, "INVALID_REQUEST");
    let violations = &refused.details.bad_request().unwrap().field_violations;
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].field, "line_items");
    assert!(violations[0].description.contains("131072"));
}
