//! What the workflows of an order ask of the activities. Each answer brings the order's new events.

use super::{activity::activity, fold::KeepsOrder};
use crate::{
    activities::{CommandInput, CommandNews, CommandReply, DeadlineInput, News, Progress},
    domain::{command::CommandRequest, order::Deadline, step::Step},
};
use jiff::Timestamp;
use temporalio_common::data_converters::{TemporalDeserializable, TemporalSerializable};
use temporalio_sdk::WorkflowContext;

/// The workflow's clock: the same in every replay.
pub(super) fn now<W>(ctx: &WorkflowContext<W>) -> Timestamp {
    ctx.workflow_time()
        .and_then(|time| Timestamp::try_from(time).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Carries out a step.
pub(super) async fn step<W: KeepsOrder>(ctx: &WorkflowContext<W>, step: Step) {
    let news: News = run(ctx, step.as_str(), progress(ctx)).await;
    fold(ctx, &news);
}

/// Records what follows from the order as it stands.
pub(super) async fn settle<W: KeepsOrder>(ctx: &WorkflowContext<W>) {
    let news: News = run(ctx, "settle_order", progress(ctx)).await;
    fold(ctx, &news);
}

/// Records the end of a wait.
pub(super) async fn pass_deadline<W: KeepsOrder>(ctx: &WorkflowContext<W>, deadline: Deadline) {
    let input = DeadlineInput {
        progress: progress(ctx),
        deadline,
    };
    let news: News = run(ctx, "pass_deadline", input).await;
    fold(ctx, &news);
}

/// Records a command. `signal` is its name for one whose caller does not wait.
pub(super) async fn command<W: KeepsOrder>(
    ctx: &WorkflowContext<W>,
    request: CommandRequest,
    signal: Option<String>,
) -> CommandReply {
    let input = CommandInput {
        progress: progress(ctx),
        request,
        signal,
    };
    let answer: CommandNews = run(ctx, "record_command", input).await;
    fold(ctx, &answer.news);
    answer.reply
}

fn progress<W: KeepsOrder>(ctx: &WorkflowContext<W>) -> Progress {
    let now = now(ctx);
    ctx.state(|workflow| Progress {
        order_id: workflow.order().order_id.clone(),
        known: workflow.order().revision,
        now,
    })
}

fn fold<W: KeepsOrder>(ctx: &WorkflowContext<W>, news: &News) {
    if !news.events.is_empty() {
        ctx.state_mut(|workflow| workflow.fold(&news.events));
    }
}

/// In the lane that the order's policy asks for.
async fn run<W, I, O>(ctx: &WorkflowContext<W>, name: &'static str, input: I) -> O
where
    W: KeepsOrder,
    I: TemporalSerializable + TemporalDeserializable + Clone + 'static,
    O: TemporalSerializable + TemporalDeserializable + 'static,
{
    let lane = ctx.state(|workflow| workflow.order().policy.lane);
    activity(ctx, lane, name, input).await
}
