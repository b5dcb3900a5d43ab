//! The twin: a workflow that leaves the same history as an order and does nothing else. What an order
//! costs beside its twin is ours; what the twin costs beside the floor is Temporal's price for what is
//! in the history: search attributes to filter by, a record of each step, a timer for each wait, and a
//! child where the policy has one.

use crate::plan::{Input, Message, STATE, text};
use futures::FutureExt;
use std::time::Duration;
use temporalio_common::search_attributes::SearchAttributeKey;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ChildWorkflowOptions, LocalActivityOptions, TimerOptions, WorkflowCancellationToken,
    WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
    workflows,
};

const STANDS: SearchAttributeKey<String> = SearchAttributeKey::keyword(STATE);

/// Counts its messages, and keeps a record of each.
#[workflow]
#[derive(Default)]
pub struct Twin {
    received: usize,
}

#[workflow_methods]
impl Twin {
    /// Waits for its messages, and then for a time.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, input: Input) -> WorkflowResult<String> {
        let mut records = input.records.iter().copied();
        if let Some(length) = records.next() {
            record(ctx, length).await;
        }
        for message in 1..=input.messages {
            show(ctx, &input, "AWAITING_MESSAGE");
            received(ctx, message, message <= input.timers).await;
        }
        if let Some((given, given_back)) = input.child {
            show(ctx, &input, "IN_FULFILLMENT");
            let told = Message::of_length(given, given_back, given_back);
            let id = format!("{}/child", ctx.workflow_id());
            let options = ChildWorkflowOptions::builder().workflow_id(id).build();
            if let Ok(child) = ctx.start_child_workflow(Child::run, told, options).await {
                drop(child.result().await);
            }
        }
        if input.wait > 0 {
            show(ctx, &input, "IN_TRANSIT");
            ctx.timer(Duration::from_millis(input.wait)).await;
        }
        for length in records {
            record(ctx, length).await;
        }
        show(ctx, &input, "COMPLETED");
        Ok("COMPLETED".to_owned())
    }

    /// One message.
    #[update]
    pub async fn message(ctx: &mut WorkflowContext<Self>, told: Message) -> String {
        record(ctx, told.record).await;
        ctx.state_mut(|twin| twin.received += 1);
        text(told.answer)
    }
}

/// Waits for so many messages, and no longer than an order does.
async fn received(ctx: &mut WorkflowContext<Twin>, messages: usize, has_timer: bool) {
    let received = ctx.wait_condition(move |twin: &Twin| twin.received >= messages);
    if !has_timer {
        let _ = received.await;
        return;
    }
    let token = WorkflowCancellationToken::new();
    let day = TimerOptions::builder(Duration::from_secs(24 * 3600))
        .cancellation_token(token.clone())
        .build();
    let timer = ctx.timer(day);
    let received = received.fuse();
    futures::pin_mut!(timer, received);
    workflows::select! {
        _ = received => token.cancel(),
        _ = timer => {}
    }
}

/// Keeps one record.
#[workflow]
#[derive(Default)]
pub struct Child;

#[workflow_methods]
impl Child {
    /// Gives as much back as a lane does.
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>, told: Message) -> WorkflowResult<String> {
        record(ctx, told.record).await;
        Ok(text(told.answer))
    }
}

fn show<W>(ctx: &WorkflowContext<W>, input: &Input, state: &str) {
    if let Ok(update) = STANDS.try_value_set(state.to_owned())
        && input.shows
    {
        ctx.upsert_search_attributes([update]);
    }
}

async fn record<W: 'static>(ctx: &WorkflowContext<W>, length: usize) {
    let options = LocalActivityOptions::builder()
        .start_to_close_timeout(Duration::from_secs(10))
        .schedule_to_close_timeout(Duration::from_secs(12))
        .build();
    let recorded = ctx.execute_local_activity(Records::record, length, options);
    drop(recorded.await);
}

/// What takes no time.
pub struct Records;

#[activities]
impl Records {
    /// Gives as much back as a step does.
    #[activity]
    pub async fn record(_ctx: ActivityContext, length: usize) -> Result<String, ActivityError> {
        Ok(text(length))
    }
}
