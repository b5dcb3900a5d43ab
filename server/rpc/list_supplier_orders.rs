//! ListSupplierOrders: newest first, page by page.

use super::{Orders, list_turn};
use crate::{convert, error::Error};
use orders::v1::{ListSupplierOrdersRequest, ListSupplierOrdersResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn supplier_orders(
        &self,
        request: Request<ListSupplierOrdersRequest>,
    ) -> Result<Response<ListSupplierOrdersResponse>, Error> {
        let asked = convert::list_supplier_orders(request.get_ref()).map_err(Error::Invalid)?;
        let _turn = list_turn(&request).await?;
        let mut page = convert::Page::new(asked.page_size);
        while let Some(limit) = page.wants() {
            let (sku, after) = (asked.sku.as_deref(), page.last().or(asked.after.as_ref()));
            let found = self.store().supplier_orders(sku, after, limit).await?;
            page.read(limit, found.len());
            for order in &found {
                if !page.push(convert::supplier_order(order), order.position()) {
                    break;
                }
            }
        }
        let (supplier_orders, next_page_token) = page.finish(|last| asked.token(last));
        Ok(Response::new(ListSupplierOrdersResponse {
            supplier_orders,
            next_page_token,
        }))
    }
}
