//! PlaceOrder: take the order in, then start its workflow.

use super::{Orders, mark_replayed, remaining, within};
use crate::{
    convert::{self, PlaceOrder},
    error::Error,
    temporal::TemporalError,
};
use jiff::Timestamp;
use orders::v1::{PlaceOrderRequest, PlaceOrderResponse};
use orders_worker::{
    clock,
    domain::{order::LineItem, place, place::Violation},
    store::{place::Placing, read::StoredOrder},
};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn place(
        &self,
        request: Request<PlaceOrderRequest>,
    ) -> Result<Response<PlaceOrderResponse>, Error> {
        let time = remaining(&request);
        let now = clock::now();
        let make_id = || uuid::Uuid::now_v7().to_string();
        let asked = convert::place_order(request.get_ref(), self.policies(), now, make_id)
            .map_err(Error::Invalid);
        let work = async {
            let taken = match asked {
                Ok(asked) => self.take_in(asked, now).await,
                Err(error) => Err(error),
            };
            let (stored, replayed) = match taken {
                // A request that was right once is answered the same for ever, also when its policy or
                // its release time have passed away.
                Err(Error::Invalid(violations)) => {
                    let before = self.placed_before(request.get_ref()).await?;
                    (before.ok_or(Error::Invalid(violations))?, true)
                }
                taken => taken?,
            };
            let stored = self.started(stored).await?;
            let order = Some(self.show(&stored));
            Ok(mark_replayed(
                Response::new(PlaceOrderResponse { order }),
                replayed,
            ))
        };
        within(time, work).await
    }

    /// The order, when the same was placed before.
    async fn placed_before(&self, asked: &PlaceOrderRequest) -> Result<Option<StoredOrder>, Error> {
        let fingerprint = convert::place_fingerprint(asked);
        let (request_id, order_id) = (&asked.request_id, &asked.order_id);
        let found = self
            .store()
            .placed_before(request_id, order_id, &fingerprint);
        Ok(found.await?)
    }

    /// Records the order; true when it was there before.
    async fn take_in(
        &self,
        asked: PlaceOrder,
        now: Timestamp,
    ) -> Result<(StoredOrder, bool), Error> {
        let PlaceOrder {
            request_id,
            actor,
            new,
            policy,
            fingerprint,
        } = asked;
        if policy.reserves() {
            self.check_skus(&new).await?;
        }
        let (order_id, payment_id) = (new.order_id.clone(), new.payment_id.clone());
        let placed = place::place(new, &policy, &actor, &request_id, now)
            .map_err(|error| Error::Internal(error.to_string()))?;
        match self
            .store()
            .place(&placed, &request_id, &fingerprint)
            .await?
        {
            Placing::Placed(stored) => {
                let policy = &policy.name;
                tracing::info!(order_id, request_id, policy, "order placed");
                Ok((stored, false))
            }
            Placing::Replayed(stored) => Ok((stored, true)),
            Placing::RequestReused => Err(Error::RequestReused(request_id)),
            Placing::OrderExists => Err(Error::OrderExists(order_id)),
            Placing::PaymentExists => Err(Error::PaymentExists(payment_id.unwrap_or_default())),
        }
    }

    async fn check_skus(&self, new: &place::NewOrder) -> Result<(), Error> {
        let items = &new.line_items;
        let skus: Vec<&str> = items.iter().map(|item| item.sku.as_str()).collect();
        let known = self.store().known_skus(&skus).await?;
        let violation = |(index, item): (usize, &LineItem)| {
            let field = format!("line_items[{index}].sku");
            let unknown = || Violation::new(field, "there is no stock item of this sku");
            (!known.contains(&item.sku)).then(unknown)
        };
        let unknown: Vec<Violation> = items.iter().enumerate().filter_map(violation).collect();
        match unknown.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid(unknown)),
        }
    }

    /// Makes sure that Temporal has the order's workflow. When Temporal cannot be asked, the order
    /// stays recorded: the sweep starts it, and the same request again finds it.
    pub(super) async fn started(&self, mut stored: StoredOrder) -> Result<StoredOrder, Error> {
        if stored.workflow_started || stored.order.state.is_closed() {
            return Ok(stored);
        }
        let started = self.temporal().start(stored.order.clone()).await;
        stored.run_id = started.map_err(|error| match error {
            TemporalError::Unexpected(cause) => Error::Internal(cause),
            other => Error::Temporal(other.to_string()),
        })?;
        stored.workflow_started = true;
        Ok(stored)
    }
}
