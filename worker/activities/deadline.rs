//! The end of a wait: counts once, and never after its way out was taken.

use super::{DeadlineInput, News, OrderActivities, Recorded, failed, fault};
use orders_domain::phase;
use orders_store::StoreError;
use std::time::Instant;
use temporalio_sdk::activities::{ActivityContext, ActivityError};

impl OrderActivities {
    pub(super) async fn deadline(
        &self,
        ctx: &ActivityContext,
        input: DeadlineInput,
    ) -> Result<News, ActivityError> {
        let started = Instant::now();
        fault::begins("pass_deadline", &input.progress.order_id);
        let run = self.try_deadline(ctx, &input);
        let recorded = run
            .await
            .map_err(|error| failed(ctx, &input.progress.order_id, &error))?;
        Ok(self.onward(ctx, &input.progress, recorded, started).await)
    }

    async fn try_deadline(
        &self,
        ctx: &ActivityContext,
        input: &DeadlineInput,
    ) -> Result<Recorded, StoreError> {
        let progress = &input.progress;
        let mut tx = self.lock(progress, progress.now).await?;
        if let Some(change) = phase::deadline_passed(tx.order(), &input.deadline, tx.now()) {
            let (order_id, kind) = (&progress.order_id, input.deadline.kind);
            tracing::info!(order_id, deadline = %kind, "deadline passed");
            tx.record(change);
        }
        self.finish(tx, ctx, progress.known, "pass_deadline").await
    }
}
