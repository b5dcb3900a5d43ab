//! ListOrdersNeedingAttention: found by the store, judged with what Temporal says.

use super::{Orders, explain_order::PATIENCE, list_turn, remaining};
use crate::{convert, error::Error, temporal::Described};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use orders::v1::{ListOrdersNeedingAttentionRequest, ListOrdersNeedingAttentionResponse};
use orders_domain::attention::{OVERDUE_LONG, WorkflowSight, causes};
use orders_store::attention::Candidate;
use tokio::time::Instant;
use tonic::{Request, Response};

/// So many workflows are looked at at once.
const AT_ONCE: usize = 8;

/// So many orders are read at once.
const READ_MOST: i64 = 51;

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
        let end = Instant::now() + PATIENCE.min(remaining(&request) / 2);
        let asked =
            convert::list_orders_needing_attention(request.get_ref()).map_err(Error::Invalid)?;
        let now = orders_store::clock::now();
        let late = now.saturating_sub(OVERDUE_LONG).unwrap_or(Timestamp::MIN);
        let mut temporal_unavailable = false;
        let mut page = convert::Page::new(asked.page_size);
        let mut after = asked.after.clone();
        while let Some(limit) = page.wants() {
            let limit = limit.min(READ_MOST);
            let turn = list_turn(&request).await?;
            let store = self.store();
            let found = store.needing_attention(now, late, after.as_ref(), limit);
            let found = found.await?;
            // Temporal may take its time; others may read meanwhile.
            drop(turn);
            page.read(limit, found.len());
            for (candidate, seen) in found.iter().zip(self.look(&found, late, end).await) {
                let position = &candidate.position;
                after = Some(position.clone());
                let Some(order) = &candidate.order else {
                    continue;
                };
                temporal_unavailable |= matches!(seen, Seen::NoAnswer);
                let sight = match &seen {
                    Seen::Said(sight) => Some(sight),
                    Seen::NotAsked | Seen::NoAnswer => None,
                };
                let causes = causes(order, now, sight);
                // Only the end of its workflow is late: the sweep sees to it.
                if causes.is_empty() && order.is_over() {
                    continue;
                }
                let shown = convert::needing_attention(order, &causes);
                if !page.push(shown, position.clone()) {
                    break;
                }
            }
        }
        let (orders, next_page_token) = page.finish(|last| asked.token(last));
        Ok(Response::new(ListOrdersNeedingAttentionResponse {
            orders,
            next_page_token,
            temporal_unavailable,
        }))
    }

    /// Reads the workflows of those that are late, some at once, until `end`.
    async fn look(&self, found: &[Candidate], late: Timestamp, end: Instant) -> Vec<Seen> {
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
