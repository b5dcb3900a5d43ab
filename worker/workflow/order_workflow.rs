//! One workflow for each order, from placing to closed.

#![allow(
    missing_docs,
    reason = "the SDK's macros write constants without documentation"
)]

use super::{call, cancel, fold::KeepsOrder, search, shipping_lane};
use crate::{
    activities::CommandReply,
    domain::{
        command::CommandRequest,
        event::Event,
        order::{Deadline, Order},
        phase::{self, Todo},
        state::OrderState,
        step::Compensation,
    },
};
use jiff::Timestamp;
use temporalio_common::data_converters::{
    GenericPayloadConverter, RawValue, SerializationContext, SerializationContextData,
    WorkflowSerializationContext,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{ContinueAsNewOptions, WorkflowContext, WorkflowContextView, WorkflowResult};

/// The process of one order. Its input is the order as it is (at first: as it was placed).
#[workflow]
pub struct OrderWorkflow {
    /// The fold of the events that this workflow knows of. The store may be ahead, never behind.
    pub(super) order: Order,
    /// How many signals have come.
    signals: u32,
}

#[workflow_methods]
impl OrderWorkflow {
    /// Builds the whole state, so that signals and queries that come before the first step find it.
    #[init]
    pub fn new(_ctx: &WorkflowContextView, order: Order) -> Self {
        Self { order, signals: 0 }
    }

    /// The story of an order: do what is next, until nothing is.
    #[run(name = "OrderWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<String> {
        let mut cancel_seen = false;
        let mut idle = 0;
        loop {
            cancel::pass_on(ctx, &mut cancel_seen).await;
            let before = revision(ctx);
            match turn(ctx, &mut cancel_seen).await {
                Turn::Over => break,
                // Store and workflow disagree, and must not spin on it.
                Turn::Called if revision(ctx) == before => {
                    idle += 1;
                    super::wait::pause(ctx, idle, cancel_seen).await;
                }
                Turn::Called | Turn::Waited => idle = 0,
            }
            if ctx.continue_as_new_suggested() && !cancel::waits(ctx, cancel_seen) {
                super::wait::handlers(ctx).await;
                let order = ctx.state(|workflow| workflow.order.clone());
                if !order.state.is_closed() {
                    ctx.continue_as_new(order, ContinueAsNewOptions::default())?;
                }
            }
        }
        // A handler that is still at work when the workflow ends would fail its caller.
        super::wait::handlers(ctx).await;
        Ok(ctx.state(|workflow| workflow.order.state.to_string()))
    }

    /// Refuses early what is certainly wrong. The workflow may know less than the store (a commit
    /// that a crash cut off from it), so only a caller who has seen nothing newer is refused here.
    #[update_validator(command)]
    fn validate_command(
        &self,
        _ctx: &WorkflowContextView,
        request: &CommandRequest,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if request.request_id.is_empty() {
            return Err("request_id is required: 1 to 128 printable characters".into());
        }
        if request.seen_revision > self.order.revision {
            return Ok(());
        }
        // The time plays no part in whether a command is allowed.
        match request.decide(&self.order, self.order.update_time) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// A command whose caller waits for the answer.
    #[update(name = "command")]
    pub async fn command(ctx: &mut WorkflowContext<Self>, request: CommandRequest) -> CommandReply {
        call::command(ctx, request, None).await
    }

    /// A command whose caller does not wait. The payload is taken as it comes and read here: one
    /// that cannot be read is passed over, where a typed handler would wedge the workflow.
    #[signal(name = "command")]
    pub async fn signal_command(ctx: &mut WorkflowContext<Self>, payload: RawValue) {
        let number = ctx.state_mut(|workflow| {
            workflow.signals += 1;
            workflow.signals
        });
        let Some(mut request) = read_signal(ctx, payload) else {
            return;
        };
        // With the run's id: after continue-as-new the numbers begin anew.
        let name = format!("signal/{}/{number}", ctx.run_id());
        if request.request_id.is_empty() {
            request.request_id.clone_from(&name);
        }
        call::command(ctx, request, Some(name)).await;
    }

    /// Takes in what the store knows and this workflow does not (a commit that a crash cut off
    /// from it), and goes on from there.
    #[signal(name = "wake")]
    pub async fn wake(ctx: &mut WorkflowContext<Self>, _payload: RawValue) {
        call::settle(ctx).await;
    }

    /// The whole order.
    #[query(name = "order")]
    pub fn order(&self, _ctx: &WorkflowContextView) -> Order {
        self.order.clone()
    }

    /// The order's state.
    #[query(name = "status")]
    pub fn status(&self, _ctx: &WorkflowContextView) -> OrderState {
        self.order.state
    }

    /// What the order waits for, and until when.
    #[query(name = "deadline")]
    pub fn deadline(&self, _ctx: &WorkflowContextView) -> Option<Deadline> {
        self.order.deadline
    }

    /// When the parcel should arrive.
    #[query(name = "estimated_delivery")]
    pub fn estimated_delivery(&self, _ctx: &WorkflowContextView) -> Option<Timestamp> {
        self.order.shipment.estimated_delivery_time
    }

    /// What was undone, and what is still to be.
    #[query(name = "compensations")]
    pub fn compensations(&self, _ctx: &WorkflowContextView) -> Vec<Compensation> {
        self.order.compensations.clone()
    }
}

impl KeepsOrder for OrderWorkflow {
    fn order(&self) -> &Order {
        &self.order
    }

    fn fold(&mut self, events: &[Event]) {
        for event in events {
            self.order.apply(event);
        }
    }
}

/// What one turn of the story was.
enum Turn {
    /// An activity was called.
    Called,
    /// Something was waited for.
    Waited,
    /// Nothing is left to do.
    Over,
}

/// Does what is next for the order.
async fn turn(ctx: &mut WorkflowContext<OrderWorkflow>, cancel_seen: &mut bool) -> Turn {
    if shipping_lane::is_next(ctx) && shipping_lane::run(ctx, cancel_seen).await {
        return Turn::Called;
    }
    let now = call::now(ctx);
    match ctx.state(|workflow| phase::todo(&workflow.order, now)) {
        Todo::Nothing => {
            search::show_state(ctx);
            return Turn::Over;
        }
        Todo::Record(_) => call::settle(ctx).await,
        Todo::Call { step, not_before } => match not_before.filter(|time| *time > now) {
            Some(time) => {
                search::show_state(ctx);
                super::wait::until(ctx, Some(time), *cancel_seen).await;
                return Turn::Waited;
            }
            None => call::step(ctx, step).await,
        },
        Todo::Wait(deadline) => {
            let end = deadline.map(|deadline| deadline.expire_time);
            search::show_state(ctx);
            let over = super::wait::until(ctx, end, *cancel_seen).await;
            match deadline.filter(|_| over) {
                Some(deadline) => pass(ctx, deadline).await,
                None => return Turn::Waited,
            }
        }
    }
    Turn::Called
}

fn revision(ctx: &WorkflowContext<OrderWorkflow>) -> i64 {
    ctx.state(|workflow| workflow.order.revision)
}

/// The wait for `deadline` is over. A command that came in the same moment goes first: its handler
/// finishes before, and then the deadline finds its way out taken.
async fn pass(ctx: &mut WorkflowContext<OrderWorkflow>, deadline: Deadline) {
    super::wait::handlers(ctx).await;
    if ctx.state(|workflow| workflow.order.deadline == Some(deadline)) {
        call::pass_deadline(ctx, deadline).await;
    }
}

fn read_signal(ctx: &WorkflowContext<OrderWorkflow>, raw: RawValue) -> Option<CommandRequest> {
    let converter = ctx.payload_converter();
    let data = SerializationContextData::Workflow(WorkflowSerializationContext::new());
    let context = SerializationContext::new(&data, converter);
    let payload = raw.payloads.into_iter().next()?;
    let read = converter.from_payload::<CommandRequest>(&context, payload);
    let error = match read {
        Ok(request) if request.has_fit_names() => return Some(request),
        Ok(_) => "its names are not such as the API accepts".to_owned(),
        Err(error) => error.to_string(),
    };
    if !ctx.is_replaying() {
        let workflow_id = ctx.workflow_id();
        tracing::warn!(workflow_id, %error, "a signal cannot be read and is passed over");
    }
    None
}
