//! RetryOrder: what an order would do later is tried at once.

use super::{Orders, mark_replayed, remaining, within};
use crate::{convert, error::Error, temporal::Ensured};
use orders::v1::{RetryOrderRequest, RetryOrderResponse};
use orders_store::read::StoredOrder;
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn retry(
        &self,
        request: Request<RetryOrderRequest>,
    ) -> Result<Response<RetryOrderResponse>, Error> {
        let time = remaining(&request);
        let (order_id, command) =
            convert::retry_order(request.get_ref()).map_err(Error::Invalid)?;
        // Nobody would answer the command where the order has no workflow, or somebody else's.
        let helped = async {
            match self.verify(&order_id).await? {
                Some(stored) => Ok(Some(stored)),
                None => self.bring_back(&order_id).await,
            }
        };
        let helped = within(time / 2, helped).await;
        let (stored, replayed) = match self.command(&order_id, command, remaining(&request)).await {
            // It waits for somebody, and is reached again.
            Err(refused @ Error::NotAllowed { .. }) => (helped?.ok_or(refused)?, false),
            answered => answered?,
        };
        let order = Some(self.show(&stored));
        let response = Response::new(RetryOrderResponse { order });
        Ok(mark_replayed(response, replayed))
    }

    /// Has the provider asked at once about what a person vouched for, when the order is over; the order, when
    /// there is something to ask. Whoever runs orders sees to it.
    async fn verify(&self, order_id: &str) -> Result<Option<StoredOrder>, Error> {
        let stored = self.stored(order_id).await?;
        if !stored.order.is_over() || stored.order.to_verify().next().is_none() {
            return Ok(None);
        }
        let now = orders_store::clock::now();
        let asked = self
            .store()
            .ask_vouched_at(order_id, stored.order.revision, Some(now));
        asked.await?;
        Ok(Some(stored))
    }

    /// Starts the workflow of an order that has none, or somebody else's, and needs one; the order, when it was so.
    async fn bring_back(&self, order_id: &str) -> Result<Option<StoredOrder>, Error> {
        let stored = self.stored(order_id).await?;
        if stored.order.is_over() {
            return Ok(None);
        }
        let ensured = self.temporal().ensure_running(stored.order.clone()).await;
        match ensured.map_err(|error| Error::Temporal(error.to_string()))? {
            Ensured::Running | Ensured::Elsewhere => Ok(None),
            Ensured::Started => Ok(Some(stored)),
        }
    }
}
