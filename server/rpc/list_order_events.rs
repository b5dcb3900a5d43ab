//! ListOrderEvents: the order's log, each event with the states after it.

use super::Orders;
use crate::{convert, error::Error};
use orders::v1::{ListOrderEventsRequest, ListOrderEventsResponse};
use orders_worker::domain::order::Order;
use tonic::{Request, Response};

/// The most events of one order that are read: an order has some tens.
const ALL: i64 = 100_000;

impl Orders {
    pub(super) async fn events(
        &self,
        request: Request<ListOrderEventsRequest>,
    ) -> Result<Response<ListOrderEventsResponse>, Error> {
        let asked = convert::list_order_events(request.get_ref()).map_err(Error::Invalid)?;
        // The states after an event are the fold of all events up to it.
        let events = self.store().events(&asked.order_id, 0, ALL).await?;
        let Some(mut order) = events.first().and_then(Order::from_placed) else {
            return Err(Error::NoOrder(asked.order_id));
        };
        let mut shown = Vec::new();
        let mut more = false;
        for event in &events {
            order.apply(event);
            if event.revision <= asked.after_revision {
                continue;
            }
            if shown.len() as i64 == asked.page_size {
                more = true;
                break;
            }
            shown.push(convert::event(&order, event));
        }
        let last = shown.last().filter(|_| more);
        let next_page_token = last.map_or(String::new(), |event| asked.token(event.revision));
        Ok(Response::new(ListOrderEventsResponse {
            events: shown,
            next_page_token,
        }))
    }
}
