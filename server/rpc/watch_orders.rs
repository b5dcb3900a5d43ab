//! WatchOrders: all orders that pass a filter, event by event.

use super::{
    Orders,
    watch::{self, Follow},
};
use crate::{
    convert,
    error::Error,
    watch::{Next, OrdersWatch},
};
use futures::stream::BoxStream;
use orders::v1::{WatchOrdersRequest, WatchOrdersResponse};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

/// The field that says where a watch begins.
const AFTER: &str = "after";

/// The header that says where a watch began: a caller who is cut off before the first event can
/// go on from there.
const POSITION: &str = "orders-position";

struct Following {
    watch: OrdersWatch,
    orders: Orders,
    /// Whether the position after the last event has been sent.
    ended: bool,
}

impl Orders {
    pub(super) async fn watch_many(
        &self,
        request: Request<WatchOrdersRequest>,
    ) -> Result<Response<BoxStream<'static, Result<WatchOrdersResponse, Status>>>, Error> {
        let asked = convert::watch_orders(request.get_ref()).map_err(Error::Invalid)?;
        let caller = watch::caller(&request)?;
        let watch = self
            .watches()
            .orders(caller, asked.filter, asked.position, asked.until_now);
        let following = Following {
            watch: watch.await.map_err(|error| watch::error(error, AFTER))?,
            orders: self.clone(),
            ended: false,
        };
        let position = convert::position_token(following.watch.position());
        let mut response = Response::new(following.stream(self, watch::until(&request)));
        if let Ok(position) = position.parse() {
            response.metadata_mut().insert(POSITION, position);
        }
        Ok(response)
    }
}

impl Follow for Following {
    type Answer = WatchOrdersResponse;
    const RPC: &'static str = "WatchOrders";

    async fn next(&mut self, until: Option<Instant>) -> Result<Option<WatchOrdersResponse>, Error> {
        let next = self.watch.next(until).await;
        Ok(match next.map_err(|error| watch::error(error, AFTER))? {
            Next::Event(placed) => Some(WatchOrdersResponse {
                order: Some(self.orders.show_at(&placed.entry)),
                event: Some(convert::event(
                    &placed.entry.stored.order,
                    &placed.entry.event,
                )),
                position: convert::position_token(placed.position),
                heartbeat: false,
            }),
            Next::Silence => Some(WatchOrdersResponse {
                position: convert::position_token(self.watch.position()),
                heartbeat: true,
                ..WatchOrdersResponse::default()
            }),
            Next::End if self.ended => None,
            Next::End => {
                self.ended = true;
                Some(WatchOrdersResponse {
                    position: convert::position_token(self.watch.position()),
                    ..WatchOrdersResponse::default()
                })
            }
        })
    }

    fn resume(&self) -> String {
        format!("{AFTER} = the last position")
    }
}
