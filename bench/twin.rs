//! The twin: a workflow that leaves the same history as an order and does nothing else. What an order
//! costs beside its twin is ours; what the twin costs beside the floor is Temporal's price for what is
//! in the history: search attributes to filter by, a record of each step, a timer for each wait, and a
//! child where the policy has one.

use crate::shape::Shape;
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use temporalio_common::search_attributes::{SearchAttributeKey, SearchAttributes};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ChildWorkflowOptions, LocalActivityOptions, TimerOptions, WorkflowCancellationToken,
    WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
    workflows,
};

/// Bytes of an order as it is placed, in JSON.
const ORDER: usize = 2_400;

/// Bytes of the events that a step records, in JSON.
const EVENTS: usize = 900;

const STATE: SearchAttributeKey<String> = SearchAttributeKey::keyword("OrderState");

/// What a twin does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    messages: usize,
    wait: u64,
    has_child: bool,
    order: String,
}

impl Plan {
    /// As an order of that shape.
    pub fn of(shape: &Shape) -> Plan {
        Plan {
            messages: shape.messages,
            wait: shape.wait.map_or(0, |wait| wait.as_millis() as u64),
            has_child: shape.policy == "shipping-lane",
            order: "x".repeat(ORDER),
        }
    }
}

/// What orders are filtered by.
pub fn attributes(shape: &Shape) -> SearchAttributes {
    let text = |name, value: &str| {
        SearchAttributeKey::<String>::keyword(name)
            .try_value_set(value.to_owned())
            .unwrap()
    };
    SearchAttributes::new([
        text("OrderState", "PLACED"),
        text("CustomerId", "customer-1"),
        text("OrderPolicy", shape.policy),
    ])
}

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
    pub async fn run(ctx: &mut WorkflowContext<Self>, plan: Plan) -> WorkflowResult<()> {
        record(ctx).await;
        for message in 1..=plan.messages {
            show(ctx, &format!("WAITS_{message}"));
            let token = WorkflowCancellationToken::new();
            let day = TimerOptions::builder(Duration::from_secs(24 * 3600))
                .cancellation_token(token.clone())
                .build();
            let timer = ctx.timer(day);
            let received = ctx
                .wait_condition(move |twin| twin.received >= message)
                .fuse();
            futures::pin_mut!(timer, received);
            workflows::select! {
                _ = received => token.cancel(),
                _ = timer => {}
            }
        }
        if plan.has_child {
            show(ctx, "WITH_CHILD");
            let id = format!("{}/child", ctx.workflow_id());
            let options = ChildWorkflowOptions::builder().workflow_id(id).build();
            if let Ok(child) = ctx
                .start_child_workflow(Child::run, plan.order.clone(), options)
                .await
            {
                drop(child.result().await);
            }
        }
        if plan.wait > 0 {
            show(ctx, "WAITS");
            ctx.timer(Duration::from_millis(plan.wait)).await;
            record(ctx).await;
        }
        show(ctx, "ENDED");
        Ok(())
    }

    /// One message.
    #[update]
    pub async fn message(ctx: &mut WorkflowContext<Self>, _text: String) {
        record(ctx).await;
        ctx.state_mut(|twin| twin.received += 1);
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
    pub async fn run(ctx: &mut WorkflowContext<Self>, _order: String) -> WorkflowResult<String> {
        record(ctx).await;
        Ok("x".repeat(EVENTS))
    }
}

fn show<W>(ctx: &WorkflowContext<W>, state: &str) {
    if let Ok(update) = STATE.try_value_set(state.to_owned()) {
        ctx.upsert_search_attributes([update]);
    }
}

async fn record<W: 'static>(ctx: &WorkflowContext<W>) {
    let options = LocalActivityOptions::builder()
        .start_to_close_timeout(Duration::from_secs(10))
        .schedule_to_close_timeout(Duration::from_secs(12))
        .build();
    let recorded = ctx.execute_local_activity(Records::record, (), options);
    drop(recorded.await);
}

/// What takes no time.
pub struct Records;

#[activities]
impl Records {
    /// Gives as much back as a step does.
    #[activity]
    pub async fn record(_ctx: ActivityContext, _input: ()) -> Result<String, ActivityError> {
        Ok("x".repeat(EVENTS))
    }
}
