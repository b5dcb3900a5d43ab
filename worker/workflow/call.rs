//! How the workflow calls activities: short ones in the process, and when our own database keeps
//! failing, the same ones by Temporal, which tries without limit and in plain sight.

use super::OrderWorkflow;
use crate::{
    activities::{CommandInput, CommandNews, CommandReply, DeadlineInput, News, Progress},
    domain::{command::CommandRequest, order::Deadline, policy::Lane, step::Step},
};
use jiff::Timestamp;
use std::{marker::PhantomData, time::Duration};
use temporalio_common::{
    ActivityDefinition,
    data_converters::{TemporalDeserializable, TemporalSerializable},
};
use temporalio_sdk::{
    ActivityCloseTimeouts, ActivityOptions, LocalActivityOptions, WorkflowCancellationToken,
    WorkflowContext,
};
use temporalio_workflow::RetryPolicy;

/// The longest that one attempt may take: longer than the database's own time limits and the
/// slowest embedded provider together, so that an attempt that timed out is not still at work.
const ATTEMPT: Duration = Duration::from_secs(10);

/// All local attempts together. Past it Temporal takes over: local retries that go on for minutes
/// would hold one of the worker's few workflow slots each.
const LOCAL: Duration = Duration::from_secs(12);

/// An activity by its name, with its types.
struct Named<I, O> {
    name: &'static str,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> ActivityDefinition for Named<I, O>
where
    I: TemporalSerializable + TemporalDeserializable + 'static,
    O: TemporalSerializable + TemporalDeserializable + 'static,
{
    type Input = I;
    type Output = O;

    fn name(&self) -> &str {
        self.name
    }
}

/// The workflow's clock: the same in every replay.
pub(super) fn now(ctx: &WorkflowContext<OrderWorkflow>) -> Timestamp {
    ctx.workflow_time()
        .and_then(|time| Timestamp::try_from(time).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Carries out a step.
pub(super) async fn step(ctx: &WorkflowContext<OrderWorkflow>, step: Step) {
    let news: News = activity(ctx, step.as_str(), progress(ctx)).await;
    fold(ctx, &news);
}

/// Records what follows from the order as it stands.
pub(super) async fn settle(ctx: &WorkflowContext<OrderWorkflow>) {
    let news: News = activity(ctx, "settle_order", progress(ctx)).await;
    fold(ctx, &news);
}

/// Records the end of a wait.
pub(super) async fn pass_deadline(ctx: &WorkflowContext<OrderWorkflow>, deadline: Deadline) {
    let input = DeadlineInput {
        progress: progress(ctx),
        deadline,
    };
    let news: News = activity(ctx, "pass_deadline", input).await;
    fold(ctx, &news);
}

/// Records a command. `signal` is its name for one whose caller does not wait.
pub(super) async fn command(
    ctx: &WorkflowContext<OrderWorkflow>,
    request: CommandRequest,
    signal: Option<String>,
) -> CommandReply {
    let input = CommandInput {
        progress: progress(ctx),
        request,
        signal,
    };
    let answer: CommandNews = activity(ctx, "record_command", input).await;
    fold(ctx, &answer.news);
    answer.reply
}

fn progress(ctx: &WorkflowContext<OrderWorkflow>) -> Progress {
    let now = now(ctx);
    ctx.state(|workflow| Progress {
        order_id: workflow.order.order_id.clone(),
        known: workflow.order.revision,
        now,
    })
}

fn fold(ctx: &WorkflowContext<OrderWorkflow>, news: &News) {
    if !news.events.is_empty() {
        ctx.state_mut(|workflow| workflow.fold(&news.events));
    }
}

/// Runs an activity until it succeeds. Never cancelled with the workflow: what was begun is
/// finished, and a cancellation is a command of its own.
async fn activity<I, O>(ctx: &WorkflowContext<OrderWorkflow>, name: &'static str, input: I) -> O
where
    I: TemporalSerializable + TemporalDeserializable + Clone + 'static,
    O: TemporalSerializable + TemporalDeserializable + 'static,
{
    let named = || Named::<I, O> {
        name,
        types: PhantomData,
    };
    if ctx.state(|workflow| workflow.order.policy.lane) == Lane::Local {
        let options = LocalActivityOptions::builder()
            .start_to_close_timeout(ATTEMPT)
            .schedule_to_close_timeout(LOCAL)
            .retry_policy(local_retry())
            .cancellation_token(WorkflowCancellationToken::new())
            .build();
        let local = ctx.execute_local_activity(named(), input.clone(), options);
        if let Ok(output) = local.await {
            return output;
        }
    }
    loop {
        let close = ActivityCloseTimeouts::StartToClose(ATTEMPT);
        let options = ActivityOptions::with_close_timeouts(close)
            .retry_policy(regular_retry())
            .cancellation_token(WorkflowCancellationToken::new())
            .build();
        // Without a limit of attempts it ends only well, unless an operator ends it by hand; then
        // it begins anew, since the order cannot go on without it.
        if let Ok(output) = ctx.execute_activity(named(), input.clone(), options).await {
            return output;
        }
    }
}

fn local_retry() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_millis(100))
        .backoff_coefficient(2.0)
        .maximum_attempts(4)
        .build()
}

fn regular_retry() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_secs(1))
        .backoff_coefficient(2.0)
        .maximum_interval(Duration::from_secs(30))
        .build()
}
