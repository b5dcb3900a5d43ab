//! Going on: once an activity has recorded what it was called for, it also does what is next, step by
//! step and each in its own transaction, as long as that needs nobody to wait. Each activity is a
//! marker in the history and a round through the worker, and the workflow would only ask for the next
//! one: it folds the events that it is told, however many there are.

use super::{News, OrderActivities, Progress, Recorded, fault, step::Answer};
use crate::{
    domain::{
        event::Change,
        order::Order,
        phase::{self, Todo},
        policy::{Lane, ShippingMode},
        step::Step,
    },
    store::StoreError,
};
use jiff::Timestamp;
use std::time::{Duration, Instant};
use temporalio_sdk::activities::ActivityContext;

/// No further step is begun after this: an activity has its time limit, and meanwhile the order takes no
/// command.
const LONGEST: Duration = Duration::from_secs(1);

/// The step that may be done at once for an order that is so.
pub(super) fn next(order: &Order, now: Timestamp) -> Option<Step> {
    match phase::todo(order, now) {
        Todo::Call {
            step,
            not_before: None,
        } if order.policy.lane == Lane::Local => Some(step),
        _ => None,
    }
}

/// Whether who has done `before` may also do `step`: the shipping lane's steps are its own.
fn may_follow(order: &Order, before: Option<Step>, step: Step) -> bool {
    let of_lane = |step: Step| step.is_shipping();
    order.policy.shipping != ShippingMode::Lane || before.is_some_and(of_lane) == of_lane(step)
}

impl OrderActivities {
    /// Does what is next after `recorded`, which came of `before` (none for what is no step). Whatever
    /// does not go well is left to the activity of its own name, which says so and tries again.
    pub(super) async fn onward(
        &self,
        ctx: &ActivityContext,
        progress: &Progress,
        before: Option<Step>,
        recorded: Recorded,
        started: Instant,
    ) -> News {
        let Recorded {
            mut news,
            mut next,
            mut fresh,
        } = recorded;
        // Only after what was recorded just now. An activity that is repeated because a further step
        // broke it comes to an end here, and the broken step is called by its name.
        while fresh && started.elapsed() < LONGEST {
            let (Some(step), Some(last)) = (next, news.events.last()) else {
                break;
            };
            let progress = Progress {
                known: last.revision,
                ..progress.clone()
            };
            match self.further(ctx, &progress, before, step, started).await {
                Ok(Some(recorded)) => {
                    news.events.extend(recorded.news.events);
                    (next, fresh) = (recorded.next, recorded.fresh);
                }
                Ok(None) => break,
                Err(error) => {
                    let order_id = progress.order_id;
                    tracing::debug!(order_id, %step, %error, "not gone on with");
                    break;
                }
            }
        }
        news
    }

    async fn further(
        &self,
        ctx: &ActivityContext,
        progress: &Progress,
        before: Option<Step>,
        step: Step,
        started: Instant,
    ) -> Result<Option<Recorded>, StoreError> {
        let now = super::later(progress.now, started.elapsed());
        let mut tx = self.store.lock_order(&progress.order_id, now).await?;
        if next(tx.order(), tx.now()) != Some(step) || !may_follow(tx.order(), before, step) {
            return Ok(None);
        }
        fault::begins(step.as_str(), &progress.order_id);
        match self.ask_once(&mut tx, step).await? {
            Answer::Change(change) if !matches!(change, Change::AttemptFailed { .. }) => {
                super::step::record(&mut tx, step, change, started).await?;
            }
            // Nothing was written yet: the transaction ends with nothing done.
            _ => return Ok(None),
        }
        let recorded = self.finish(tx, ctx, progress.known, step.as_str()).await?;
        Ok(Some(recorded))
    }
}
