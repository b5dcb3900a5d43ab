//! Replaying histories: whether this build's workflows would do again what they did then. Nothing is
//! carried out, and no Temporal is needed.

use super::{OrderWorkflow, ReplenishmentWorkflow, ShippingWorkflow};
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::{
    WorkflowReplayError, WorkflowReplayFailure, WorkflowReplayer, WorkflowReplayerOptions,
};

/// Why a history does not replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The workflow's code does something else now than what the history holds.
    #[error("the workflow would do something else now: {0}")]
    Changed(String),
    /// The workflow's code stopped with an error, most likely at a payload that it cannot read.
    #[error("the workflow fails: {0}")]
    Failed(String),
    /// The history is not one that can be replayed.
    #[error("the history cannot be used: {0}")]
    History(String),
    /// The replay itself did not work.
    #[error("the replay did not work: {0}")]
    Replayer(String),
}

/// Replays a history with the workflows of this build.
///
/// # Errors
/// When it does not replay.
pub async fn replay(history: WorkflowHistory) -> Result<(), ReplayError> {
    let refused = |error: &dyn std::fmt::Display| ReplayError::Replayer(error.to_string());
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<OrderWorkflow>()
        .and_then(|options| options.register_workflow::<ReplenishmentWorkflow>())
        .and_then(|options| options.register_workflow::<ShippingWorkflow>())
        .map_err(|error| refused(&error))?
        .build();
    replay_with(options, history).await
}

/// The same with other workflows.
///
/// # Errors
/// When it does not replay.
pub async fn replay_with(
    options: WorkflowReplayerOptions,
    history: WorkflowHistory,
) -> Result<(), ReplayError> {
    let replayer = WorkflowReplayer::new(options)?;
    Ok(replayer.replay_workflow(history).await?)
}

impl From<WorkflowReplayError> for ReplayError {
    fn from(error: WorkflowReplayError) -> Self {
        match error {
            WorkflowReplayError::Replay(WorkflowReplayFailure::Nondeterminism { message }) => {
                Self::Changed(in_short(message))
            }
            WorkflowReplayError::Replay(WorkflowReplayFailure::WorkflowTaskFailure { message }) => {
                Self::Failed(in_short(message))
            }
            WorkflowReplayError::Replay(WorkflowReplayFailure::InvalidHistory { message }) => {
                Self::History(message)
            }
            WorkflowReplayError::History(error) => Self::History(error.to_string()),
            other => Self::Replayer(other.to_string()),
        }
    }
}

/// The SDK gives the whole answer of the replayed task, as Rust prints it: what it says is in its message.
fn in_short(answer: String) -> String {
    let message = answer.split_once("message: \"").map(|(_, rest)| rest);
    let message = message.and_then(|rest| rest.split_once("\", source: "));
    message.map_or(answer.clone(), |(message, _)| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::in_short;

    #[test]
    fn an_answer_is_said_in_short() {
        let answer = "failed: Failure { message: \"no such timer\", source: \"\", cause: None }";
        assert_eq!(in_short(answer.to_owned()), "no such timer");
        assert_eq!(in_short("something else".to_owned()), "something else");
    }
}
