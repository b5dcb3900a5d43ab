//! Stock: set, shown, held by orders.

use crate::harness::{Placing, Refused, shared, sku, unique};
use orders::v1::{ListStockItemsRequest, OrderState, SetStockItemRequest, StockItem};
use tonic::Code;

#[tokio::test]
async fn stock_cannot_be_set_below_what_is_reserved() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let placing = Placing::pre_order(&sku, 30).quantity(4);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    let set = |on_hand| SetStockItemRequest {
        stock_item: Some(StockItem {
            sku: sku.clone(),
            on_hand,
            ..StockItem::default()
        }),
        request_id: unique("set"),
        actor: String::new(),
    };
    let mut inventory = client.inventory.clone();
    let refused = Refused::from(inventory.set_stock_item(set(3)).await.unwrap_err());
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::FailedPrecondition, "STOCK_RESERVED")
    );
    assert_eq!(refused.metadata("reserved"), "4");
    let item = inventory
        .set_stock_item(set(4))
        .await
        .unwrap()
        .into_inner()
        .stock_item
        .unwrap();
    assert_eq!((item.on_hand, item.reserved, item.available), (4, 4, 0));
}

#[tokio::test]
async fn the_same_request_sets_once_and_another_content_is_refused() {
    let client = shared().await.client().await;
    let sku = sku();
    let request = |on_hand| SetStockItemRequest {
        stock_item: Some(StockItem {
            sku: sku.clone(),
            on_hand,
            ..StockItem::default()
        }),
        request_id: format!("set-{sku}"),
        actor: String::new(),
    };
    let mut inventory = client.inventory.clone();
    inventory.set_stock_item(request(5)).await.unwrap();
    client.stock(&sku, 7).await;
    let again = inventory.set_stock_item(request(5)).await.unwrap();
    assert_eq!(again.metadata().get("orders-replayed").unwrap(), "true");
    assert_eq!(
        again.into_inner().stock_item.unwrap().on_hand,
        7,
        "not set a second time"
    );
    let refused = inventory.set_stock_item(request(6)).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
}

#[tokio::test]
async fn orders_race_for_the_last_piece_and_one_gets_it() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        let placing = Placing::new("standard", &sku);
        ids.push(placing.id());
        client.place(placing).await;
    }
    let mut shipped = 0;
    for id in ids {
        let order = client
            .until_that(&id, "an end", |order| {
                matches!(order.state(), OrderState::InTransit | OrderState::Rejected)
            })
            .await;
        shipped += i32::from(order.state() == OrderState::InTransit);
    }
    assert_eq!(shipped, 1);
    let stock = client.stock_item(&sku).await;
    assert_eq!((stock.on_hand, stock.reserved), (0, 0));
}

#[tokio::test]
async fn items_are_listed_page_by_page() {
    let client = shared().await.client().await;
    let prefix = unique("zz-page");
    for index in 0..5 {
        client.stock(&format!("{prefix}-{index}"), index).await;
    }
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let request = ListStockItemsRequest {
            page_size: 2,
            page_token: token,
        };
        let page = client
            .inventory
            .clone()
            .list_stock_items(request)
            .await
            .unwrap()
            .into_inner();
        assert!(page.stock_items.len() <= 2);
        let ours = page
            .stock_items
            .into_iter()
            .filter(|item| item.sku.starts_with(&prefix));
        found.extend(ours.map(|item| item.on_hand));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(found, [0, 1, 2, 3, 4]);
}
