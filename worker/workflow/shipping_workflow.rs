//! The shipping lane: a child workflow on a task queue of its own that gets one order's parcel to the
//! carrier, with the retries of the policy's `shipping_retry`.

#![allow(
    missing_docs,
    reason = "the SDK's macros write constants without documentation"
)]

use super::{
    call, cancel, failed,
    fold::{self, KeepsOrder},
    inbox::{self, Inbox},
    wait,
};
use crate::activities::News;
use jiff::Timestamp;
use orders_domain::{
    event::Event,
    order::Order,
    phase::{self, Todo},
    state::OrderState,
};
use temporalio_common::data_converters::RawValue;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ContinueAsNewOptions, SyncWorkflowContext, WorkflowContext, WorkflowContextView, WorkflowResult,
};

/// More events than this are not brought to the order by the lane: the order reads them from the store.
const EVENTS_MOST: usize = 500;

/// The way of one parcel. Its input is the order as it is; its result is what happened to the order
/// since then.
#[workflow]
pub struct ShippingWorkflow {
    /// The order, or why there is none.
    order: Result<Order, String>,
    /// What happened since the workflow began.
    news: News,
    inbox: Inbox,
}

#[workflow_methods]
impl ShippingWorkflow {
    #[init]
    pub fn new(_ctx: &WorkflowContextView, input: RawValue) -> Self {
        Self {
            order: fold::read_input(input),
            news: News::default(),
            inbox: Inbox::default(),
        }
    }

    /// Does the steps of the shipping, until something else is next: the parcel is on its way, or the
    /// order was cancelled.
    #[run(name = "ShippingWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<News> {
        inbox::beside(ctx, story(ctx)).await
    }

    /// The order has changed: takes in what the store knows, and goes on from there. What the order's
    /// own workflow does with a new address, or a cancellation.
    #[signal(name = "wake")]
    pub fn wake(&mut self, _ctx: &mut SyncWorkflowContext<Self>, _payload: RawValue) {
        self.inbox.wake();
    }

    /// The whole order, as far as the lane knows.
    #[query(name = "order")]
    pub fn order(&self, _ctx: &WorkflowContextView) -> Option<Order> {
        self.order.clone().ok()
    }

    /// The order's state.
    #[query(name = "status")]
    pub fn status(&self, _ctx: &WorkflowContextView) -> Option<OrderState> {
        KeepsOrder::order(self).map(|order| order.state)
    }
}

impl KeepsOrder for ShippingWorkflow {
    fn order(&self) -> Option<&Order> {
        self.order.as_ref().ok()
    }

    fn fold(&mut self, events: &[Event]) {
        let Ok(order) = &mut self.order else {
            return;
        };
        for event in events {
            if event.revision > order.revision {
                order.apply(event);
                self.news.events.push(event.clone());
            }
        }
        if self.news.events.len() > EVENTS_MOST {
            self.news.behind = true;
        }
        if self.news.behind {
            self.news.events.clear();
        }
    }

    fn give_up(&mut self, why: String) {
        self.order = Err(why);
    }

    fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    fn inbox_mut(&mut self) -> &mut Inbox {
        &mut self.inbox
    }
}

async fn story(ctx: &WorkflowContext<ShippingWorkflow>) -> WorkflowResult<News> {
    let mut cancel_seen = false;
    let mut idle = 0;
    loop {
        cancel::pass_on(ctx, &mut cancel_seen).await;
        let now = call::now(ctx);
        let (following, before) = ctx.state(|workflow| {
            let order = KeepsOrder::order(workflow);
            let following = order.map_or_else(Todo::default, |order| next(order, now));
            (following, wait::revision(workflow))
        });
        if following.is_nothing() {
            break;
        }
        if let Some(effect) = following.ready(now).next() {
            call::step(ctx, effect).await;
            if ctx.state(wait::revision) == before {
                idle += 1;
                wait::pause(ctx, idle, cancel_seen).await;
            } else {
                idle = 0;
            }
        } else {
            wait::until(ctx, following.next_time(), cancel_seen).await;
        }
        if ctx.continue_as_new_suggested() && !cancel::waits(ctx, cancel_seen) {
            inbox::idle(ctx).await;
            if let Some(order) = ctx.state(|workflow| KeepsOrder::order(workflow).cloned()) {
                let input = fold::write_input(&order);
                ctx.continue_as_new(input, ContinueAsNewOptions::default())?;
            }
        }
    }
    if let Some(why) = ctx.state(|workflow| workflow.order.clone().err()) {
        return Err(failed(why));
    }
    inbox::idle(ctx).await;
    Ok(ctx.state(|workflow| workflow.news.clone()))
}

/// What is next for an order, as far as it is for the lane: the effects of the shipping.
pub(super) fn next(order: &Order, now: Timestamp) -> Todo {
    let mut due = phase::todo(order, now).due;
    due.retain(|due| due.effect.step.is_shipping());
    Todo {
        due,
        ..Todo::default()
    }
}
