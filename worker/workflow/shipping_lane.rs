//! How an order's workflow uses the shipping lane: it starts the child, passes on what changes, and
//! takes the result in.

use super::{
    OrderWorkflow, TASK_TIMEOUT, call, cancel,
    fold::{KeepsOrder, write_input},
    order_workflow, search,
    shipping_workflow::{ShippingWorkflow, next},
    wait,
};
use crate::activities::News;
use futures::FutureExt;
use orders_domain::{
    order::{Deadline, Order},
    policy::ShippingMode,
};
use temporalio_common::data_converters::RawValue;
use temporalio_sdk::{
    ChildWorkflowOptions, ParentClosePolicy, SignalWorkflowOptions, WorkflowCancellationToken,
    WorkflowContext, workflows,
};

/// The task queue of the shipping lane beside that of the orders.
pub fn task_queue(orders: &str) -> String {
    format!("{orders}-shipping")
}

/// Whether an effect that is due for the order is one for the lane.
pub(super) fn is_next(ctx: &WorkflowContext<OrderWorkflow>) -> bool {
    let now = call::now(ctx);
    let is_next =
        |order: &Order| order.policy.shipping == ShippingMode::Lane && next(order, now).is_work();
    ctx.state(|workflow| workflow.order().is_some_and(is_next))
}

/// Lets the lane do its steps. False when it cannot be had, because a lane of an earlier run of this
/// order is still at it: then the order does its steps itself, and the store's fence keeps the two
/// from doing one twice.
pub(super) async fn run(ctx: &WorkflowContext<OrderWorkflow>, cancel_seen: &mut bool) -> bool {
    search::show_state(ctx);
    let Some(order) = ctx.state(|workflow| workflow.order().cloned()) else {
        return false;
    };
    let lane = Order::shipping_workflow_id(&order.order_id);
    // What the lane knows. A cancellation may come while it is being started.
    let mut known = Some(order.revision);
    let options = ChildWorkflowOptions::builder()
        .workflow_id(lane.clone())
        .task_queue(task_queue(ctx.task_queue()))
        .task_timeout(TASK_TIMEOUT)
        // A cancellation is a command to the order, and an order that was undone does not wait for
        // its lane: that finds nothing left to do, and ends by itself.
        .cancellation_token(WorkflowCancellationToken::new())
        .parent_close_policy(ParentClosePolicy::Abandon)
        .build();
    let started = ctx.start_child_workflow(ShippingWorkflow::run, write_input(&order), options);
    let Ok(child) = started.await else {
        return false;
    };
    let result = child.result().fuse();
    futures::pin_mut!(result);
    // Store and workflow may disagree, and must not spin on it.
    let mut passed = None;
    loop {
        let changed = wait::changed(ctx, known).fuse();
        let cancelled = wait::cancelled(ctx, *cancel_seen).fuse();
        // A deadline passes also while the lane is failing.
        let deadline = ctx.state(deadline);
        let deadline = deadline.filter(|deadline| passed != Some(*deadline));
        let end = deadline.map(|deadline| deadline.expire_time);
        let token = WorkflowCancellationToken::new();
        let over = wait::time(ctx, end, &token).fuse();
        futures::pin_mut!(changed, cancelled, over);
        workflows::select! {
            news = result => {
                token.cancel();
                take_in(ctx, news.ok()).await;
                return true;
            }
            _ = changed => token.cancel(),
            _ = cancelled => {
                token.cancel();
                cancel::pass_on(ctx, cancel_seen).await;
            }
            _ = over => {
                passed = deadline;
                if let Some(deadline) = deadline {
                    order_workflow::pass(ctx, deadline).await;
                }
            }
        }
        known = ctx.state(wait::revision);
        wake(ctx, &lane).await;
        if !is_next(ctx) || ctx.continue_as_new_suggested() {
            return true;
        }
    }
}

/// What the order waits for beside its lane.
fn deadline(workflow: &OrderWorkflow) -> Option<Deadline> {
    workflow.order().and_then(Order::next_deadline)
}

/// What the lane has done. A lane that failed, or was ended by hand, or began anew, has no complete
/// news: the store has.
async fn take_in(ctx: &WorkflowContext<OrderWorkflow>, news: Option<News>) {
    let known = ctx.state(wait::revision).unwrap_or_default();
    let follows = |news: &News| {
        let first = news.events.first();
        !news.behind && first.is_some_and(|event| event.revision <= known + 1)
    };
    match news.filter(follows) {
        Some(news) => ctx.state_mut(|workflow| workflow.fold(&news.events)),
        None => call::settle(ctx).await,
    }
}

async fn wake(ctx: &WorkflowContext<OrderWorkflow>, lane: &str) {
    let options = SignalWorkflowOptions::builder()
        .cancellation_token(WorkflowCancellationToken::new())
        .build();
    let lane = ctx.external_workflow(lane, None);
    // A lane that has ended needs no waking.
    let _ = lane
        .signal(ShippingWorkflow::wake, RawValue::empty(), options)
        .await;
}
