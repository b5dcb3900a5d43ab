//! SetStockItem: the count and the reorder numbers of a sku.

use super::{Orders, mark_replayed};
use crate::{convert, error::Error};
use orders::v1::{SetStockItemRequest, SetStockItemResponse, StockItem};
use orders_store::clock;
use orders_store::stock_command::{StockCommand, StockOutcome, StockRequest};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn set_stock(
        &self,
        request: Request<SetStockItemRequest>,
    ) -> Result<Response<SetStockItemResponse>, Error> {
        let asked = convert::set_stock_item(request.get_ref()).map_err(Error::Invalid)?;
        let (stock_item, replayed) = self.change_stock(asked).await?;
        let stock_item = Some(stock_item);
        let response = Response::new(SetStockItemResponse { stock_item });
        Ok(mark_replayed(response, replayed))
    }

    /// Carries out a command on stock. Returns the item after it, and whether the same request was
    /// answered before.
    pub(super) async fn change_stock(
        &self,
        asked: StockRequest,
    ) -> Result<(StockItem, bool), Error> {
        let changed = self.store().change_stock(&asked, clock::now());
        match changed.await? {
            StockOutcome::Done { item, replayed } => {
                let (sku, actor) = (&item.sku, &asked.actor);
                let request_id = &asked.request_id;
                let (on_hand, revision) = (item.on_hand, item.revision);
                let (delta, reason) = match &asked.command {
                    StockCommand::Set { .. } => (None, None),
                    StockCommand::Adjust { delta, reason } => (Some(delta), Some(reason)),
                };
                tracing::info!(
                    sku,
                    request_id,
                    actor,
                    on_hand,
                    revision,
                    delta,
                    reason,
                    replayed,
                    "stock changed"
                );
                Ok((convert::stock_item(&item), replayed))
            }
            StockOutcome::Refused(refusal) => Err(Error::stock(asked, refusal)),
        }
    }
}
