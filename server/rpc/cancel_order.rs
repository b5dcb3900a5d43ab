//! CancelOrder: undo the order, or say what that would undo.

use super::{Orders, mark_replayed, remaining};
use crate::{convert, error::Error};
use orders::v1::{CancelOrderRequest, CancelOrderResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn cancel(
        &self,
        request: Request<CancelOrderRequest>,
    ) -> Result<Response<CancelOrderResponse>, Error> {
        let time = remaining(&request);
        let (order_id, command, validate_only) =
            convert::cancel_order(request.get_ref()).map_err(Error::Invalid)?;
        let before = self.stored(&order_id).await?;
        let preview = Some(convert::cancel_preview(&before.order));
        if validate_only {
            self.check(&order_id, &command, &before)?;
            let order = Some(self.show(&before));
            return Ok(Response::new(CancelOrderResponse { order, preview }));
        }
        let (stored, replayed) = self.command(&order_id, command, time).await?;
        let order = Some(self.show(&stored));
        let response = Response::new(CancelOrderResponse { order, preview });
        Ok(mark_replayed(response, replayed))
    }
}
