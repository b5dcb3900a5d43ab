//! One process for each sku that is being replenished, from the first open supplier order to the
//! last. Orders know nothing of it, and it knows nothing of orders.

#![allow(
    missing_docs,
    reason = "the SDK's macros write constants without documentation"
)]

use super::{activity::activity, call, failed, fold, wait};
use crate::activities::replenishment::{Delivery, OnOrder, ReceiveInput, Received, Replenishment};
use orders_domain::policy::Lane;
use temporalio_common::data_converters::RawValue;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{ContinueAsNewOptions, WorkflowContext, WorkflowContextView, WorkflowResult};

/// Waits for what is on order for a sku. Only one is open at a time, so this never runs twice for
/// one sku; when nothing is open it ends, and the next supplier order has it started again.
#[workflow]
pub struct ReplenishmentWorkflow {
    /// What is replenished, or why the input cannot be read.
    replenishment: Result<Replenishment, String>,
}

#[workflow_methods]
impl ReplenishmentWorkflow {
    /// Of that sku.
    #[init]
    pub fn new(_ctx: &WorkflowContextView, input: RawValue) -> Self {
        Self {
            replenishment: fold::read_input(input),
        }
    }

    /// Order, wait, take in; again for as long as the sku stays low.
    #[run(name = "ReplenishmentWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        let replenishment = ctx.state(|workflow| workflow.replenishment.clone());
        let replenishment = replenishment.map_err(failed)?;
        while let Some(delivery) = place(ctx, &replenishment).await {
            wait::for_time(ctx, delivery.due_time).await;
            receive(ctx, &replenishment, delivery).await;
            if ctx.continue_as_new_suggested() {
                let input = fold::write_input(&replenishment);
                ctx.continue_as_new(input, ContinueAsNewOptions::default())?;
            }
        }
        Ok(())
    }
}

async fn place(
    ctx: &WorkflowContext<ReplenishmentWorkflow>,
    replenishment: &Replenishment,
) -> Option<Delivery> {
    let input = replenishment.clone();
    let answer = activity(ctx, Lane::Local, "place_supplier_order", input).await;
    answer.ok().and_then(|answer: OnOrder| answer.delivery)
}

async fn receive(
    ctx: &WorkflowContext<ReplenishmentWorkflow>,
    replenishment: &Replenishment,
    delivery: Delivery,
) {
    let input = ReceiveInput {
        sku: replenishment.sku.clone(),
        supplier_order_id: delivery.supplier_order_id,
        now: call::now(ctx),
    };
    // Not taken in: somebody else did. What is open now is looked up next either way.
    let _: Option<Received> = activity(ctx, Lane::Local, "receive_supplier_order", input)
        .await
        .ok();
}
