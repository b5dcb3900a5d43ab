//! A cancellation asked for in Temporal's own UI is a CancelOrder by `temporal`: refused, and recorded
//! as refused, where the order cannot be cancelled any more.

use super::{call, fold::KeepsOrder};
use crate::domain::{
    command::{CancelOrder, Command, CommandRequest},
    event::ACTOR_TEMPORAL,
};
use temporalio_sdk::WorkflowContext;

/// Whether Temporal asked for it, and nobody has seen that yet.
pub(super) fn waits<W>(ctx: &WorkflowContext<W>, seen: bool) -> bool {
    ctx.cancellation_token().is_cancelled() && !seen
}

/// Passes it on to the order, once.
pub(super) async fn pass_on<W: KeepsOrder>(ctx: &WorkflowContext<W>, seen: &mut bool) {
    if !waits(ctx, *seen) {
        return;
    }
    *seen = true;
    let reason = ctx.cancellation_token().reason().unwrap_or_default();
    let name = format!("temporal-cancel/{}", ctx.run_id());
    let request = CommandRequest {
        request_id: name.clone(),
        actor: ACTOR_TEMPORAL.to_owned(),
        expected_revision: None,
        seen_revision: 0,
        attempt: String::new(),
        command: Command::CancelOrder(CancelOrder { reason }),
    };
    call::command(ctx, request, Some(name)).await;
}
