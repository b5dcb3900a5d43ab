//! PlaceOrder: insert the order, then start its workflow.

use super::{Orders, mark_replayed, remaining, within};
use crate::{
    convert::{self, PlaceOrder},
    error::Error,
    temporal::{
        TemporalError,
        starter::{Permit, Started},
    },
};
use jiff::Timestamp;
use orders::v1::{PlaceOrderRequest, PlaceOrderResponse};
use orders_domain::{order::LineItem, payment_method::PaymentToken, place, place::Violation};
use orders_store::clock;
use orders_store::{payment_tokens::NewToken, place::Placing, read::StoredOrder};
use orders_worker::provider::test_token;
use std::time::Duration;
use tokio::time::Instant;
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn place(
        &self,
        request: Request<PlaceOrderRequest>,
    ) -> Result<Response<PlaceOrderResponse>, Error> {
        let time = remaining(&request);
        let end = Instant::now() + time;
        let now = clock::now();
        let make_id = || uuid::Uuid::now_v7().to_string();
        let asked = convert::place_order(request.get_ref(), self.policies(), now, make_id)
            .map_err(Error::Invalid);
        let work = async {
            let permit = self.starter().admit();
            let taken = match asked {
                Ok(asked) if permit.is_some() => self.take_in(asked, now).await,
                Ok(_) => self.only_placed_before(request.get_ref()).await,
                Err(error) => Err(error),
            };
            let (stored, replayed) = match taken {
                // A request that was right once keeps its answer, also after its policy is gone or its
                // release time has passed.
                Err(Error::Invalid(violations)) => {
                    match self.placed_before(request.get_ref()).await? {
                        Some(stored) => (stored, true),
                        None => return Err(none_placed(permit, Error::Invalid(violations))),
                    }
                }
                // Whether the database did it is not known.
                Err(error @ Error::Database(_)) => return Err(error),
                Err(error) => return Err(none_placed(permit, error)),
                Ok(taken) => taken,
            };
            let left = end.saturating_duration_since(Instant::now());
            let stored = self.start_soon(stored, permit, left).await?;
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

    /// The order, when the same was placed before; else nothing may be placed, since as many orders
    /// wait for Temporal as may.
    async fn only_placed_before(
        &self,
        asked: &PlaceOrderRequest,
    ) -> Result<(StoredOrder, bool), Error> {
        match self.placed_before(asked).await? {
            Some(stored) => Ok((stored, true)),
            None => {
                let most = self.starter().most();
                let cause = format!("{most} orders wait for it, and no more may (--max-unstarted)");
                Err(Error::Temporal(cause))
            }
        }
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
        let order_id = new.order_id.clone();
        let payment_id = new.payment_id.clone();
        let payment_id = payment_id.unwrap_or_else(|| place::own_payment_id(&order_id));
        let token = new.payment_token.clone();
        let token = token.as_ref().map(|token| NewToken {
            token,
            is_bound: !self.is_test_token(token),
        });
        let placed = place::place(new, &policy, &actor, &request_id, now)
            .map_err(|error| Error::Internal(error.to_string()))?;
        match self
            .store()
            .place(&placed, &request_id, &fingerprint, token)
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
            Placing::PaymentExists => Err(Error::PaymentExists(payment_id)),
            Placing::TokenOfAnother => Err(Error::TokenOfAnother),
        }
    }

    /// Whether a token is one of those by which the embedded provider is tested. They move no money,
    /// and anybody may use them; with a provider outside there are none.
    fn is_test_token(&self, token: &PaymentToken) -> bool {
        self.pays_embedded() && token.expose().starts_with(test_token::PREFIX)
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

    /// Starts the order's workflow, and waits for that only as long as `--start-wait` allows. Until
    /// Temporal has answered, the order is shown without a run.
    async fn start_soon(
        &self,
        mut stored: StoredOrder,
        permit: Option<Permit>,
        time: Duration,
    ) -> Result<StoredOrder, Error> {
        if stored.workflow_started || stored.order.state.is_closed() {
            if let Some(permit) = permit {
                permit.done();
            }
            return Ok(stored);
        }
        let started = self.starter().start(permit, stored.order.clone(), time);
        match started.await.map_err(start_error)? {
            Started::Now(run_id) => {
                stored.run_id = run_id;
                stored.workflow_started = true;
            }
            Started::Later => {
                let order_id = &stored.order.order_id;
                tracing::debug!(order_id, "stored, and started once Temporal answers");
            }
        }
        Ok(stored)
    }

    /// Makes sure that Temporal has the order's workflow. When Temporal cannot be asked, the order
    /// stays recorded: the sweep starts it, and the same request again finds it.
    pub(super) async fn started(&self, mut stored: StoredOrder) -> Result<StoredOrder, Error> {
        if stored.workflow_started || stored.order.state.is_closed() {
            return Ok(stored);
        }
        let started = self.temporal().start(stored.order.clone()).await;
        stored.run_id = started.map_err(start_error)?;
        stored.workflow_started = true;
        Ok(stored)
    }
}

/// No order was placed, so none waits for Temporal.
fn none_placed(permit: Option<Permit>, error: Error) -> Error {
    if let Some(permit) = permit {
        permit.done();
    }
    error
}

fn start_error(error: TemporalError) -> Error {
    match error {
        TemporalError::Unexpected(cause) => Error::Internal(cause),
        other => Error::Temporal(other.to_string()),
    }
}
