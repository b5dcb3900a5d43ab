//! One workflow for each order, from its placing until it has closed and nothing is due for it.

#![allow(
    missing_docs,
    reason = "the SDK's macros write constants without documentation"
)]

use super::{
    call, cancel, failed,
    fold::{self, KeepsOrder},
    inbox::{self, Inbox},
    search, shipping_lane, wait,
};
use crate::activities::{CommandReply, Signal};
use jiff::Timestamp;
use orders_domain::{
    command::{COMMAND_MOST, CommandRequest},
    event::Event,
    order::{Deadline, Order},
    phase::{self, Todo},
    state::OrderState,
    step::Compensation,
};
use temporalio_common::data_converters::{
    GenericPayloadConverter, RawValue, SerializationContext, SerializationContextData,
    WorkflowSerializationContext,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    ContinueAsNewOptions, SyncWorkflowContext, WorkflowContext, WorkflowContextView, WorkflowResult,
};

/// The process of one order. Its input is the order as it is (at first: as it was placed).
#[workflow]
pub struct OrderWorkflow {
    /// The fold of the events that this workflow knows of, or why there is no order to work on. The
    /// store may be ahead, never behind.
    order: Result<Order, String>,
    /// What has arrived and is not applied.
    inbox: Inbox,
    /// How many signals have come.
    signals: u32,
}

#[workflow_methods]
impl OrderWorkflow {
    /// Builds the whole state, so that signals and queries that come before the first step find it.
    #[init]
    pub fn new(_ctx: &WorkflowContextView, input: RawValue) -> Self {
        Self {
            order: fold::read_input(input),
            inbox: Inbox::default(),
            signals: 0,
        }
    }

    /// The story of an order: do what is next, until nothing is. Beside it, what arrives is applied.
    #[run(name = "OrderWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<String> {
        inbox::beside(ctx, story(ctx)).await
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
        request.check()?;
        let order = self.order.as_ref().map_err(Clone::clone)?;
        // What waits before it may change what the order allows.
        if request.seen_revision > order.revision || !self.inbox.is_idle() {
            return Ok(());
        }
        // The time plays no part in whether a command is allowed.
        request.check_early(order, order.update_time)?;
        Ok(())
    }

    /// A command whose caller waits for the answer. It waits for its turn: what came before it is
    /// applied before it.
    #[update(name = "command")]
    pub async fn command(
        ctx: &mut WorkflowContext<Self>,
        request: CommandRequest,
    ) -> Result<CommandReply, Box<dyn std::error::Error + Send + Sync>> {
        let reply = inbox::command(ctx, request).await;
        reply.ok_or_else(|| "the workflow has no order to work on".into())
    }

    /// A command whose caller does not wait. The payload is taken as it comes and read here: one
    /// that cannot be read is passed over, where a typed handler would wedge the workflow.
    #[signal(name = "command")]
    pub fn signal_command(&mut self, ctx: &mut SyncWorkflowContext<Self>, payload: RawValue) {
        self.signals += 1;
        let bytes = payload.payloads.iter().map(|payload| payload.data.len());
        let bytes = bytes.sum();
        match read_signal(ctx, payload, bytes) {
            Ok(mut request) => {
                // Nobody waits for the answer.
                request.attempt.clear();
                let numbered = request.request_id.is_empty();
                if numbered {
                    // With the run's id: after continue-as-new the numbers begin anew.
                    let (run, number) = (ctx.run_id(), self.signals);
                    request.request_id = format!("signal/{run}/{number}");
                }
                let signal = Signal {
                    request,
                    own: false,
                    numbered,
                };
                self.inbox.push_signal(signal, bytes);
            }
            Err(error) => {
                let count = self.inbox.pass_over();
                if let Some(count) = count.filter(|_| !ctx.is_replaying()) {
                    let workflow_id = ctx.workflow_id();
                    tracing::warn!(
                        workflow_id,
                        count,
                        error,
                        "signals cannot be read and are passed over"
                    );
                }
            }
        }
    }

    /// Takes in what the store knows and this workflow does not (a commit that a crash cut off
    /// from it), and goes on from there.
    #[signal(name = "wake")]
    pub fn wake(&mut self, _ctx: &mut SyncWorkflowContext<Self>, _payload: RawValue) {
        self.inbox.wake();
    }

    /// The whole order.
    #[query(name = "order")]
    pub fn order(&self, _ctx: &WorkflowContextView) -> Option<Order> {
        self.order.clone().ok()
    }

    /// The order's state.
    #[query(name = "status")]
    pub fn status(&self, _ctx: &WorkflowContextView) -> Option<OrderState> {
        KeepsOrder::order(self).map(|order| order.state)
    }

    /// What the order waits for, and until when: the deadline that ends first.
    #[query(name = "deadline")]
    pub fn deadline(&self, _ctx: &WorkflowContextView) -> Option<Deadline> {
        KeepsOrder::order(self)?.next_deadline()
    }

    /// When the parcel should arrive.
    #[query(name = "estimated_delivery")]
    pub fn estimated_delivery(&self, _ctx: &WorkflowContextView) -> Option<Timestamp> {
        KeepsOrder::order(self)?.shipment.estimated_delivery_time
    }

    /// What was undone, and what is still to be.
    #[query(name = "compensations")]
    pub fn compensations(&self, _ctx: &WorkflowContextView) -> Vec<Compensation> {
        let order = KeepsOrder::order(self);
        order.map_or_else(Vec::new, |order| order.compensations.clone())
    }
}

