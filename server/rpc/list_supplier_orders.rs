//! ListSupplierOrders: newest first, page by page.

use super::Orders;
use crate::{convert, error::Error};
use orders::v1::{ListSupplierOrdersRequest, ListSupplierOrdersResponse};
use orders_worker::store::supplier_orders::SupplierOrder;
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn supplier_orders(
        &self,
        request: Request<ListSupplierOrdersRequest>,
    ) -> Result<Response<ListSupplierOrdersResponse>, Error> {
        let asked = convert::list_supplier_orders(request.get_ref()).map_err(Error::Invalid)?;
        let (sku, after) = (asked.sku.as_deref(), asked.after.as_ref());
        // One more than asked for tells whether there is a next page.
        let limit = asked.page_size + 1;
        let mut found = self.store().supplier_orders(sku, after, limit).await?;
        let more = found.len() as i64 > asked.page_size;
        if more {
            found.pop();
        }
        let last = found.last().filter(|_| more).map(SupplierOrder::position);
        let next_page_token = last.map_or(String::new(), |last| asked.token(&last));
        let supplier_orders = found.iter().map(convert::supplier_order).collect();
        Ok(Response::new(ListSupplierOrdersResponse {
            supplier_orders,
            next_page_token,
        }))
    }
}
