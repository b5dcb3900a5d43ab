//! ListOrders: from the store, page by page.

use super::{Orders, list_turn};
use crate::{convert, error::Error};
use orders::v1::{ListOrdersRequest, ListOrdersResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn list(
        &self,
        request: Request<ListOrdersRequest>,
    ) -> Result<Response<ListOrdersResponse>, Error> {
        let asked = convert::list_orders(request.get_ref()).map_err(Error::Invalid)?;
        let _turn = list_turn(&request).await?;
        let mut page = convert::Page::new(asked.page_size);
        while let Some(limit) = page.wants() {
            let after = page.last().or(asked.after.as_ref());
            let found = self
                .store()
                .orders(&asked.filter, asked.sorting, after, limit)
                .await?;
            page.read(limit, found.len());
            for (stored, position) in found {
                if !page.push(self.show(&stored), position) {
                    break;
                }
            }
        }
        let (orders, next_page_token) = page.finish(|last| asked.token(last));
        Ok(Response::new(ListOrdersResponse {
            orders,
            next_page_token,
        }))
    }
}
