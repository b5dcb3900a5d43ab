//! ListOrders: from the store, page by page.

use super::Orders;
use crate::{convert, error::Error};
use orders::v1::{ListOrdersRequest, ListOrdersResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn list(
        &self,
        request: Request<ListOrdersRequest>,
    ) -> Result<Response<ListOrdersResponse>, Error> {
        let asked = convert::list_orders(request.get_ref()).map_err(Error::Invalid)?;
        // One more than asked for tells whether there is a next page.
        let limit = asked.page_size + 1;
        let after = asked.after.as_ref();
        let found = self
            .store()
            .orders(&asked.filter, asked.sorting, after, limit);
        let mut found = found.await?;
        let more = found.len() as i64 > asked.page_size;
        if more {
            found.pop();
        }
        let last = found.last().filter(|_| more);
        let next_page_token = last.map_or(String::new(), |(_, position)| asked.token(position));
        let orders = found.iter().map(|(stored, _)| self.show(stored)).collect();
        Ok(Response::new(ListOrdersResponse {
            orders,
            next_page_token,
        }))
    }
}
