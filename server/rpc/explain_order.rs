//! ExplainOrder: what the store knows, and what Temporal says.

use super::{Orders, remaining};
use crate::{convert, error::Error, temporal::Described};
use orders::v1::{ExplainOrderRequest, ExplainOrderResponse};
use orders_domain::{attention::causes, explain::explain};
use std::time::Duration;
use tonic::{Request, Response};

/// Whoever is on call wants an answer, also while Temporal is away.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

impl Orders {
    pub(super) async fn explain(
        &self,
        request: Request<ExplainOrderRequest>,
    ) -> Result<Response<ExplainOrderResponse>, Error> {
        let time = PATIENCE.min(remaining(&request) / 2);
        let order_id = convert::explain_order(request.get_ref()).map_err(Error::Invalid)?;
        // Looked up first: a mistyped id needs no Temporal. Read again below, for what the store says
        // must not be older than what Temporal does.
        self.stored(&order_id).await?;
        let described = match tokio::time::timeout(time, self.temporal().describe(&order_id)).await
        {
            Ok(described) => described.map_err(|error| error.to_string()),
            Err(_) => Err(format!("Temporal did not answer within {time:?}")),
        };
        let stored = self.stored(&order_id).await?;
        let order = &stored.order;
        let sight = described.as_ref().ok();
        let sight = sight.map(|described| Described::sight(described.as_ref()));
        let now = orders_store::clock::now();
        let explained = explain(order, now, sight.as_ref());
        let causes = causes(order, now, sight.as_ref());
        let mut answer = convert::explanation(order, &explained, &causes, described.as_ref(), now);
        answer.refused_signals = self.store().refused_signals(&order_id).await?;
        Ok(Response::new(answer))
    }
}
