//! Replenishment: starts the process of a sku when a supplier order is open that nobody attends to.
//!
//! At once when this process has opened one, and by looking every [`INTERVAL`] for the rest: those
//! that another process opened, or that a crash cut off from their start, or whose process Temporal
//! has lost.
//!
//! A supplier order may be opened at the very moment in which the process of its sku ends: it has
//! looked and found nothing, and Temporal still says that it runs. The supplier order stays
//! unattended then, and the second look after that at the latest starts the process again: within
//! two intervals.

use super::{
    Temporal, TemporalError,
    ours::{Found, Ours},
    pauses::Pauses,
};
use jiff::{SignedDuration, Timestamp};
use orders_store::clock;
use orders_store::{Store, StoreError, supplier_orders::SupplierOrder};
use orders_worker::{
    activities::replenishment::Replenishment,
    workflow::{ReplenishmentWorkflow, TASK_TIMEOUT, write_input},
};
use std::time::Duration;
use temporalio_client::{
    WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowStartOptions,
    errors::WorkflowStartError,
};
use tokio_util::sync::CancellationToken;

/// Between two looks, when nobody tells of a supplier order.
const INTERVAL: Duration = Duration::from_secs(2);

/// A delivery that is late by this has no process, or one that is in trouble.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// After so many failures Temporal is taken to be away until the next look.
const FAILURES: u32 = 3;

/// Supplier orders read at once.
const BATCH: i64 = 200;

/// Looks until `stop`.
pub async fn run(store: Store, temporal: Temporal, stop: CancellationToken) {
    // Half of the interval: what was tried on being told is tried again by the look after the next.
    let mut pauses = Pauses::new(INTERVAL / 2);
    loop {
        if let Err(error) = look(&store, &temporal, &mut pauses, &stop).await {
            tracing::warn!(%error, "supplier orders cannot be read now");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = store.supplier_orders_opened() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn look(
    store: &Store,
    temporal: &Temporal,
    pauses: &mut Pauses,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let before = clock::now().saturating_sub(GRACE).unwrap_or(Timestamp::MIN);
    let mut after = String::new();
    let mut failures = 0;
    loop {
        let page = store.unattended_supplier_orders(before, &after, BATCH);
        let page = page.await?;
        for found in &page {
            if stop.is_cancelled() {
                return Ok(());
            }
            // Each supplier order has pauses of its own: a new one is never held up by those before.
            if !pauses.may_try(&found.supplier_order_id) {
                continue;
            }
            let (sku, supplier_order_id) = (&found.sku, &found.supplier_order_id);
            match temporal.replenish(sku).await {
                Ok(()) => tracing::debug!(sku, supplier_order_id, "replenishment is started"),
                Err(error) => {
                    tracing::warn!(sku, supplier_order_id, %error, "replenishment cannot be started");
                    failures += 1;
                    if failures >= FAILURES {
                        // The next look tries the same again.
                        pauses.forget(supplier_order_id);
                        return Ok(());
                    }
                }
            }
        }
        match page.last() {
            Some(last) if page.len() as i64 == BATCH => after.clone_from(&last.sku),
            _ => break,
        }
    }
    pauses.forget_old();
    Ok(())
}

impl Temporal {
    /// Starts the process of a sku. That it runs already is success; that it ran before and ended
    /// is none of our business. Somebody else's workflow under its id is ended; the next look starts ours.
    ///
    /// # Errors
    /// When Temporal cannot be reached; the same again is safe.
    pub async fn replenish(&self, sku: &str) -> Result<(), TemporalError> {
        let ours = Ours::replenishment(sku);
        let options = WorkflowStartOptions::new(&self.task_queue, SupplierOrder::workflow_id(sku))
            .memo(ours.memo())
            .id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate)
            .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
            .task_timeout(TASK_TIMEOUT)
            .enable_eager_workflow_start(true)
            .build();
        let replenishment = Replenishment {
            sku: sku.to_owned(),
        };
        let input = write_input(&replenishment);
        let started = self
            .client
            .start_workflow(ReplenishmentWorkflow::run, input, options);
        match started.await {
            Ok(_) => return Ok(()),
            Err(WorkflowStartError::AlreadyStarted { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if let Found::Foreign(Some(run_id)) = self.find(&ours).await? {
            self.end_foreign(&ours, run_id).await?;
        }
        Ok(())
    }
}
