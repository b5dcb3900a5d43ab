//! GetOrder: from the store, or from the workflow where the caller asks for that.

use super::{Orders, remaining};
use crate::{
    accept::Peer,
    convert,
    error::Error,
    layer::take_waiting,
    temporal::{TemporalError, within_time},
};
use orders::v1::{GetOrderRequest, GetOrderResponse};
use orders_store::read::StoredOrder;
use std::time::Duration;
use tonic::{Request, Response};

/// How long a workflow may take to answer: without a worker it never does.
const PATIENCE: Duration = Duration::from_secs(3);

impl Orders {
    pub(super) async fn get(
        &self,
        request: Request<GetOrderRequest>,
    ) -> Result<Response<GetOrderResponse>, Error> {
        let time = remaining(&request);
        let asked = convert::get_order(request.get_ref()).map_err(Error::Invalid)?;
        let stored = self.stored(&asked.order_id).await?;
        // An order that is over has no workflow to ask.
        let stored = match asked.strong && !stored.order.is_over() {
            true => {
                let peer = request.extensions().get::<Peer>();
                let _slot = peer.map(take_waiting).transpose()?;
                self.strong(stored, time).await?
            }
            false => stored,
        };
        let order = Some(self.show(&stored));
        Ok(Response::new(GetOrderResponse { order }))
    }

    /// Asks the workflow, and leaves a caller in a hurry enough time to hear that it did not answer.
    async fn strong(&self, stored: StoredOrder, time: Duration) -> Result<StoredOrder, Error> {
        let time = PATIENCE.min(time * 3 / 4);
        let answer = tokio::time::timeout(time, within_time(time, self.ask_workflow(stored)));
        answer.await.unwrap_or_else(|_| {
            let cause = "the workflow did not answer in time: is a worker running?";
            Err(Error::Temporal(cause.to_owned()))
        })
    }

    /// The workflow's answer says that it is alive and has taken in all that it was sent. The
    /// store is never behind it, so the newer of the two is what the caller gets.
    async fn ask_workflow(&self, stored: StoredOrder) -> Result<StoredOrder, Error> {
        let order_id = stored.order.order_id.clone();
        let stored = self.started(stored).await?;
        let mut answer = self.temporal().order(&order_id).await;
        if let Err(TemporalError::NotFound(_)) = answer {
            // Temporal has lost it; it may also have ended since it was read.
            let now = self.stored(&order_id).await?;
            if now.order.is_over() {
                return Ok(now);
            }
            self.resume(now).await?;
            answer = self.temporal().order(&order_id).await;
        }
        match answer {
            Ok(order) if order.revision > stored.order.revision => {
                Ok(StoredOrder { order, ..stored })
            }
            Ok(_) => self.stored(&order_id).await,
            Err(TemporalError::Busy(_)) => Err(Error::Busy(order_id)),
            Err(error) => Err(Error::Temporal(error.to_string())),
        }
    }
}
