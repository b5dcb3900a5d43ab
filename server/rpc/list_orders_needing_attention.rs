//! ListOrdersNeedingAttention: found by the store, judged with what Temporal says.

use super::{Orders, explain_order::PATIENCE, remaining};
use crate::{convert, error::Error, temporal::Described};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use orders::v1::{ListOrdersNeedingAttentionRequest, ListOrdersNeedingAttentionResponse};
use orders_worker::{
    domain::attention::{OVERDUE_LONG, WorkflowSight, causes},
    store::attention::Candidate,
};
use std::time::Duration;
use tokio::time::Instant;
use tonic::{Request, Response};

/// So many workflows are looked at at once.
const AT_ONCE: usize = 8;

/// What was learnt of an order's workflow.
enum Seen {
    /// The order is not late: nobody asked.
    NotAsked,
    Said(WorkflowSight),
    NoAnswer,
}

impl Orders {
    pub(super) async fn needing_attention(
        &self,
        request: Request<ListOrdersNeedingAttentionRequest>,
    ) -> Result<Response<ListOrdersNeedingAttentionResponse>, Error> {
        let time = PATIENCE.min(remaining(&request) / 2);
        let asked =
            convert::list_orders_needing_attention(request.get_ref()).map_err(Error::Invalid)?;
        let now = orders_worker::clock::now();
        let late = now.saturating_sub(OVERDUE_LONG).unwrap_or(Timestamp::MIN);
        // One more than asked for tells whether there is a next page.
        let limit = asked.page_size + 1;
        let after = asked.after.as_ref();
        let store = self.store();
        let mut found = store.needing_attention(now, late, after, limit).await?;
        let more = found.len() as i64 > asked.page_size;
        if more {
            found.pop();
        }
        let last = found.last().filter(|_| more);
        let next_page_token = last.map_or(String::new(), |last| asked.token(&last.position));
        let mut temporal_unavailable = false;
        let mut orders = Vec::new();
        for (candidate, seen) in found.iter().zip(self.look(&found, late, time).await) {
            let Some(order) = &candidate.order else {
                continue;
            };
            temporal_unavailable |= matches!(seen, Seen::NoAnswer);
            let sight = match &seen {
                Seen::Said(sight) => Some(sight),
                Seen::NotAsked | Seen::NoAnswer => None,
            };
            let causes = causes(order, now, sight);
            orders.push(convert::needing_attention(order, &causes));
        }
        Ok(Response::new(ListOrdersNeedingAttentionResponse {
            orders,
            next_page_token,
            temporal_unavailable,
        }))
    }

    /// Looks at the workflows of those that are late, some at once, within `time` in all.
    async fn look(&self, found: &[Candidate], late: Timestamp, time: Duration) -> Vec<Seen> {
        let end = Instant::now() + time;
        let looks: Vec<_> = found
            .iter()
            .map(|candidate| self.look_at(candidate, late, end))
            .collect();
        stream::iter(looks).buffered(AT_ONCE).collect().await
    }

    async fn look_at(&self, candidate: &Candidate, late: Timestamp, end: Instant) -> Seen {
        let is_late = candidate.due_time.is_some_and(|due| due < late);
        let Some(order) = candidate.order.as_ref().filter(|_| is_late) else {
            return Seen::NotAsked;
        };
        let described = self.temporal().describe(&order.order_id);
        match tokio::time::timeout_at(end, described).await {
            Ok(Ok(described)) => Seen::Said(Described::sight(described.as_ref())),
            Ok(Err(_)) | Err(_) => Seen::NoAnswer,
        }
    }
}
