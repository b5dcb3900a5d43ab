//! The inventory service: which RPC is answered where.

use super::{Orders, answer};
use orders::v1::{
    AdjustStockRequest, AdjustStockResponse, GetStockItemRequest, GetStockItemResponse,
    ListStockItemsRequest, ListStockItemsResponse, ListSupplierOrdersRequest,
    ListSupplierOrdersResponse, SetStockItemRequest, SetStockItemResponse,
    inventory_service_server::InventoryService,
};
use tonic::{Request, Response, Status, async_trait};

#[async_trait]
impl InventoryService for Orders {
    async fn get_stock_item(
        &self,
        request: Request<GetStockItemRequest>,
    ) -> Result<Response<GetStockItemResponse>, Status> {
        answer(self.stock_item(request).await, "GetStockItem", "", "")
    }

    async fn list_stock_items(
        &self,
        request: Request<ListStockItemsRequest>,
    ) -> Result<Response<ListStockItemsResponse>, Status> {
        answer(self.stock_items(request).await, "ListStockItems", "", "")
    }

    async fn set_stock_item(
        &self,
        request: Request<SetStockItemRequest>,
    ) -> Result<Response<SetStockItemResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        answer(
            self.set_stock(request).await,
            "SetStockItem",
            "",
            &request_id,
        )
    }

    async fn adjust_stock(
        &self,
        request: Request<AdjustStockRequest>,
    ) -> Result<Response<AdjustStockResponse>, Status> {
        let request_id = request.get_ref().request_id.clone();
        answer(self.adjust(request).await, "AdjustStock", "", &request_id)
    }

    async fn list_supplier_orders(
        &self,
        request: Request<ListSupplierOrdersRequest>,
    ) -> Result<Response<ListSupplierOrdersResponse>, Status> {
        let listed = self.supplier_orders(request).await;
        answer(listed, "ListSupplierOrders", "", "")
    }
}
