//! What a client asks about stock that is replenished.

use crate::{Client, unique};
use orders::v1::{ListSupplierOrdersRequest, SetStockItemRequest, StockItem, SupplierOrder};

impl Client {
    /// Puts pieces of a sku on the shelf that are reordered below `point`, up to `level`.
    pub async fn reordered_stock(
        &self,
        sku: &str,
        on_hand: i64,
        point: i64,
        level: i64,
    ) -> StockItem {
        let request = SetStockItemRequest {
            stock_item: Some(StockItem {
                sku: sku.to_owned(),
                on_hand: Some(on_hand),
                reorder_point: Some(point),
                reorder_level: Some(level),
                ..StockItem::default()
            }),
            request_id: unique("stock"),
            actor: String::new(),
            expected_revision: None,
        };
        let mut inventory = self.inventory.clone();
        let response = inventory.set_stock_item(request).await.unwrap();
        response.into_inner().stock_item.unwrap()
    }

    /// A page of the supplier orders of a sku, newest first, and the next page's token.
    pub async fn supplier_orders_page(
        &self,
        sku: &str,
        page_size: i32,
        page_token: &str,
    ) -> (Vec<SupplierOrder>, String) {
        let request = ListSupplierOrdersRequest {
            sku: sku.to_owned(),
            page_size,
            page_token: page_token.to_owned(),
        };
        let mut inventory = self.inventory.clone();
        let page = inventory.list_supplier_orders(request).await.unwrap();
        let page = page.into_inner();
        (page.supplier_orders, page.next_page_token)
    }

    /// The supplier orders of a sku, newest first.
    pub async fn supplier_orders(&self, sku: &str) -> Vec<SupplierOrder> {
        self.supplier_orders_page(sku, 1_000, "").await.0
    }

    /// Waits until as many supplier orders of a sku are delivered and none is open.
    pub async fn until_delivered(&self, sku: &str, count: usize) -> Vec<SupplierOrder> {
        crate::eventually("all supplier orders to be delivered", async || {
            let orders = self.supplier_orders(sku).await;
            assert!(orders.len() <= count, "too many: {orders:#?}");
            let delivered = orders.iter().all(|order| order.deliver_time.is_some());
            (delivered && orders.len() == count).then_some(orders)
        })
        .await
    }
}
