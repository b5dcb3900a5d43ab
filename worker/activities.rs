//! Activities: what the workflow asks for that touches the world. Each is one transaction on the
//! store, and answers with the order's new events; one that went well [goes on](onward) with what is
//! next.
//!
//! The names of the activities are those of the steps ([`Step::as_str`]), `record_command`,
//! `record_signals`, `pass_deadline` and `settle_order`, and those of [`replenishment`]: they stand in every
//! recorded history and never change.
//!
//! [`Step::as_str`]: orders_domain::step::Step::as_str

#![allow(
    missing_docs,
    reason = "the SDK's macros write constants without documentation"
)]

mod command;
mod deadline;
pub mod fault;
mod onward;
mod payment;
pub mod replenishment;
mod signals;
mod step;
mod testimony;

pub(crate) use testimony::verify as verify_vouched;

use crate::provider::Providers;
use jiff::Timestamp;
use orders_domain::{command::CommandRequest, effect::Effect, event::Event, order::Deadline};
use orders_store::{Store, StoreError, order_tx::OrderTx};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Instant};
use temporalio_macros::activities;
use temporalio_sdk::{
    ApplicationFailure,
    activities::{ActivityContext, ActivityError},
};

/// What every activity is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Progress {
    /// Which order.
    pub order_id: String,
    /// The newest revision that the workflow has: the answer brings everything after it, so that
    /// nothing that was committed and then forgotten stays unknown.
    pub known: i64,
    /// The workflow's clock.
    pub now: Timestamp,
    /// When the workflow's order was placed. An order of that id that was placed at another time is
    /// another order, and this workflow must not touch it.
    pub placed: Timestamp,
}

/// What happened to the order after [`Progress::known`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct News {
    /// Oldest first, without gaps.
    pub events: Vec<Event>,
    /// Whether more has happened than one answer brings: `settle_order` brings the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub behind: bool,
}

/// The input of the activity of a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepInput {
    /// As for every activity.
    #[serde(flatten)]
    pub progress: Progress,
    /// The effect to bring about, by that step.
    pub effect: Effect,
}

/// What `record_command` is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommandInput {
    /// As for every activity.
    #[serde(flatten)]
    pub progress: Progress,
    /// What is asked for.
    pub request: CommandRequest,
}

/// A command whose caller does not wait for the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// What is asked for.
    #[serde(flatten)]
    pub request: CommandRequest,
    /// Whether the workflow itself asks, for Temporal, and may use Temporal's name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// Whether the workflow made its request id, because the sender gave none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub numbered: bool,
}

/// What `record_signals` is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignalsInput {
    /// As for every activity.
    #[serde(flatten)]
    pub progress: Progress,
    /// In the order of their arrival.
    pub signals: Vec<Signal>,
}

/// What became of some signals.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignalsNews {
    /// As of every activity.
    #[serde(flatten)]
    pub news: News,
    /// How many of the signals were applied or refused, from the first on. The rest must be sent
    /// again: a step of the order comes before them.
    pub taken: usize,
}

/// What became of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommandNews {
    /// As of every activity.
    #[serde(flatten)]
    pub news: News,
    /// The answer to who asked.
    pub reply: CommandReply,
}

/// The answer to a command, also the result of the workflow's update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum CommandReply {
    /// It was done, now or by the same request before.
    Done {
        /// The order's revision after it.
        revision: i64,
        /// What was asked, to tell another request with the same id.
        fingerprint: String,
        /// Whether the request was answered before.
        replayed: bool,
    },
    /// It was refused; nothing changed.
    Refused {
        /// The order's revision when it was.
        revision: i64,
        /// Why.
        refusal: orders_domain::command::Refusal,
    },
}

/// What `pass_deadline` is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeadlineInput {
    /// As for every activity.
    #[serde(flatten)]
    pub progress: Progress,
    /// Which wait is over.
    pub deadline: Deadline,
}

/// What activities work with.
pub struct OrderActivities {
    store: Store,
    providers: Providers,
}

