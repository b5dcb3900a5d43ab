//! WatchOrders: all orders that pass a filter, event by event.

use super::{
    Orders,
    watch::{self, Follow},
};
use crate::{convert, error::Error, watch::OrdersWatch};
use futures::stream::BoxStream;
use orders::v1::{WatchOrdersRequest, WatchOrdersResponse};
use tonic::{Request, Response, Status};

/// The field that says where a watch begins.
const AFTER: &str = "after";

/// The header that says where a watch began: a caller who is cut off before the first event can
/// go on from there.
const POSITION: &str = "orders-position";

struct Following {
    watch: OrdersWatch,
    orders: Orders,
}

impl Orders {
    pub(super) async fn watch_many(
        &self,
        request: Request<WatchOrdersRequest>,
    ) -> Result<Response<BoxStream<'static, Result<WatchOrdersResponse, Status>>>, Error> {
        let asked = convert::watch_orders(request.get_ref()).map_err(Error::Invalid)?;
        let watch = self.watches().orders(asked.filter, asked.position);
        let following = Following {
            watch: watch.await.map_err(|error| watch::error(error, AFTER))?,
            orders: self.clone(),
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

    async fn next(&mut self) -> Result<Option<WatchOrdersResponse>, Error> {
        let placed = self.watch.next().await;
        let placed = placed.map_err(|error| watch::error(error, AFTER))?;
        let entry = &placed.entry;
        Ok(Some(WatchOrdersResponse {
            order: Some(self.orders.show_at(entry)),
            event: Some(convert::event(&entry.stored.order, &entry.event)),
            position: convert::position_token(placed.position),
        }))
    }

    fn resume(&self) -> String {
        format!("{AFTER} = the last position")
    }
}
