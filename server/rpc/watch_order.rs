//! WatchOrder: one order, event by event, until it is closed.

use super::{
    Orders,
    watch::{self, Follow},
};
use crate::{
    convert,
    error::Error,
    watch::{Next, OrderWatch},
};
use futures::stream::BoxStream;
use orders::v1::{WatchOrderRequest, WatchOrderResponse};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

/// The field that says where a watch begins.
const AFTER: &str = "after_revision";

struct Following {
    watch: OrderWatch,
    orders: Orders,
}

impl Orders {
    pub(super) async fn watch_one(
        &self,
        request: Request<WatchOrderRequest>,
    ) -> Result<Response<BoxStream<'static, Result<WatchOrderResponse, Status>>>, Error> {
        let asked = convert::watch_order(request.get_ref()).map_err(Error::Invalid)?;
        let caller = watch::caller(&request)?;
        let (order_id, after) = (asked.order_id.as_str(), asked.after_revision);
        let watch = self.watches().order(caller, order_id, after);
        let following = Following {
            watch: watch.await.map_err(|error| watch::error(error, AFTER))?,
            orders: self.clone(),
        };
        Ok(Response::new(
            following.stream(self, watch::until(&request)),
        ))
    }
}

impl Follow for Following {
    type Answer = WatchOrderResponse;
    const RPC: &'static str = "WatchOrder";

    async fn next(&mut self, until: Option<Instant>) -> Result<Option<WatchOrderResponse>, Error> {
        let next = self.watch.next(until).await;
        Ok(match next.map_err(|error| watch::error(error, AFTER))? {
            Next::Event(entry) => Some(WatchOrderResponse {
                event: Some(convert::event(&entry.stored.order, &entry.event)),
                order: Some(self.orders.show_at(&entry)),
                heartbeat: false,
            }),
            Next::Silence => Some(WatchOrderResponse {
                heartbeat: true,
                ..WatchOrderResponse::default()
            }),
            Next::End => None,
        })
    }

    fn resume(&self) -> String {
        format!("{AFTER} {}", self.watch.revision())
    }
}
