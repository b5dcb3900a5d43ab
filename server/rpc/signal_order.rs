//! SignalOrder: a command whose caller does not wait for what becomes of it.

use super::{Orders, command::is_replay, mark_replayed, remaining, signal_limits::Reached, within};
use crate::{convert, error::Error, temporal::TemporalError};
use orders::v1::{SignalOrderRequest, SignalOrderResponse};
use orders_domain::command::CommandRequest;
use orders_store::read::StoredOrder;
use std::time::Instant;
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
            let (stored, asked) = self.stored_asked(&order_id, &command.request_id).await?;
            // Also of an order that has closed since, perhaps by this very command.
            let fingerprint = command.fingerprint(&order_id);
            if is_replay(&order_id, &command, &fingerprint, asked)? {
                return Ok(mark_replayed(Response::new(SignalOrderResponse {}), true));
            }
            if stored.order.state.is_closed() {
                return self.signal_closed(&stored, &command).await;
            }
            // What the order certainly refuses is refused here, while somebody listens. A payment that
            // was made is always taken there: money that arrived must never be turned away unseen.
            self.check(&order_id, &command, &stored)?;
            let limits = &self.inner.signal_limits;
            if let Err(reached) = limits.take(&order_id, &command.actor, Instant::now()) {
                let of = match reached {
                    Reached::Order => format!("the order {order_id}"),
                    Reached::Caller => format!("the caller {}", command.actor),
                };
                return Err(Error::TooManySignals { of });
            }
            self.started(stored).await?;
            match self.temporal().signal(&order_id, command.clone()).await {
                Ok(()) => Ok(Response::new(SignalOrderResponse {})),
                Err(TemporalError::NotFound(_)) => {
                    let stored = self.stored(&order_id).await?;
                    if stored.order.state.is_closed() {
                        return self.signal_closed(&stored, &command).await;
                    }
                    self.resume(stored).await?;
                    Err(Error::Temporal(
                        "the workflow was gone and is started anew".to_owned(),
                    ))
                }
                Err(TemporalError::Busy(_)) => Err(Error::TooManySignals {
                    of: format!("the order {order_id}"),
                }),
                Err(error) => Err(Error::Temporal(error.to_string())),
            }
        };
        within(time, work).await
    }

    /// A closed order takes no signal, except for money that arrived.
    async fn signal_closed(
        &self,
        stored: &StoredOrder,
        command: &CommandRequest,
    ) -> Result<Response<SignalOrderResponse>, Error> {
        let order_id = &stored.order.order_id;
        // As in the workflow, a signal is recorded whichever revision its caller saw.
        let command = CommandRequest {
            expected_revision: None,
            ..command.clone()
        };
        let confirmed = self.on_closed(order_id, &command).await?;
        let (_, replayed) = confirmed.ok_or_else(|| Error::Closed {
            order_id: order_id.clone(),
            state: stored.order.state,
        })?;
        Ok(mark_replayed(
            Response::new(SignalOrderResponse {}),
            replayed,
        ))
    }
}