impl KeepsOrder for OrderWorkflow {
    fn order(&self) -> Option<&Order> {
        self.order.as_ref().ok()
    }

    fn fold(&mut self, events: &[Event]) {
        if let Ok(order) = &mut self.order {
            for event in events {
                order.apply(event);
            }
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

async fn story(ctx: &WorkflowContext<OrderWorkflow>) -> WorkflowResult<String> {
    let mut cancel_seen = false;
    let mut idle = 0;
    loop {
        cancel::pass_on(ctx, &mut cancel_seen).await;
        let before = ctx.state(wait::revision);
        match turn(ctx, &mut cancel_seen).await {
            Turn::Over if ctx.state(|workflow| workflow.order.is_err()) => break,
            // What is still at work when the workflow ends would fail its caller, and may make something due.
            Turn::Over => {
                inbox::idle(ctx).await;
                if ctx.state(is_over) {
                    break;
                }
            }
            // Store and workflow disagree, and must not spin on it.
            Turn::Called if ctx.state(wait::revision) == before => {
                idle += 1;
                wait::pause(ctx, idle, cancel_seen).await;
            }
            Turn::Called | Turn::Waited => idle = 0,
        }
        if ctx.continue_as_new_suggested() && !cancel::waits(ctx, cancel_seen) {
            inbox::idle(ctx).await;
            let order = ctx.state(|workflow| KeepsOrder::order(workflow).cloned());
            if let Some(order) = order.filter(|order| !order.is_over()) {
                let input = fold::write_input(&order);
                ctx.continue_as_new(input, ContinueAsNewOptions::default())?;
            }
        }
    }
    if let Some(why) = ctx.state(|workflow| workflow.order.clone().err()) {
        return Err(failed(why));
    }
    let state = ctx.state(|workflow| KeepsOrder::order(workflow).map(|order| order.state));
    Ok(state.map_or_else(String::new, |state| state.to_string()))
}

/// Whether nothing is left to do for the order, or it was given up meanwhile.
fn is_over(workflow: &OrderWorkflow) -> bool {
    KeepsOrder::order(workflow).is_none_or(Order::is_over)
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

/// Does what is next for the order: what follows from it, else the first effect whose time has come, else the
/// deadline that has passed. Where there is none, it waits for the first of these.
async fn turn(ctx: &WorkflowContext<OrderWorkflow>, cancel_seen: &mut bool) -> Turn {
    if shipping_lane::is_next(ctx) && shipping_lane::run(ctx, cancel_seen).await {
        return Turn::Called;
    }
    let now = call::now(ctx);
    let todo = |order: &Order| phase::todo(order, now);
    let todo = ctx.state(|workflow| KeepsOrder::order(workflow).map_or_else(Todo::default, todo));
    let passed = todo.deadline;
    let passed = passed.filter(|deadline| deadline.expire_time <= now);
    if todo.record.is_some() {
        call::settle(ctx).await;
    } else if let Some(effect) = todo.ready(now).next() {
        call::step(ctx, effect).await;
    } else if let Some(deadline) = passed {
        pass(ctx, deadline).await;
    } else if todo.is_nothing() {
        search::show_state(ctx);
        return Turn::Over;
    } else {
        search::show_state(ctx);
        wait::until(ctx, todo.next_time(), *cancel_seen).await;
        return Turn::Waited;
    }
    Turn::Called
}

/// The wait for `deadline` is over. A command that came in the same moment goes first: it is applied
/// before, and then the deadline finds its way out taken.
pub(super) async fn pass(ctx: &WorkflowContext<OrderWorkflow>, deadline: Deadline) {
    inbox::idle(ctx).await;
    let waits = |order: &Order| order.deadlines.contains(&deadline);
    if ctx.state(|workflow| KeepsOrder::order(workflow).is_some_and(waits)) {
        call::pass_deadline(ctx, deadline).await;
    }
}

fn read_signal(
    ctx: &SyncWorkflowContext<OrderWorkflow>,
    raw: RawValue,
    bytes: usize,
) -> Result<CommandRequest, String> {
    if bytes > COMMAND_MOST {
        return Err(format!("it has {bytes} bytes, and may have {COMMAND_MOST}"));
    }
    let converter = ctx.payload_converter();
    let data = SerializationContextData::Workflow(WorkflowSerializationContext::new());
    let context = SerializationContext::new(&data, converter);
    let payload = raw.payloads.into_iter().next();
    let payload = payload.ok_or_else(|| "it has no payload".to_owned())?;
    let read = converter.from_payload(&context, payload);
    read.map_err(|error| error.to_string().chars().take(300).collect())
}
