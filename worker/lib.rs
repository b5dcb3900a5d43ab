//! The order process: the workflows, their activities and the providers that they ask.
//!
//! The rules of an order are in `orders_domain`, and all SQL is in `orders_store`. This crate knows
//! nothing of the public gRPC API: the server crate starts [`workflow::OrderWorkflow`] and reads the
//! store.
//!
//! # Layout
//!
//! | module | what its files share |
//! |---|---|
//! | [`workflow`] | the Temporal workflow: it carries out what the domain says is next |
//! | [`messenger`] | delivers the messages that the store keeps for people |
//! | [`vouching`] | asks the payment provider again about what persons vouched for |
//! | [`activities`] | one file of steps: a provider call and what is recorded with it |
//! | [`provider`] | the ports (payment, inventory, shipping, fraud, notification, supplier), each with an embedded implementation |
//!
//! The rows are floors: a module uses only modules in rows below its own, and a test of the server
//! crate checks it.

pub mod activities;
pub mod messenger;
pub mod provider;
pub mod vouching;
pub mod workflow;

#[cfg(test)]
mod golden_tests;
