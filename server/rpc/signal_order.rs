//! SignalOrder: a command whose caller does not wait for what becomes of it.

use super::{Orders, remaining, within};
use crate::{convert, error::Error, temporal::TemporalError};
use orders::v1::{SignalOrderRequest, SignalOrderResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn signal(
        &self,
        request: Request<SignalOrderRequest>,
    ) -> Result<Response<SignalOrderResponse>, Error> {
        let time = remaining(&request);
        let (order_id, command) =
            convert::signal_order(request.get_ref()).map_err(Error::Invalid)?;
        let work = async {
            let stored = self.stored(&order_id).await?;
            let state = stored.order.state;
            let closed = || Error::Closed {
                order_id: order_id.clone(),
                state,
            };
            if state.is_closed() {
                return Err(closed());
            }
            self.started(stored).await?;
            match self.temporal().signal(&order_id, command).await {
                Ok(()) => Ok(Response::new(SignalOrderResponse {})),
                Err(TemporalError::NotFound(_)) => Err(closed()),
                Err(error) => Err(Error::Temporal(error.to_string())),
            }
        };
        within(time, work).await
    }
}
