//! SetStockItem: the count and the reorder numbers of a sku.

use super::{Orders, mark_replayed};
use crate::{convert, error::Error};
use orders::v1::{SetStockItemRequest, SetStockItemResponse};
use orders_worker::{clock, store::stock::Setting};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn set_stock(
        &self,
        request: Request<SetStockItemRequest>,
    ) -> Result<Response<SetStockItemResponse>, Error> {
        let asked = convert::set_stock_item(request.get_ref()).map_err(Error::Invalid)?;
        let now = clock::now();
        let set = self
            .store()
            .set_stock_item(&asked.item, &asked.request_id, now);
        match set.await? {
            Setting::Set { item, replayed } => {
                let (sku, actor) = (&item.sku, &asked.actor);
                let request_id = &asked.request_id;
                tracing::info!(sku, request_id, actor, on_hand = item.on_hand, "stock set");
                let stock_item = Some(convert::stock_item(&item));
                let response = Response::new(SetStockItemResponse { stock_item });
                Ok(mark_replayed(response, replayed))
            }
            Setting::RequestReused => Err(Error::RequestReused(asked.request_id)),
            Setting::BelowReserved { reserved } => Err(Error::StockReserved {
                sku: asked.item.sku,
                reserved,
            }),
        }
    }
}
