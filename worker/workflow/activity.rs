//! How workflows run activities: short ones in the process, and when our own database keeps failing,
//! the same ones by Temporal, which tries without limit and in plain sight.

use crate::activities::UNKNOWN_ORDER;
use orders_domain::policy::Lane;
use std::{marker::PhantomData, time::Duration};
use temporalio_common::{
    ActivityDefinition,
    data_converters::{TemporalDeserializable, TemporalSerializable},
    error::{ActivityExecutionError, IncomingError},
};
use temporalio_sdk::{
    ActivityCloseTimeouts, ActivityOptions, LocalActivityOptions, WorkflowCancellationToken,
    WorkflowContext,
};
use temporalio_workflow::RetryPolicy;

/// The longest that one attempt may take: longer than the database's own time limits and the
/// slowest embedded provider together, so that an attempt that timed out is not still at work.
const ATTEMPT: Duration = Duration::from_secs(10);

/// All local attempts together. Past it Temporal takes over: local retries that go on for minutes
/// would hold one of the worker's workflow slots each.
const LOCAL: Duration = Duration::from_secs(12);

/// An activity by its name, with its types.
struct Named<I, O> {
    name: &'static str,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O> ActivityDefinition for Named<I, O>
where
    I: TemporalSerializable + TemporalDeserializable + 'static,
    O: TemporalSerializable + TemporalDeserializable + 'static,
{
    type Input = I;
    type Output = O;

    fn name(&self) -> &str {
        self.name
    }
}

/// Why an activity can never succeed, so that its workflow must end.
pub(super) struct Hopeless(pub String);

/// Runs an activity until it succeeds, unless it says that it never will. Never cancelled with the
/// workflow: what was begun is finished, and a cancellation is a command of its own.
pub(super) async fn activity<W, I, O>(
    ctx: &WorkflowContext<W>,
    lane: Lane,
    name: &'static str,
    input: I,
) -> Result<O, Hopeless>
where
    W: 'static,
    I: TemporalSerializable + TemporalDeserializable + Clone + 'static,
    O: TemporalSerializable + TemporalDeserializable + 'static,
{
    let named = || Named::<I, O> {
        name,
        types: PhantomData,
    };
    if lane == Lane::Local {
        let options = LocalActivityOptions::builder()
            .start_to_close_timeout(ATTEMPT)
            .schedule_to_close_timeout(LOCAL)
            .retry_policy(local_retry())
            .cancellation_token(WorkflowCancellationToken::new())
            .build();
        let local = ctx.execute_local_activity(named(), input.clone(), options);
        if let Ok(output) = local.await {
            return Ok(output);
        }
    }
    loop {
        let close = ActivityCloseTimeouts::StartToClose(ATTEMPT);
        let options = ActivityOptions::with_close_timeouts(close)
            .retry_policy(regular_retry())
            .cancellation_token(WorkflowCancellationToken::new())
            .build();
        // Without a limit of attempts it ends only well, unless an operator ends it by hand; then
        // it begins anew, since the order cannot go on without it.
        match ctx.execute_activity(named(), input.clone(), options).await {
            Ok(output) => return Ok(output),
            Err(error) => {
                if let Some(hopeless) = hopeless(&error) {
                    return Err(hopeless);
                }
            }
        }
    }
}

fn hopeless(error: &ActivityExecutionError) -> Option<Hopeless> {
    let Some(IncomingError::Application(failure)) = error.reason() else {
        return None;
    };
    (failure.type_name() == Some(UNKNOWN_ORDER)).then(|| Hopeless(failure.to_string()))
}

fn local_retry() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_millis(100))
        .backoff_coefficient(2.0)
        .maximum_attempts(4)
        .build()
}

fn regular_retry() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(Duration::from_secs(1))
        .backoff_coefficient(2.0)
        .maximum_interval(Duration::from_secs(30))
        .build()
}
