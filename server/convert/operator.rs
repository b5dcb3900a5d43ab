//! The requests and answers of the operator service.

use super::{
    Parsed,
    command::Head,
    enums,
    order::deadline,
    page::{Scope, page_size},
    text,
    time::timestamp,
    violations::{Verdict, Violations},
};
use crate::temporal::Described;
use jiff::Timestamp;
use orders::v1;
use orders_domain::{
    attention::Cause,
    command::{Command, CommandRequest, PaymentOutcome, ResolvePayment, RetryOrder},
    explain::Explanation,
    order::Order,
    step::Step,
};
use orders_store::attention::{Position, Source};

/// What a ListOrdersNeedingAttention asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOrdersNeedingAttention {
    /// Where the page before ended; none for the first page.
    pub after: Option<Position>,
    /// How many at most: 1 to 1,000.
    pub page_size: i64,
    scope: Scope,
}

/// Reads a ListOrdersNeedingAttention.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn list_orders_needing_attention(
    request: &v1::ListOrdersNeedingAttentionRequest,
) -> Parsed<ListOrdersNeedingAttention> {
    let v1::ListOrdersNeedingAttentionRequest {
        page_size: size,
        page_token,
    } = request;
    let mut found = Violations::in_request(request);
    let scope = Scope::new("ListOrdersNeedingAttention", &[]);
    let page_size = page_size(*size);
    let after = scope.parse(&mut found, page_token, |_: &(bool, Timestamp, String)| true);
    found.into_result(Some(ListOrdersNeedingAttention {
        after: after.map(|(late, time, order_id)| Position {
            source: match late {
                true => Source::Overdue,
                false => Source::Attention,
            },
            time,
            order_id,
        }),
        page_size,
        scope,
    }))
}

impl ListOrdersNeedingAttention {
    /// The token of the page that begins after `last`.
    pub fn token(&self, last: &Position) -> String {
        let Position {
            source,
            time,
            order_id,
        } = last;
        self.scope
            .token((*source == Source::Overdue, time, order_id))
    }
}

/// Reads an ExplainOrder: the order's id.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn explain_order(request: &v1::ExplainOrderRequest) -> Parsed<String> {
    let v1::ExplainOrderRequest { order_id } = request;
    let found = Violations::in_request(request);
    found.into_result(Some(order_id.clone()))
}

/// Reads a RetryOrder: the order it goes to, and the command.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn retry_order(request: &v1::RetryOrderRequest) -> Parsed<(String, CommandRequest)> {
    let v1::RetryOrderRequest {
        order_id,
        request_id,
        actor,
        reason,
    } = request;
    Head::new(request, order_id, request_id, actor, None).parse(|_| {
        let reason = reason.clone();
        Some(Command::RetryOrder(RetryOrder { reason }))
    })
}

/// Reads a ResolvePayment: the order it goes to, and the command.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn resolve_payment(request: &v1::ResolvePaymentRequest) -> Parsed<(String, CommandRequest)> {
    let v1::ResolvePaymentRequest {
        order_id,
        request_id,
        actor,
        step,
        outcome,
        transaction_id,
        evidence,
        reason,
    } = request;
    Head::new(request, order_id, request_id, actor, None).parse(|found| {
        // Where the provider cannot be asked, it is this person's word that counts.
        text::named(found, "actor", actor);
        let step = payment_step(*step);
        let outcome = match v1::PaymentOutcome::try_from(*outcome) {
            Ok(v1::PaymentOutcome::Succeeded) => Some(PaymentOutcome::Succeeded),
            Ok(v1::PaymentOutcome::NotHappened) => Some(PaymentOutcome::NotHappened),
            _ => None,
        };
        match (outcome, transaction_id.is_empty()) {
            (Some(PaymentOutcome::Succeeded), true) => {
                found.push("transaction_id", "is required for a payment that succeeded");
            }
            (Some(PaymentOutcome::NotHappened), false) => {
                let description = "must be empty for a payment that did not happen";
                found.push("transaction_id", description);
            }
            _ => {}
        }
        Some(Command::ResolvePayment(ResolvePayment {
            step: step?,
            outcome: outcome?,
            transaction_id: transaction_id.clone(),
            evidence: evidence.clone(),
            reason: reason.clone(),
        }))
    })
}

