//! The workflow of an order: it carries out what the domain says is next, and holds the waits.
//!
//! Workflow code is deterministic and quick: no clock but the workflow's, no I/O but activities,
//! no decision that the store would not take again. Any change to it must replay the recorded
//! histories.

mod call;
mod order_workflow;
mod wait;
pub mod worker;

pub use order_workflow::OrderWorkflow;

/// The workflow's type name in Temporal.
pub const WORKFLOW_TYPE: &str = "OrderWorkflow";
/// The name of the update and of the signal that carry a command.
pub const COMMAND: &str = "command";
/// The signal that makes a workflow take in what the store knows.
pub const WAKE: &str = "wake";
