//! Stock: set, shown, held by orders.

use orders::v1::{
    AdjustStockRequest, ListStockItemsRequest, OrderState, SetStockItemRequest, StockItem,
};
use orders_test_support::{Placing, Refused, shared, sku, unique};
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
            on_hand: Some(on_hand),
            ..StockItem::default()
        }),
        request_id: unique("set"),
        actor: String::new(),
        expected_revision: None,
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
    assert_eq!((item.on_hand(), item.reserved, item.available), (4, 4, 0));
}

#[tokio::test]
async fn the_same_request_sets_once_and_another_content_is_refused() {
    let client = shared().await.client().await;
    let sku = sku();
    let request = |on_hand| SetStockItemRequest {
        stock_item: Some(StockItem {
            sku: sku.clone(),
            on_hand: Some(on_hand),
            ..StockItem::default()
        }),
        request_id: format!("set-{sku}"),
        actor: String::new(),
        expected_revision: None,
    };
    let mut inventory = client.inventory.clone();
    inventory.set_stock_item(request(5)).await.unwrap();
    client.stock(&sku, 7).await;
    let again = inventory.set_stock_item(request(5)).await.unwrap();
    assert_eq!(again.metadata().get("orders-replayed").unwrap(), "true");
    assert_eq!(
        again.into_inner().stock_item.unwrap().on_hand(),
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
    assert_eq!((stock.on_hand(), stock.reserved), (0, 0));
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
        found.extend(ours.map(|item| item.on_hand()));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(found, [0, 1, 2, 3, 4]);
}

/// FC-13c: read 10, three ship meanwhile, and 10 + 4 counted is written.
#[tokio::test]
async fn a_count_that_is_out_of_date_is_refused_and_a_difference_is_not() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let read = client.stock_item(&sku).await;
    assert_eq!((read.on_hand(), read.revision), (10, 1));
    let order = Placing::new("stock", &sku).quantity(3);
    let id = order.id();
    client.place(order).await;
    client.until(&id, OrderState::Completed).await;
    let now = client.stock_item(&sku).await;
    assert_eq!((now.on_hand(), now.reserved), (7, 0));

    let set = |on_hand, expected_revision| SetStockItemRequest {
        stock_item: Some(StockItem {
            sku: sku.clone(),
            on_hand: Some(on_hand),
            ..StockItem::default()
        }),
        request_id: unique("set"),
        actor: String::new(),
        expected_revision,
    };
    let mut inventory = client.inventory.clone();
    let late = inventory.set_stock_item(set(14, Some(read.revision))).await;
    let refused = Refused::from(late.unwrap_err());
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::Aborted, "REVISION_MISMATCH")
    );
    assert_eq!(client.stock_item(&sku).await, now, "nothing was changed");

    let adjust = |delta, request_id: &str| AdjustStockRequest {
        sku: sku.clone(),
        delta,
        reason: "four were found".to_owned(),
        request_id: request_id.to_owned(),
        actor: "grace".to_owned(),
        expected_revision: None,
    };
    let request_id = unique("adjust");
    let done = inventory
        .adjust_stock(adjust(4, &request_id))
        .await
        .unwrap();
    let item = done.into_inner().stock_item.unwrap();
    assert_eq!((item.on_hand(), item.revision), (11, now.revision + 1));
    let again = inventory
        .adjust_stock(adjust(4, &request_id))
        .await
        .unwrap();
    assert_eq!(again.metadata().get("orders-replayed").unwrap(), "true");
    assert_eq!(again.into_inner().stock_item.unwrap(), item);
    let other = inventory.adjust_stock(adjust(5, &request_id)).await;
    assert_eq!(other.unwrap_err().code(), Code::AlreadyExists);
    let most = inventory.adjust_stock(adjust(-12, &unique("adjust"))).await;
    let refused = Refused::from(most.unwrap_err());
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Code::FailedPrecondition, "STOCK_RESERVED")
    );
    let fresh = inventory.set_stock_item(set(14, Some(item.revision))).await;
    assert_eq!(
        fresh.unwrap().into_inner().stock_item.unwrap().on_hand(),
        14
    );
}

#[tokio::test]
async fn differences_of_several_clients_at_once_add_up_while_orders_ship() {
    const CLIENTS: usize = 4;
    const EACH: usize = 5;
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 100).await;
    let orders: Vec<Placing> = (0..6).map(|_| Placing::new("stock", &sku)).collect();
    let ids: Vec<String> = orders.iter().map(Placing::id).collect();
    let adjusting = futures::future::join_all((0..CLIENTS).map(async |number| {
        let client = server.client().await;
        for _ in 0..EACH {
            let request = AdjustStockRequest {
                sku: sku.clone(),
                delta: [7, -2][number % 2],
                reason: "counted".to_owned(),
                request_id: unique("adjust"),
                ..AdjustStockRequest::default()
            };
            client
                .inventory
                .clone()
                .adjust_stock(request)
                .await
                .unwrap();
        }
    }));
    let shipping = async {
        for order in orders {
            client.place(order).await;
        }
        for id in &ids {
            client.until(id, OrderState::Completed).await;
        }
    };
    tokio::join!(adjusting, shipping);
    let item = client.stock_item(&sku).await;
    let expected = 100 + (CLIENTS / 2 * EACH) as i64 * (7 - 2) - ids.len() as i64;
    assert_eq!((item.on_hand(), item.reserved), (expected, 0));
}
