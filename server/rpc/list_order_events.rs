//! ListOrderEvents: the order's log, each event with the states after it.

use super::Orders;
use crate::{convert, error::Error};
use orders::v1::{ListOrderEventsRequest, ListOrderEventsResponse};
use tonic::{Request, Response};

impl Orders {
    pub(super) async fn events(
        &self,
        request: Request<ListOrderEventsRequest>,
    ) -> Result<Response<ListOrderEventsResponse>, Error> {
        let asked = convert::list_order_events(request.get_ref()).map_err(Error::Invalid)?;
        let (order_id, after) = (asked.order_id.as_str(), asked.after_revision);
        let history = self
            .store()
            .history(order_id, after, asked.page_size)
            .await?;
        let history = history.ok_or_else(|| Error::NoOrder(asked.order_id.clone()))?;
        let entries = history.entries.iter();
        let events: Vec<_> = entries
            .map(|entry| convert::event(&entry.stored.order, &entry.event))
            .collect();
        let last = events.last();
        let last = last.filter(|event| event.revision < history.newest);
        let next_page_token = last.map_or(String::new(), |event| asked.token(event.revision));
        Ok(Response::new(ListOrderEventsResponse {
            events,
            next_page_token,
        }))
    }
}
