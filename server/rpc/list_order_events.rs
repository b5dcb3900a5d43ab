//! ListOrderEvents: the order's log, each event with the states after it.

use super::{Orders, list_turn};
use crate::{convert, error::Error, watch::weight};
use orders::v1::{ListOrderEventsRequest, ListOrderEventsResponse};
use tonic::{Request, Response};

/// The most bytes of orders that are read at once, about.
const READ_MOST: u64 = 8 * 1024 * 1024;

impl Orders {
    pub(super) async fn events(
        &self,
        request: Request<ListOrderEventsRequest>,
    ) -> Result<Response<ListOrderEventsResponse>, Error> {
        let asked = convert::list_order_events(request.get_ref()).map_err(Error::Invalid)?;
        let _turn = list_turn(&request).await?;
        let mut page = convert::Page::new(asked.page_size);
        // Each entry comes with the whole order after it.
        let mut fit = i64::MAX;
        while let Some(limit) = page.wants() {
            let limit = limit.min(fit);
            let after = page.last().copied().unwrap_or(asked.after_revision);
            let history = self.store().history(&asked.order_id, after, limit).await?;
            let history = history.ok_or_else(|| Error::NoOrder(asked.order_id.clone()))?;
            page.read(limit, history.entries.len());
            for entry in history.entries {
                let order = &entry.stored.order;
                fit = (READ_MOST / weight(order)).max(1) as i64;
                if !page.push(convert::event(order, &entry.event), entry.event.revision) {
                    break;
                }
            }
        }
        let (events, next_page_token) = page.finish(|last| asked.token(*last));
        Ok(Response::new(ListOrderEventsResponse {
            events,
            next_page_token,
        }))
    }
}
