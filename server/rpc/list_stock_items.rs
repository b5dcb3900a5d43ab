//! ListStockItems: by sku, page by page.

use super::{Orders, list_turn};
use crate::{convert, error::Error};
use orders::v1::{ListStockItemsRequest, ListStockItemsResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn stock_items(
        &self,
        request: Request<ListStockItemsRequest>,
    ) -> Result<Response<ListStockItemsResponse>, Error> {
        let asked = convert::list_stock_items(request.get_ref()).map_err(Error::Invalid)?;
        let _turn = list_turn(&request).await?;
        let mut page = convert::Page::new(asked.page_size);
        while let Some(limit) = page.wants() {
            let after = page.last().unwrap_or(&asked.after_sku);
            let found = self.store().stock_items(after, limit).await?;
            page.read(limit, found.len());
            for item in found {
                if !page.push(convert::stock_item(&item), item.sku) {
                    break;
                }
            }
        }
        let (stock_items, next_page_token) = page.finish(|last| asked.token(last));
        Ok(Response::new(ListStockItemsResponse {
            stock_items,
            next_page_token,
        }))
    }
}
