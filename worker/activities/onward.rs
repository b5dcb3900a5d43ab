//! Going on: an activity that has recorded what it was called for also does what is next, as long as
//! that needs nobody to wait. Each activity is a marker in the history, a round through the worker and
//! a transaction; and the workflow, which folds whatever events it is told, would only ask for the next
//! step.

use super::{News, OrderActivities, Progress, Recorded, fault, step::Run};
use jiff::Timestamp;
use orders_domain::{
    effect::Effect,
    order::Order,
    phase,
    policy::{Lane, ShippingMode},
    step::Step,
};
use orders_store::order_tx::OrderTx;
use std::time::{Duration, Instant};
use temporalio_sdk::activities::ActivityContext;

/// No further step is begun after this: an activity has its time limit, and meanwhile the order takes no
/// command.
const LONGEST: Duration = Duration::from_secs(1);

/// Only the first attempt of an activity goes on. One that is repeated because a further step broke it
/// does its own step alone, and the broken one is then called, and seen to fail, by its own name.
pub(super) fn is_allowed(ctx: &ActivityContext) -> bool {
    ctx.info().attempt <= 1
}

/// The effect that may be brought about at once for an order that is so. Those that Temporal schedules
/// one by one are none.
pub(super) fn next(order: &Order, now: Timestamp) -> Option<Effect> {
    if order.policy.lane != Lane::Local {
        return None;
    }
    // One that has failed is called by its own name.
    let due = phase::todo(order, now).due;
    let mut untried = due.iter().filter(|due| due.not_before.is_none());
    untried.next().map(|due| due.effect)
}

/// The effect that may follow `effect` in the same transaction.
pub(super) fn after(tx: &OrderTx, effect: Effect, run: &Run<'_>) -> Option<Effect> {
    let follows = next(tx.order(), tx.now())
        .filter(|next| may_follow(tx.order(), Some(effect.step), next.step));
    follows.filter(|_| run.onward && run.started.elapsed() < LONGEST)
}

/// Whether who has done `before` (none for what is no step) may also do `step`: the steps of the
/// shipping lane are its own.
pub(super) fn may_follow(order: &Order, before: Option<Step>, step: Step) -> bool {
    let of_lane = |step: Step| step.is_shipping();
    order.policy.shipping != ShippingMode::Lane || before.is_some_and(of_lane) == of_lane(step)
}

impl OrderActivities {
    /// Does what is next after `recorded`, which came of no step: in a transaction of its own, so that
    /// who commanded is answered before. Whatever does not go well is left to the activity of its own
    /// name, which says so and tries again.
    pub(super) async fn onward(
        &self,
        ctx: &ActivityContext,
        progress: &Progress,
        recorded: Recorded,
        started: Instant,
    ) -> News {
        let Recorded { mut news, next } = recorded;
        let (Some(effect), Some(last)) = (next, news.events.last()) else {
            return news;
        };
        // The workflow must know everything before this, or it would miss what it was not told.
        if news.behind {
            return news;
        }
        let input = Progress {
            known: last.revision,
            ..progress.clone()
        };
        let run = Run {
            input: &input,
            started,
            patient: false,
            onward: is_allowed(ctx),
        };
        if !run.onward {
            return news;
        }
        fault::begins(effect.step.as_str(), &input.order_id);
        match self.effects(effect, ctx, &run).await {
            Ok(recorded) => {
                news.events.extend(recorded.news.events);
                news.behind = recorded.news.behind;
            }
            Err(error) => {
                let order_id = input.order_id;
                tracing::debug!(order_id, %effect, %error, "not brought about at once");
            }
        }
        news
    }
}
