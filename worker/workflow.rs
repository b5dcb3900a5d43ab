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
