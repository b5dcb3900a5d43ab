//! What can go wrong with Temporal, as far as it makes a difference here.

use orders_domain::text;
use prost::Message;
use temporalio_client::errors::{
    WorkflowInteractionError, WorkflowQueryError, WorkflowStartError, WorkflowUpdateError,
};
use temporalio_common::protos::google::rpc;
use tonic::{Code, Status};

/// What Temporal adds to NOT_FOUND when it is the namespace that it does not find.
const NO_NAMESPACE: &str = "temporal.api.errordetails.v1.NamespaceNotFoundFailure";

/// Why Temporal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TemporalError {
    /// No such workflow, or it is closed.
    #[error("the workflow is not there or closed: {0}")]
    NotFound(String),
    /// The workflow refused: its validator, or a payload that it cannot read.
    #[error("the workflow refused: {0}")]
    Refused(String),
    /// Too many updates of one workflow at once (10 in flight, 2,000 in all), or more calls than
    /// Temporal lets the namespace have.
    #[error("too much at once: {0}")]
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
            WorkflowStartError::Rpc(status) => Self::from(&status),
            other => Self::Unexpected(text::words(&other.to_string())),
        }
    }
}

impl From<WorkflowUpdateError> for TemporalError {
    fn from(error: WorkflowUpdateError) -> Self {
        match error {
            WorkflowUpdateError::NotFound(status) | WorkflowUpdateError::Rpc(status) => {
                Self::from(&status)
            }
            WorkflowUpdateError::Failed(failure) => Self::Refused(text::words(&failure.message)),
            other => Self::Unexpected(text::words(&other.to_string())),
        }
    }
}

impl From<WorkflowQueryError> for TemporalError {
    fn from(error: WorkflowQueryError) -> Self {
        match error {
            WorkflowQueryError::NotFound(status) | WorkflowQueryError::Rpc(status) => {
                Self::from(&status)
            }
            other => Self::Unexpected(text::words(&other.to_string())),
        }
    }
}

impl From<WorkflowInteractionError> for TemporalError {
    fn from(error: WorkflowInteractionError) -> Self {
        match error {
            WorkflowInteractionError::NotFound(status) | WorkflowInteractionError::Rpc(status) => {
                Self::from(&status)
            }
            other => Self::Unexpected(text::words(&other.to_string())),
        }
    }
}

impl From<&Status> for TemporalError {
    fn from(status: &Status) -> Self {
        let message = text::words(&format!("{:?}: {}", status.code(), status.message()));
        match status.code() {
            // Whoever hears that a workflow is gone starts it anew, or forgets what it waited for.
            Code::NotFound if !is_of_namespace(status) => Self::NotFound(message),
            Code::ResourceExhausted => Self::Busy(message),
            Code::InvalidArgument | Code::PermissionDenied | Code::Unauthenticated => {
                Self::Unexpected(message)
            }
            // FailedPrecondition is "the workflow is about to close" and the like; the rest are
            // outages, time-outs and closed connections.
            _ => Self::Unavailable(message),
        }
    }
}

/// Whether it is not the workflow that Temporal does not find, but all of its namespace: as long as
/// its own database does not answer, or after somebody has named the wrong one.
fn is_of_namespace(status: &Status) -> bool {
    let told = rpc::Status::decode(status.details()).unwrap_or_default();
    let mut details = told.details.iter();
    details.any(|detail| detail.type_url.ends_with(NO_NAMESPACE))
}
