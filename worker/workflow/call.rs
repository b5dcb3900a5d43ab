//! What the workflows of an order ask of the activities. Each answer brings the order's new events.

use super::{activity::activity, fold::KeepsOrder};
use crate::activities::{
    CommandInput, CommandNews, CommandReply, DeadlineInput, News, Progress, Signal, SignalsInput,
    SignalsNews, StepInput,
};
use jiff::Timestamp;
use orders_domain::{command::CommandRequest, effect::Effect, order::Deadline, policy::Lane};
use temporalio_common::data_converters::{TemporalDeserializable, TemporalSerializable};
use temporalio_sdk::WorkflowContext;

/// The workflow's clock: the same in every replay.
pub(super) fn now<W>(ctx: &WorkflowContext<W>) -> Timestamp {
    ctx.workflow_time()
        .and_then(|time| Timestamp::try_from(time).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Brings an effect about.
pub(super) async fn step<W: KeepsOrder>(ctx: &WorkflowContext<W>, effect: Effect) {
    let Some(progress) = progress(ctx) else {
        return;
    };
    let input = StepInput { progress, effect };
    let news = run(ctx, effect.step.as_str(), input).await;
    learn(ctx, news).await;
}

/// Records what follows from the order as it stands.
pub(super) async fn settle<W: KeepsOrder>(ctx: &WorkflowContext<W>) {
    let Some(progress) = progress(ctx) else {
        return;
    };
    let news = run(ctx, "settle_order", progress).await;
    learn(ctx, news).await;
}

/// Records the end of a wait.
pub(super) async fn pass_deadline<W: KeepsOrder>(ctx: &WorkflowContext<W>, deadline: Deadline) {
    let Some(progress) = progress(ctx) else {
        return;
    };
    let input = DeadlineInput { progress, deadline };
    let news = run(ctx, "pass_deadline", input).await;
    learn(ctx, news).await;
}

/// Records a command; none when the order was given up.
pub(super) async fn command<W: KeepsOrder>(
    ctx: &WorkflowContext<W>,
    request: CommandRequest,
) -> Option<CommandReply> {
    let progress = progress(ctx)?;
    let input = CommandInput { progress, request };
    let answer: CommandNews = run(ctx, "record_command", input).await?;
    learn(ctx, Some(answer.news)).await;
    Some(answer.reply)
}

/// Records signals. Gives how many of them were taken, and the bytes of the answer, about.
pub(super) async fn signals<W: KeepsOrder>(
    ctx: &WorkflowContext<W>,
    signals: Vec<Signal>,
) -> (usize, usize) {
    let all = signals.len();
    let Some(progress) = progress(ctx) else {
        return (all, 0);
    };
    let input = SignalsInput { progress, signals };
    let answer: Option<SignalsNews> = run(ctx, "record_signals", input).await;
    let Some(answer) = answer else {
        return (all, 0);
    };
    let bytes = serde_json::to_string(&answer).map_or(0, |json| json.len());
    learn(ctx, Some(answer.news)).await;
    // One that took nothing would be asked without end.
    (answer.taken.clamp(1, all.max(1)), bytes)
}

/// What an activity is told; none when the order was given up.
fn progress<W: KeepsOrder>(ctx: &WorkflowContext<W>) -> Option<Progress> {
    let now = now(ctx);
    ctx.state(|workflow| {
        workflow.order().map(|order| Progress {
            order_id: order.order_id.clone(),
            known: order.revision,
            now,
            placed: order.place_time,
        })
    })
}

/// Folds an answer in, and what it could not bring: an answer has its limit, and an order that got many
/// signals while it waited for a provider has more news than that.
async fn learn<W: KeepsOrder>(ctx: &WorkflowContext<W>, news: Option<News>) {
    let mut next = news;
    while let Some(news) = next.take() {
        if !news.events.is_empty() {
            ctx.state_mut(|workflow| workflow.fold(&news.events));
        }
        if news.behind
            && let Some(progress) = progress(ctx)
        {
            next = run(ctx, "settle_order", progress).await;
        }
    }
}

/// In the lane that the order's policy asks for. None when the order was given up.
async fn run<W, I, O>(ctx: &WorkflowContext<W>, name: &'static str, input: I) -> Option<O>
where
    W: KeepsOrder,
    I: TemporalSerializable + TemporalDeserializable + Clone + 'static,
    O: TemporalSerializable + TemporalDeserializable + 'static,
{
    let lane = |workflow: &W| {
        workflow
            .order()
            .map_or(Lane::Local, |order| order.policy.lane)
    };
    let lane = ctx.state(lane);
    match activity(ctx, lane, name, input).await {
        Ok(answer) => Some(answer),
        Err(hopeless) => {
            ctx.state_mut(|workflow| workflow.give_up(hopeless.0));
            None
        }
    }
}
