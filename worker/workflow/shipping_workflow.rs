//! The shipping lane: a child workflow on a task queue of its own that gets one order's parcel to the
//! carrier, with the retries of the policy's `shipping_retry`.

#![allow(
    missing_docs,
    reason = "the SDK's macros write constants without documentation"
)]

use super::{call, cancel, fold::KeepsOrder, wait};
use crate::{
    activities::News,
    domain::{
        event::Event,
        order::Order,
        phase::{self, Todo},
        state::OrderState,
        step::Step,
    },
};
use jiff::Timestamp;
use temporalio_common::data_converters::RawValue;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{ContinueAsNewOptions, WorkflowContext, WorkflowContextView, WorkflowResult};

/// The way of one parcel. Its input is the order as it is; its result is what happened to the order
/// since then.
#[workflow]
pub struct ShippingWorkflow {
    order: Order,
    /// The events since the workflow began.
    events: Vec<Event>,
}

#[workflow_methods]
impl ShippingWorkflow {
    #[init]
    pub fn new(_ctx: &WorkflowContextView, order: Order) -> Self {
        Self {
            order,
            events: Vec::new(),
        }
    }

    /// Does the steps of the shipping, until something else is next: the parcel is on its way, or the
    /// order was cancelled.
    #[run(name = "ShippingWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<News> {
        let mut cancel_seen = false;
        let mut idle = 0;
        loop {
            cancel::pass_on(ctx, &mut cancel_seen).await;
            let now = call::now(ctx);
            let order = |workflow: &Self| (next(&workflow.order, now), workflow.order.revision);
            let (Some((step, not_before)), before) = ctx.state(order) else {
                break;
            };
            if not_before.is_some_and(|time| time > now) {
                wait::until(ctx, not_before, cancel_seen).await;
                continue;
            }
            call::step(ctx, step).await;
            if ctx.state(|workflow| workflow.order.revision) == before {
                idle += 1;
                wait::pause(ctx, idle, cancel_seen).await;
            } else {
                idle = 0;
            }
            if ctx.continue_as_new_suggested() && !cancel::waits(ctx, cancel_seen) {
                wait::handlers(ctx).await;
                let order = ctx.state(|workflow| workflow.order.clone());
                ctx.continue_as_new(order, ContinueAsNewOptions::default())?;
            }
        }
        wait::handlers(ctx).await;
        Ok(ctx.state(|workflow| News {
            events: workflow.events.clone(),
        }))
    }

    /// The order has changed: takes in what the store knows, and goes on from there. What the order's
    /// own workflow does with a new address, or a cancellation.
    #[signal(name = "wake")]
    pub async fn wake(ctx: &mut WorkflowContext<Self>, _payload: RawValue) {
        call::settle(ctx).await;
    }

    /// The whole order, as far as the lane knows.
    #[query(name = "order")]
    pub fn order(&self, _ctx: &WorkflowContextView) -> Order {
        self.order.clone()
    }

    /// The order's state.
    #[query(name = "status")]
    pub fn status(&self, _ctx: &WorkflowContextView) -> OrderState {
        self.order.state
    }
}

impl KeepsOrder for ShippingWorkflow {
    fn order(&self) -> &Order {
        &self.order
    }

    fn fold(&mut self, events: &[Event]) {
        for event in events {
            if event.revision > self.order.revision {
                self.order.apply(event);
                self.events.push(event.clone());
            }
        }
    }
}

/// The step that is next, if it is one of the shipping, and when it may be tried.
pub(super) fn next(order: &Order, now: Timestamp) -> Option<(Step, Option<Timestamp>)> {
    match phase::todo(order, now) {
        Todo::Call { step, not_before } if step.is_shipping() => Some((step, not_before)),
        _ => None,
    }
}
