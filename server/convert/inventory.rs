//! The requests and answers of the inventory service.

use super::{
    Parsed,
    page::{Scope, page_size},
    text,
    time::timestamp,
    violations::{Verdict, Violations},
};
use jiff::Timestamp;
use orders::v1;
use orders_store::{
    stock::StockItem,
    stock_command::{StockCommand, StockRequest},
    supplier_orders::{Position, SupplierOrder},
};

/// What a ListStockItems asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListStockItems {
    /// The last sku of the page before; empty for the first page.
    pub after_sku: String,
    /// How many at most: 1 to 1,000.
    pub page_size: i64,
    scope: Scope,
}

/// What a ListSupplierOrders asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSupplierOrders {
    /// Of which sku; none for all.
    pub sku: Option<String>,
    /// Where the page before ended; none for the first page.
    pub after: Option<Position>,
    /// How many at most: 1 to 1,000.
    pub page_size: i64,
    scope: Scope,
}

/// Reads a GetStockItem: the sku.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn get_stock_item(request: &v1::GetStockItemRequest) -> Parsed<String> {
    let v1::GetStockItemRequest { sku } = request;
    let found = Violations::in_request(request);
    found.into_result(Some(sku.clone()))
}

/// Reads a ListStockItems.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn list_stock_items(request: &v1::ListStockItemsRequest) -> Parsed<ListStockItems> {
    let v1::ListStockItemsRequest {
        page_size: size,
        page_token,
    } = request;
    let mut found = Violations::in_request(request);
    let scope = Scope::new("ListStockItems", &[]);
    let page_size = page_size(*size);
    let after: Option<String> = scope.parse(&mut found, page_token, |_| true);
    found.into_result(Some(ListStockItems {
        after_sku: after.unwrap_or_default(),
        page_size,
        scope,
    }))
}

/// Reads a SetStockItem. What only the server sets is passed over.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn set_stock_item(request: &v1::SetStockItemRequest) -> Parsed<StockRequest> {
    let v1::SetStockItemRequest {
        stock_item,
        request_id,
        actor,
        expected_revision,
    } = request;
    let mut found = Violations::in_request(request);
    text::request_id(&mut found, request_id);
    let actor = text::actor(&mut found, actor);
    let item = stock_item
        .as_ref()
        .map(|item| found.inside("stock_item", |found| parse_stock_item(found, item)));
    found.into_result(item.map(|(sku, command)| StockRequest {
        request_id: request_id.clone(),
        actor,
        expected_revision: *expected_revision,
        sku,
        command,
    }))
}

fn parse_stock_item(found: &mut Violations, item: &v1::StockItem) -> (String, StockCommand) {
    let v1::StockItem {
        sku,
        on_hand,
        reserved: _,
        available: _,
        reorder_point,
        reorder_level,
        revision: _,
    } = item;
    // A number that is kept is known only to the store.
    if let (Some(level), Some(point)) = (reorder_level, reorder_point)
        && *level > 0
        && level < point
    {
        let description = "must be 0 (never reorder) or not below reorder_point";
        found.push_first("reorder_level", description);
    }
    let command = StockCommand::Set {
        on_hand: *on_hand,
        reorder_point: *reorder_point,
        reorder_level: *reorder_level,
    };
    (sku.clone(), command)
}

/// Reads an AdjustStock.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn adjust_stock(request: &v1::AdjustStockRequest) -> Parsed<StockRequest> {
    let v1::AdjustStockRequest {
        sku,
        delta,
        reason,
        request_id,
        actor,
        expected_revision,
    } = request;
    let mut found = Violations::in_request(request);
    text::request_id(&mut found, request_id);
    let actor = text::actor(&mut found, actor);
    found.into_result(Some(StockRequest {
        request_id: request_id.clone(),
        actor,
        expected_revision: *expected_revision,
        sku: sku.clone(),
        command: StockCommand::Adjust {
            delta: *delta,
            reason: reason.clone(),
        },
    }))
}

/// Reads a ListSupplierOrders.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn list_supplier_orders(request: &v1::ListSupplierOrdersRequest) -> Parsed<ListSupplierOrders> {
    let v1::ListSupplierOrdersRequest {
        sku,
        page_size: size,
        page_token,
    } = request;
    let mut found = Violations::in_request(request);
    let scope = Scope::new("ListSupplierOrders", &[sku]);
    let page_size = page_size(*size);
    let after = scope.parse(&mut found, page_token, |_: &(Timestamp, String)| true);
    found.into_result(Some(ListSupplierOrders {
        sku: Some(sku.clone()).filter(|sku| !sku.is_empty()),
        after: after.map(|(open_time, supplier_order_id)| Position {
            open_time,
            supplier_order_id,
        }),
        page_size,
        scope,
    }))
}

impl ListStockItems {
    /// The token of the page that begins after `last_sku`.
    pub fn token(&self, last_sku: &str) -> String {
        self.scope.token(last_sku)
    }
}

impl ListSupplierOrders {
    /// The token of the page that begins after `last`.
    pub fn token(&self, last: &Position) -> String {
        let Position {
            open_time,
            supplier_order_id,
        } = last;
        self.scope.token((open_time, supplier_order_id))
    }
}

/// A stock item as a message.
pub fn stock_item(item: &StockItem) -> v1::StockItem {
    let available = item.available();
    let StockItem {
        sku,
        on_hand,
        reserved,
        reorder_point,
        reorder_level,
        revision,
    } = item;
    v1::StockItem {
        sku: sku.clone(),
        on_hand: Some(*on_hand),
        reserved: *reserved,
        available,
        reorder_point: Some(*reorder_point),
        reorder_level: Some(*reorder_level),
        revision: *revision,
    }
}

/// A supplier order as a message. When it should come, while it is open, is the supplier's word and
/// not part of the contract.
pub fn supplier_order(order: &SupplierOrder) -> v1::SupplierOrder {
    let SupplierOrder {
        supplier_order_id,
        sku,
        quantity,
        open_time,
        due_time: _,
        deliver_time,
    } = order;
    let state = match deliver_time {
        None => v1::SupplierOrderState::Open,
        Some(_) => v1::SupplierOrderState::Delivered,
    };
    v1::SupplierOrder {
        supplier_order_id: supplier_order_id.clone(),
        sku: sku.clone(),
        quantity: *quantity,
        state: state.into(),
        open_time: Some(timestamp(*open_time)),
        deliver_time: deliver_time.map(timestamp),
    }
}

#[cfg(test)]
mod tests;
