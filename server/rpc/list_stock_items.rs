//! ListStockItems: by sku, page by page.

use super::Orders;
use crate::{convert, error::Error};
use orders::v1::{ListStockItemsRequest, ListStockItemsResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn stock_items(
        &self,
        request: Request<ListStockItemsRequest>,
    ) -> Result<Response<ListStockItemsResponse>, Error> {
        let asked = convert::list_stock_items(request.get_ref()).map_err(Error::Invalid)?;
        let limit = asked.page_size + 1;
        let mut items = self.store().stock_items(&asked.after_sku, limit).await?;
        let more = items.len() as i64 > asked.page_size;
        if more {
            items.pop();
        }
        let last = items.last().filter(|_| more);
        let next_page_token = last.map_or(String::new(), |item| asked.token(&item.sku));
        let stock_items = items.iter().map(convert::stock_item).collect();
        Ok(Response::new(ListStockItemsResponse {
            stock_items,
            next_page_token,
        }))
    }
}
