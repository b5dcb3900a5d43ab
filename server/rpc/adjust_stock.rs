//! AdjustStock: more or fewer pieces of a sku.

use super::{Orders, mark_replayed};
use crate::{convert, error::Error};
use orders::v1::{AdjustStockRequest, AdjustStockResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn adjust(
        &self,
        request: Request<AdjustStockRequest>,
    ) -> Result<Response<AdjustStockResponse>, Error> {
        let asked = convert::adjust_stock(request.get_ref()).map_err(Error::Invalid)?;
        let (stock_item, replayed) = self.change_stock(asked).await?;
        let stock_item = Some(stock_item);
        let response = Response::new(AdjustStockResponse { stock_item });
        Ok(mark_replayed(response, replayed))
    }
}
