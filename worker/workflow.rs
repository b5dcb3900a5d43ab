//! The workflows of an order: they carry out what the domain says is next, and hold the waits. And
//! that of a sku whose supplies are on order.
//!
//! Workflow code is deterministic and quick: no clock but the workflow's, no I/O but activities,
//! no decision that the store would not take again. Any change to it must replay the recorded
//! histories.

mod activity;
mod call;
mod cancel;
mod fold;
mod inbox;
mod order_workflow;
pub mod replay;
mod replenishment_workflow;
pub mod search;
pub mod shipping_lane;
mod shipping_workflow;
mod wait;
pub mod worker;

pub use fold::write_input;
pub use order_workflow::OrderWorkflow;
pub use replenishment_workflow::ReplenishmentWorkflow;
pub use shipping_workflow::ShippingWorkflow;

use std::time::Duration;
use temporalio_sdk::{ApplicationFailure, WorkflowTermination};

/// How long a workflow task may take before Temporal gives it to another worker. Short: after a
/// kill nobody waits for the dead one. (Temporal's default is 10 s.)
pub const TASK_TIMEOUT: Duration = Duration::from_secs(3);

/// The end of a workflow that can never do what it is for.
fn failed(why: String) -> WorkflowTermination {
    WorkflowTermination::failed_application(ApplicationFailure::non_retryable(why))
}
