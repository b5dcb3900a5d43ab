//! GetOrder: from the store, or from the workflow where the caller asks for that.

use super::{Orders, remaining, within};
use crate::{convert, error::Error, temporal::TemporalError};
use orders::v1::{GetOrderRequest, GetOrderResponse};
use orders_worker::store::read::StoredOrder;
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn get(
        &self,
        request: Request<GetOrderRequest>,
    ) -> Result<Response<GetOrderResponse>, Error> {
        let time = remaining(&request);
        let asked = convert::get_order(request.get_ref()).map_err(Error::Invalid)?;
        let stored = self.stored(&asked.order_id).await?;
        let stored = match asked.strong && !stored.order.state.is_closed() {
            true => within(time, self.ask_workflow(stored)).await?,
            false => stored,
        };
        let order = Some(self.show(&stored));
        Ok(Response::new(GetOrderResponse { order }))
    }

    /// The workflow's answer says that it is alive and has taken in all that it was sent. The
    /// store is never behind it, so the newer of the two is what the caller gets.
    async fn ask_workflow(&self, stored: StoredOrder) -> Result<StoredOrder, Error> {
        let order_id = stored.order.order_id.clone();
        let stored = self.started(stored).await?;
        match self.temporal().order(&order_id).await {
            Ok(order) if order.revision > stored.order.revision => {
                Ok(StoredOrder { order, ..stored })
            }
            Ok(_) => self.stored(&order_id).await,
            Err(TemporalError::Busy(_)) => Err(Error::Busy(order_id)),
            Err(error) => Err(Error::Temporal(error.to_string())),
        }
    }
}
