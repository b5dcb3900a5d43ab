//! A cancellation asked for in Temporal's own UI is a CancelOrder by `temporal`: refused, and recorded
//! as refused, where the order cannot be cancelled any more.

use super::{fold::KeepsOrder, inbox};
use crate::activities::Signal;
use orders_domain::{
    command::{CancelOrder, Command, CommandRequest},
    event::ACTOR_TEMPORAL,
    text,
};
use temporalio_sdk::WorkflowContext;

/// Whether Temporal asked for it, and nobody has seen that yet.
pub(super) fn waits<W>(ctx: &WorkflowContext<W>, seen: bool) -> bool {
    ctx.cancellation_token().is_cancelled() && !seen
}

/// Passes it on to the order, once, and waits until the order has answered.
pub(super) async fn pass_on<W: KeepsOrder>(ctx: &WorkflowContext<W>, seen: &mut bool) {
    if !waits(ctx, *seen) {
        return;
    }
    *seen = true;
    let reason = ctx.cancellation_token().reason().unwrap_or_default();
    let reason = text::words(&reason);
    let request = CommandRequest {
        request_id: format!("temporal-cancel/{}", ctx.run_id()),
        actor: ACTOR_TEMPORAL.to_owned(),
        expected_revision: None,
        seen_revision: 0,
        attempt: String::new(),
        command: Command::CancelOrder(CancelOrder { reason }),
    };
    let signal = Signal {
        request,
        own: true,
        numbered: true,
    };
    let bytes = text::WORDS_MOST;
    let ticket = ctx.state_mut(|workflow| workflow.inbox_mut().push_signal(signal, bytes));
    inbox::applied(ctx, ticket).await;
}
