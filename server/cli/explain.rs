//! `orders explain`: what an order waits for, and what would let it go on.

use super::{
    Run,
    connection::Connection,
    failure::Failure,
    lines::Lines,
    options::{ClientOptions, Format},
    order_sheet, print, time,
    words::{self, small},
};
use clap::Args;
use orders::v1::{ExplainOrderRequest, ExplainOrderResponse, Step, WorkflowState};

/// Arguments of `orders explain`.
#[derive(Args, Debug)]
pub struct Explain {
    /// The order.
    #[arg(value_name = "ORDER_ID")]
    order_id: String,
    #[command(flatten)]
    client: ClientOptions,
}

impl Run for Explain {
    fn format(&self) -> Format {
        self.client.output
    }

    async fn run(self) -> Result<(), Failure> {
        let connection = Connection::new(&self.client)?;
        let request = ExplainOrderRequest {
            order_id: self.order_id,
        };
        let answer = connection.call(&request, async |request| {
            connection.operator().explain_order(request).await
        });
        let answer = answer.await.map_err(Failure::of_operator)?.message;
        print::answer(self.client.output, &answer, |lines| sheet(lines, &answer))
    }
}

fn sheet(lines: &mut Lines, told: &ExplainOrderResponse) {
    let (state, revision) = (words::state(told.state()), told.revision);
    lines.line(format!("{}: {state}, revision {revision}", told.order_id));
    let since = told.since.as_ref().map_or_else(String::new, time::local);
    let waits_for = words::waits_for(told.waits_for());
    lines.line(format!("  waits for    {waits_for} since {since}"));
    if told.step() != Step::Unspecified {
        let limit = match told.max_attempts {
            0 => "never given up".to_owned(),
            most => format!("undone after {most}"),
        };
        let (step, failed) = (step(told.step()), told.failed_attempts);
        lines.line(format!(
            "  step         {step}, failed {failed} times, {limit}"
        ));
    }
    if !told.last_error.is_empty() {
        lines.line(format!("  last error   {}", told.last_error));
    }
    if let Some(next) = &told.next_retry_time {
        lines.line(format!("  next try     {}", time::local(next)));
    }
    if let Some(deadline) = &told.deadline {
        lines.line(format!(
            "  until        {}",
            order_sheet::deadline(deadline)
        ));
    }
    let unknown: Vec<String> = told.unknown_payments().map(step).collect();
    if !unknown.is_empty() {
        lines.line(format!("  unknown      {}", unknown.join(", ")));
    }
    lines.line(format!("  unblocked by {}", told.unblocked_by));
    let allowed: Vec<&str> = told.allowed_commands().map(words::command).collect();
    if !allowed.is_empty() {
        lines.line(format!("  allowed now  {}", allowed.join(", ")));
    }
    if told.refused_signals > 0 {
        lines.line(format!("  refused      {} signals", told.refused_signals));
    }
    for reason in &told.reasons {
        let kind = words::attention_reason(reason.r#type());
        lines.line(format!("  attention    {kind}: {}", reason.description));
    }
    match &told.workflow {
        Some(workflow) => workflow_lines(lines, workflow),
        None => lines.line(format!("  workflow     unknown: {}", told.temporal_error)),
    }
}

fn workflow_lines(lines: &mut Lines, workflow: &WorkflowState) {
    let WorkflowState {
        workflow_id,
        run_id,
        status,
        history_length,
        task_attempts,
        task_failure,
        pending_activities,
    } = workflow;
    lines.line(format!(
        "  workflow     {workflow_id} {status} {run_id}, {history_length} events"
    ));
    if *task_attempts > 0 {
        lines.line(format!(
            "  its task     attempt {task_attempts} {task_failure}"
        ));
    }
    for activity in pending_activities {
        let (name, attempt) = (&activity.r#type, activity.attempt);
        let failure = &activity.last_failure;
        lines.line(format!(
            "  activity     {name}, attempt {attempt} {failure}"
        ));
    }
}

fn step(step: Step) -> String {
    small(words::step(step), "_")
}