#[activities]
impl OrderActivities {
    /// See [`Step::Screen`](orders_domain::step::Step::Screen).
    #[activity(name = "screen_order")]
    pub async fn screen_order(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::ReserveInventory`](orders_domain::step::Step::ReserveInventory).
    #[activity(name = "reserve_inventory")]
    pub async fn reserve_inventory(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::AuthorizePayment`](orders_domain::step::Step::AuthorizePayment).
    #[activity(name = "authorize_payment")]
    pub async fn authorize_payment(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::CapturePayment`](orders_domain::step::Step::CapturePayment).
    #[activity(name = "capture_payment")]
    pub async fn capture_payment(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::ChargePayment`](orders_domain::step::Step::ChargePayment).
    #[activity(name = "charge_payment")]
    pub async fn charge_payment(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::PreparePackage`](orders_domain::step::Step::PreparePackage).
    #[activity(name = "prepare_package")]
    pub async fn prepare_package(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::RequestPickup`](orders_domain::step::Step::RequestPickup).
    #[activity(name = "request_pickup")]
    pub async fn request_pickup(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::RedirectShipment`](orders_domain::step::Step::RedirectShipment).
    #[activity(name = "redirect_shipment")]
    pub async fn redirect_shipment(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::DispatchShipment`](orders_domain::step::Step::DispatchShipment).
    #[activity(name = "dispatch_shipment")]
    pub async fn dispatch_shipment(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::CommitReservation`](orders_domain::step::Step::CommitReservation).
    #[activity(name = "commit_reservation")]
    pub async fn commit_reservation(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::CancelShipment`](orders_domain::step::Step::CancelShipment).
    #[activity(name = "cancel_shipment")]
    pub async fn cancel_shipment(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::RefundPayment`](orders_domain::step::Step::RefundPayment).
    #[activity(name = "refund_payment")]
    pub async fn refund_payment(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::VoidAuthorization`](orders_domain::step::Step::VoidAuthorization).
    #[activity(name = "void_authorization")]
    pub async fn void_authorization(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// See [`Step::ReleaseReservation`](orders_domain::step::Step::ReleaseReservation).
    #[activity(name = "release_reservation")]
    pub async fn release_reservation(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        self.step(&ctx, input).await
    }

    /// Records a command, or refuses it: the transaction decides.
    #[activity(name = "record_command")]
    pub async fn record_command(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: CommandInput,
    ) -> Result<CommandNews, ActivityError> {
        self.command(&ctx, input).await
    }

    /// Records signals, or refuses them: as many as one transaction can.
    #[activity(name = "record_signals")]
    pub async fn record_signals(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: SignalsInput,
    ) -> Result<SignalsNews, ActivityError> {
        self.signals(&ctx, input).await
    }

    /// Records that a wait ended, unless its way out was taken.
    #[activity(name = "pass_deadline")]
    pub async fn pass_deadline(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: DeadlineInput,
    ) -> Result<News, ActivityError> {
        self.deadline(&ctx, input).await
    }

    /// Records what follows from the order as it stands.
    #[activity(name = "settle_order")]
    pub async fn settle_order(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: Progress,
    ) -> Result<News, ActivityError> {
        self.settle(&ctx, input).await
    }
}

/// What a transaction recorded.
struct Recorded {
    /// The answer to the workflow.
    news: News,
    /// The effect that may follow at once, after something that was recorded just now.
    next: Option<Effect>,
}

impl OrderActivities {
    /// Activities on a store, with providers.
    pub fn new(store: Store, providers: Providers) -> Self {
        Self { store, providers }
    }

    async fn settle(&self, ctx: &ActivityContext, input: Progress) -> Result<News, ActivityError> {
        let started = Instant::now();
        fault::begins("settle_order", &input.order_id);
        let run = async {
            let tx = self.lock(&input, input.now).await?;
            self.finish(tx, ctx, input.known, "settle_order").await
        };
        let recorded = run
            .await
            .map_err(|error| failed(ctx, &input.order_id, &error))?;
        Ok(self.onward(ctx, &input, recorded, started).await)
    }

    /// Locks the order of a workflow. An order of the same id that was placed at another time is not
    /// that order: somebody has started a workflow for an order that was not placed, or the database
    /// was set back.
    ///
    /// # Errors
    /// [`StoreError::NoOrder`] when the store does not have this order, else when the database cannot
    /// be used.
    async fn lock(&self, progress: &Progress, now: Timestamp) -> Result<OrderTx, StoreError> {
        let tx = self.store.lock_order(&progress.order_id, now).await?;
        if tx.order().place_time == progress.placed {
            Ok(tx)
        } else {
            Err(StoreError::NoOrder(progress.order_id.clone()))
        }
    }

    /// Ends every transaction: what follows is recorded, and all is committed.
    async fn finish(
        &self,
        mut tx: OrderTx,
        ctx: &ActivityContext,
        known: i64,
        point: &str,
    ) -> Result<Recorded, StoreError> {
        tx.settle()?;
        let run_id = ctx.info().workflow_run_id.clone();
        let order_id = tx.order().order_id.clone();
        let (state, newest) = (tx.order().state, tx.order().revision);
        let recorded = tx.appended().len();
        let types: Vec<_> = tx.appended().map(|e| e.change.type_name()).collect();
        let next = onward::next(tx.order(), tx.now())
            .filter(|effect| recorded > 0 && onward::may_follow(tx.order(), None, effect.step));
        if recorded > 0 {
            fault::before_commit(point, &order_id);
        }
        let events = tx.commit(known, run_id.as_deref()).await?;
        if recorded > 0 {
            let revision = events.last().map(|event| event.revision);
            let events = types.join(" ");
            tracing::info!(order_id, activity = point, %state, revision, events, "recorded");
        }
        fault::after_commit(point);
        let told = events.last().map_or(known, |event| event.revision);
        let behind = told < newest;
        Ok(Recorded {
            news: News { events, behind },
            next,
        })
    }
}

/// The type of the failure that ends the workflow of an order which the store does not know.
pub const UNKNOWN_ORDER: &str = "UNKNOWN_ORDER";

/// So many attempts of Temporal's own it takes until an order is given up that the store does not
/// know: about 15 seconds. An order is in the store before its workflow is started.
const ATTEMPTS_UNKNOWN: u32 = 5;

/// An error of our own database: never an attempt of a provider. Temporal runs the activity again,
/// unless the store does not know the order.
fn failed(ctx: &ActivityContext, order_id: &str, error: &StoreError) -> ActivityError {
    let info = ctx.info();
    let is_hopeless = matches!(error, StoreError::NoOrder(_))
        && !info.is_local
        && info.attempt >= ATTEMPTS_UNKNOWN;
    if is_hopeless {
        tracing::error!(
            order_id,
            activity = info.activity_type,
            %error,
            "the store does not know this order: its workflow ends"
        );
        let failure = ApplicationFailure::builder(error.to_string())
            .type_name(UNKNOWN_ORDER.to_owned())
            .non_retryable(true);
        return ActivityError::application(failure.build());
    }
    // Temporal tries without limit. The log tells of the first attempts and then of ever fewer.
    if info.attempt.is_power_of_two() {
        tracing::warn!(
            order_id,
            activity = info.activity_type,
            attempt = info.attempt,
            %error,
            "not recorded, will be tried again"
        );
    }
    ActivityError::application(ApplicationFailure::new(error.to_string()))
}
