//! One process for each sku that is being replenished, from the first open supplier order to the
//! last. Orders know nothing of it, and it knows nothing of orders.

#![allow(
    missing_docs,
    reason = "the SDK's macros write constants without documentation"
)]

use super::{activity::activity, call, wait};
use crate::{
    activities::replenishment::{Delivery, OnOrder, ReceiveInput, Received, Replenishment},
    domain::policy::Lane,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{ContinueAsNewOptions, WorkflowContext, WorkflowContextView, WorkflowResult};

/// Waits for what is on order for a sku. Only one is open at a time, so this never runs twice for
/// one sku; when nothing is open it ends, and the next supplier order has it started again.
#[workflow]
pub struct ReplenishmentWorkflow {
    replenishment: Replenishment,
}

#[workflow_methods]
impl ReplenishmentWorkflow {
    /// Of that sku.
    #[init]
    pub fn new(_ctx: &WorkflowContextView, replenishment: Replenishment) -> Self {
        Self { replenishment }
    }

    /// Order, wait, take in; again for as long as the sku stays low.
    #[run(name = "ReplenishmentWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        while let Some(delivery) = place(ctx).await {
            wait::for_time(ctx, delivery.due_time).await;
            receive(ctx, delivery).await;
            if ctx.continue_as_new_suggested() {
                let replenishment = ctx.state(|workflow| workflow.replenishment.clone());
                ctx.continue_as_new(replenishment, ContinueAsNewOptions::default())?;
            }
        }
        Ok(())
    }
}

async fn place(ctx: &WorkflowContext<ReplenishmentWorkflow>) -> Option<Delivery> {
    let replenishment = ctx.state(|workflow| workflow.replenishment.clone());
    let answer: OnOrder = activity(ctx, Lane::Local, "place_supplier_order", replenishment).await;
    answer.delivery
}

async fn receive(ctx: &WorkflowContext<ReplenishmentWorkflow>, delivery: Delivery) {
    let input = ReceiveInput {
        sku: ctx.state(|workflow| workflow.replenishment.sku.clone()),
        supplier_order_id: delivery.supplier_order_id,
        now: call::now(ctx),
    };
    // Not taken in: somebody else did. What is open now is looked up next either way.
    let _: Received = activity(ctx, Lane::Local, "receive_supplier_order", input).await;
}
