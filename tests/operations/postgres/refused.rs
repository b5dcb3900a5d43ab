//! What PostgreSQL cannot take is refused before it is asked: sending it again never helps.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use orders::v1::{
    GetOrderRequest, GetStockItemRequest, ListOrdersNeedingAttentionRequest, ListOrdersRequest,
    ListStockItemsRequest, ListSupplierOrdersRequest, WatchOrdersRequest,
};
use orders_domain::fingerprint;
use orders_test_support::{Placing, Postgres, Refused, ServerOptions, beside_shared, sku, unique};
use serde_json::{Value, json};
use std::path::Path;
use tonic::{Code, Response, Status};

/// A page token as the server makes them, for a request of these texts.
fn token(rpc: &str, asked: &[&str], after: Value) -> String {
    let mut scope = fingerprint([rpc].into_iter().chain(asked.iter().copied()));
    scope.truncate(16);
    URL_SAFE_NO_PAD.encode(json!({"v": 1, "scope": scope, "after": after}).to_string())
}

fn refused<T: std::fmt::Debug>(what: &str, answer: Result<Response<T>, Status>) {
    let refused = Refused::from(answer.expect_err(what));
    assert_eq!(refused.code, Code::InvalidArgument, "{what}: {refused:?}");
    assert_eq!(refused.reason, "INVALID_REQUEST", "{what}: {refused:?}");
}

#[tokio::test]
async fn a_nul_is_invalid_wherever_it_stands() {
    let url = Postgres::shared().database(Path::new(&unique("nul")));
    let server = beside_shared(ServerOptions::default().database_url(&url)).await;
    let client = server.client().await;
    let (orders, stock, operator) = (&client.orders, &client.inventory, &client.operator);
    const TIME: &str = "2026-01-01T00:00:00Z";
    // First a token that is right, so that the other one is refused for its NUL and nothing else.
    for (id, is_nul) in [("a", false), ("a\0b", true)] {
        let page_token = token("ListOrders", &["", ""], json!([TIME, id]));
        let request = ListOrdersRequest {
            page_token,
            ..Default::default()
        };
        let listed = orders.clone().list_orders(request).await;
        let page_token = token("ListStockItems", &[], json!(id));
        let request = ListStockItemsRequest {
            page_token,
            ..Default::default()
        };
        let items = stock.clone().list_stock_items(request).await;
        let page_token = token("ListSupplierOrders", &[""], json!([TIME, id]));
        let request = ListSupplierOrdersRequest {
            page_token,
            ..Default::default()
        };
        let supplied = stock.clone().list_supplier_orders(request).await;
        let after = json!([false, TIME, id]);
        let page_token = token("ListOrdersNeedingAttention", &[], after);
        let request = ListOrdersNeedingAttentionRequest {
            page_token,
            ..Default::default()
        };
        let attention = operator
            .clone()
            .list_orders_needing_attention(request)
            .await;
        if is_nul {
            refused("ListOrders.page_token", listed);
            refused("ListStockItems.page_token", items);
            refused("ListSupplierOrders.page_token", supplied);
            refused("ListOrdersNeedingAttention.page_token", attention);
        } else {
            listed.unwrap();
            items.unwrap();
            supplied.unwrap();
            attention.unwrap();
        }
    }
    let filter = "customer_id = \"a\0b\"".to_owned();
    let request = ListOrdersRequest {
        filter: filter.clone(),
        ..Default::default()
    };
    refused(
        "ListOrders.filter",
        orders.clone().list_orders(request).await,
    );
    let request = WatchOrdersRequest {
        filter,
        ..Default::default()
    };
    refused(
        "WatchOrders.filter",
        orders.clone().watch_orders(request).await,
    );
    let request = GetOrderRequest {
        order_id: "a\0b".to_owned(),
        ..Default::default()
    };
    refused("GetOrder.order_id", orders.clone().get_order(request).await);
    let sku_request = GetStockItemRequest {
        sku: "a\0b".to_owned(),
    };
    refused(
        "GetStockItem.sku",
        stock.clone().get_stock_item(sku_request).await,
    );
    // The first look at a request that is wrong is for one that was right once.
    let mut placing = Placing::new("standard", &sku());
    placing.0.request_id = "a\0b".to_owned();
    placing.0.line_items[0].name = "a\0b".to_owned();
    refused("PlaceOrder", orders.clone().place_order(placing.0).await);
}
