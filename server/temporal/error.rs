//! What can go wrong with Temporal, as far as it makes a difference here.

use temporalio_client::errors::{
    WorkflowInteractionError, WorkflowQueryError, WorkflowStartError, WorkflowUpdateError,
};
use tonic::{Code, Status};

/// Why Temporal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TemporalError {
    /// No such workflow, or it is closed.
    #[error("the workflow is not there or closed: {0}")]
    NotFound(String),
    /// The workflow refused: its validator, or a payload that it cannot read.
    #[error("the workflow refused: {0}")]
    Refused(String),
    /// Too many updates of one workflow at once (10 in flight, 2,000 in all).
    #[error("too many updates at once: {0}")]
    Busy(String),
    /// It cannot be reached, has no worker, or is in trouble: the same again may succeed.
    #[error("{0}")]
    Unavailable(String),
    /// It answered what it must not.
    #[error("{0}")]
    Unexpected(String),
}

impl From<WorkflowStartError> for TemporalError {
    fn from(error: WorkflowStartError) -> Self {
        match error {
            WorkflowStartError::Rpc(status) => rpc(&status),
            other => Self::Unexpected(other.to_string()),
        }
    }
}

impl From<WorkflowUpdateError> for TemporalError {
    fn from(error: WorkflowUpdateError) -> Self {
        match error {
            WorkflowUpdateError::NotFound(status) => Self::NotFound(status.message().to_owned()),
            WorkflowUpdateError::Failed(failure) => Self::Refused(failure.message),
            WorkflowUpdateError::Rpc(status) => rpc(&status),
            other => Self::Unexpected(other.to_string()),
        }
    }
}

impl From<WorkflowQueryError> for TemporalError {
    fn from(error: WorkflowQueryError) -> Self {
        match error {
            WorkflowQueryError::NotFound(status) => Self::NotFound(status.message().to_owned()),
            WorkflowQueryError::Rpc(status) => rpc(&status),
            other => Self::Unexpected(other.to_string()),
        }
    }
}

impl From<WorkflowInteractionError> for TemporalError {
    fn from(error: WorkflowInteractionError) -> Self {
        match error {
            WorkflowInteractionError::NotFound(status) => {
                Self::NotFound(status.message().to_owned())
            }
            WorkflowInteractionError::Rpc(status) => rpc(&status),
            other => Self::Unexpected(other.to_string()),
        }
    }
}

fn rpc(status: &Status) -> TemporalError {
    let message = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::NotFound => TemporalError::NotFound(message),
        Code::ResourceExhausted => TemporalError::Busy(message),
        Code::InvalidArgument | Code::PermissionDenied | Code::Unauthenticated => {
            TemporalError::Unexpected(message)
        }
        // FailedPrecondition is "the workflow is about to close" and the like; the rest are
        // outages, time-outs and closed connections.
        _ => TemporalError::Unavailable(message),
    }
}
