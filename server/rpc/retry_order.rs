//! RetryOrder: what an order would do later is tried at once.

use super::{Orders, mark_replayed, remaining, within};
use crate::{convert, error::Error, temporal::Described};
use orders::v1::{RetryOrderRequest, RetryOrderResponse};
use orders_worker::{domain::attention::WorkflowSight, store::read::StoredOrder};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn retry(
        &self,
        request: Request<RetryOrderRequest>,
    ) -> Result<Response<RetryOrderResponse>, Error> {
        let time = remaining(&request);
        let (order_id, command) =
            convert::retry_order(request.get_ref()).map_err(Error::Invalid)?;
        let (stored, replayed) = match self.command(&order_id, command, time).await {
            // It waits for somebody; but nobody would reach it without a workflow.
            Err(refused @ Error::NotAllowed { .. }) => {
                let brought_back = within(time, self.bring_back(&order_id)).await?;
                (brought_back.ok_or(refused)?, false)
            }
            answered => answered?,
        };
        let order = Some(self.show(&stored));
        let response = Response::new(RetryOrderResponse { order });
        Ok(mark_replayed(response, replayed))
    }

    /// Starts the workflow of an open order that has none; the order, when it had none.
    async fn bring_back(&self, order_id: &str) -> Result<Option<StoredOrder>, Error> {
        let stored = self.stored(order_id).await?;
        if stored.order.state.is_closed() {
            return Ok(None);
        }
        let described = self.temporal().describe(order_id).await;
        let described = described.map_err(|error| Error::Temporal(error.to_string()))?;
        if let WorkflowSight::Running { .. } = Described::sight(described.as_ref()) {
            return Ok(None);
        }
        self.resume(stored.clone()).await?;
        Ok(Some(stored))
    }
}
