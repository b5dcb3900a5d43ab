//! GetStockItem.

use super::Orders;
use crate::{convert, error::Error};
use orders::v1::{GetStockItemRequest, GetStockItemResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn stock_item(
        &self,
        request: Request<GetStockItemRequest>,
    ) -> Result<Response<GetStockItemResponse>, Error> {
        let sku = convert::get_stock_item(request.get_ref()).map_err(Error::Invalid)?;
        let item = self.store().stock_item(&sku).await?;
        let item = item.ok_or(Error::NoStockItem(sku))?;
        let stock_item = Some(convert::stock_item(&item));
        Ok(Response::new(GetStockItemResponse { stock_item }))
    }
}