fn payment_step(number: i32) -> Option<Step> {
    let mut steps = Step::ALL.iter().copied().filter(|step| step.is_payment());
    steps.find(|step| i32::from(enums::step(*step)) == number)
}

/// An order that needs a person, as a message.
pub fn needing_attention(order: &Order, causes: &[Cause]) -> v1::OrderNeedingAttention {
    v1::OrderNeedingAttention {
        order_id: order.order_id.clone(),
        state: enums::order_state(order.state).into(),
        customer_id: order.customer_id.clone(),
        reasons: causes.iter().map(reason).collect(),
    }
}

fn reason(cause: &Cause) -> v1::AttentionReason {
    let Cause {
        kind,
        since,
        what,
        unblocked_by,
    } = cause;
    v1::AttentionReason {
        r#type: enums::cause_kind(*kind).into(),
        since: Some(timestamp(*since)),
        description: what.clone(),
        unblocked_by: unblocked_by.clone(),
    }
}

/// What an order waits for, as a message. `workflow` is what Temporal says of it, or why it does not.
pub fn explanation(
    order: &Order,
    explained: &Explanation,
    causes: &[Cause],
    workflow: Result<&Option<Described>, &String>,
    now: Timestamp,
) -> v1::ExplainOrderResponse {
    let Explanation {
        waits_for,
        effect,
        failed_attempts,
        max_attempts,
        last_error,
        next_retry,
        deadline: until,
        since,
        unblocked_by,
        allowed,
        unknown_payments,
    } = explained;
    let temporal_error = workflow.err().cloned();
    let workflow = workflow.ok();
    v1::ExplainOrderResponse {
        order_id: order.order_id.clone(),
        state: enums::order_state(order.state).into(),
        revision: order.revision,
        waits_for: enums::waits_for(*waits_for).into(),
        since: Some(timestamp(*since)),
        unblocked_by: unblocked_by.clone(),
        step: effect
            .map(|effect| enums::step(effect.step))
            .unwrap_or_default()
            .into(),
        failed_attempts: i64::from(*failed_attempts),
        max_attempts: max_attempts.map_or(0, i64::from),
        last_error: last_error.clone(),
        next_retry_time: next_retry.map(timestamp),
        deadline: deadline(until.as_ref(), None, now),
        allowed_commands: allowed
            .iter()
            .map(|kind| enums::command(*kind).into())
            .collect(),
        unknown_payments: unknown_payments
            .iter()
            .map(|effect| enums::step(effect.step).into())
            .collect(),
        reasons: causes.iter().map(reason).collect(),
        workflow: workflow.map(|described| workflow_state(order, described.as_ref())),
        temporal_error: temporal_error.unwrap_or_default(),
        // Counted in a row of its own: the caller adds it.
        refused_signals: 0,
    }
}

fn workflow_state(order: &Order, described: Option<&Described>) -> v1::WorkflowState {
    let workflow_id = Order::workflow_id(&order.order_id);
    let Some(described) = described else {
        return v1::WorkflowState {
            workflow_id,
            status: "NOT_FOUND".to_owned(),
            ..v1::WorkflowState::default()
        };
    };
    let activities = described.activities.iter();
    v1::WorkflowState {
        workflow_id,
        run_id: described.run_id.clone(),
        status: described.status.clone(),
        history_length: described.history_length,
        task_attempts: i64::from(described.task_attempts),
        task_failure: described.task_failure.clone().unwrap_or_default(),
        pending_activities: activities
            .map(|activity| v1::PendingActivity {
                r#type: activity.name.clone(),
                attempt: i64::from(activity.attempt),
                last_failure: activity.last_failure.clone(),
            })
            .collect(),
    }
}
