//! How the workflow waits: for the order to change, for a time.

use super::{call, fold::KeepsOrder};
use futures::FutureExt;
use jiff::Timestamp;
use std::time::Duration;
use temporalio_sdk::{
    TimerOptions, WaitConditionOptions, WorkflowCancellationToken, WorkflowContext, workflows,
};

/// Waits until the order changes, or until `end`. It ends early when Temporal asks for a cancellation
/// that was not `cancel_seen` yet, or for a shorter history: refused signals make it longer and change
/// nothing.
pub(super) async fn until<W: KeepsOrder>(
    ctx: &WorkflowContext<W>,
    end: Option<Timestamp>,
    cancel_seen: bool,
) {
    if ctx.continue_as_new_suggested() {
        return;
    }
    let changed = changed(ctx, ctx.state(revision)).fuse();
    // Apart from the condition above: a cancellation does not wake a detached wait.
    let cancelled = cancelled(ctx, cancel_seen).fuse();
    let token = WorkflowCancellationToken::new();
    let over = time(ctx, end, &token).fuse();
    futures::pin_mut!(changed, cancelled, over);
    workflows::select! {
        _ = changed => token.cancel(),
        _ = cancelled => token.cancel(),
        _ = over => {}
    }
}

/// Waits until `end`, or for ever when there is none. A timer that loses is only dropped by the SDK and
/// would fire later, so whoever waits for something else as well cancels it by its `token`.
pub(super) async fn time<W>(
    ctx: &WorkflowContext<W>,
    end: Option<Timestamp>,
    token: &WorkflowCancellationToken,
) {
    let Some(end) = end else {
        return std::future::pending().await;
    };
    let options = TimerOptions::builder(time_until(ctx, end))
        .cancellation_token(token.clone())
        .build();
    // Only who holds the token cancels it.
    let _ = ctx.timer(options).await;
}

/// The revision of the order; none when it was given up.
pub(super) fn revision<W: KeepsOrder>(workflow: &W) -> Option<i64> {
    workflow.order().map(|order| order.revision)
}

/// Waits until the order is not at the revision `known`, or Temporal asks for a shorter history.
pub(super) async fn changed<W: KeepsOrder>(ctx: &WorkflowContext<W>, known: Option<i64>) {
    let history = ctx.clone();
    let changed =
        move |workflow: &W| revision(workflow) != known || history.continue_as_new_suggested();
    // A detached wait is never cancelled.
    let _ = ctx
        .wait_condition_with_options(changed, detached_wait())
        .await;
}

/// Waits for a cancellation by Temporal; for ever when it was `seen`.
pub(super) async fn cancelled<W>(ctx: &WorkflowContext<W>, seen: bool) {
    if seen {
        std::future::pending::<()>().await;
    }
    ctx.cancelled().await;
}

/// Waits a second, longer each time up to a minute, or until the order changes.
pub(super) async fn pause<W: KeepsOrder>(ctx: &WorkflowContext<W>, times: u32, cancel_seen: bool) {
    let seconds = 1_i64 << times.saturating_sub(1).min(6);
    let wait = jiff::SignedDuration::from_secs(seconds.min(60));
    let end = call::now(ctx)
        .saturating_add(wait)
        .unwrap_or(Timestamp::MAX);
    until(ctx, Some(end), cancel_seen).await;
}

/// Waits until `end`, whatever happens; not at all when that has passed. A cancellation by Temporal
/// does not shorten it.
pub(super) async fn for_time<W>(ctx: &WorkflowContext<W>, end: Timestamp) {
    if end <= call::now(ctx) {
        return;
    }
    let options = TimerOptions::builder(time_until(ctx, end))
        .cancellation_token(WorkflowCancellationToken::new())
        .build();
    // A detached timer only ever fires.
    let _ = ctx.timer(options).await;
}

/// Ends the workflow task, so that what it did so far is sent to Temporal.
pub(super) async fn flush<W>(ctx: &WorkflowContext<W>) {
    let options = TimerOptions::builder(Duration::from_millis(1))
        .cancellation_token(WorkflowCancellationToken::new())
        .build();
    // A detached timer only ever fires.
    let _ = ctx.timer(options).await;
}

pub(super) fn detached_wait() -> WaitConditionOptions {
    WaitConditionOptions::builder()
        .cancellation_token(WorkflowCancellationToken::new())
        .build()
}

/// From now until `end`, rounded up to whole milliseconds as Temporal counts them, so that a timer
/// never ends before the time that the store will compare with.
fn time_until<W>(ctx: &WorkflowContext<W>, end: Timestamp) -> Duration {
    let left = end.duration_since(call::now(ctx));
    let left = Duration::try_from(left).unwrap_or_default();
    Duration::from_millis(
        u64::try_from(left.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1),
    )
}
