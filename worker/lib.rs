//! The order process: what an order is, what may happen to it, and who makes it happen.
//!
//! This crate knows nothing of gRPC. The server crate translates calls into its types, starts
//! [`workflow::OrderWorkflow`] and reads the [`store`].
//!
//! # Layout
//!
//! | module | what its files share |
//! |---|---|
//! | [`domain`] | plain types and pure rules: order, money, policy, commands, phases. No I/O at all |
//! | [`workflow`] | the Temporal workflow: it carries out what the domain says is next |
//! | [`activities`] | one file of steps: a provider call and what is recorded with it |
//! | [`provider`] | the ports (payment, inventory, shipping, fraud, notification, supplier), each with an embedded implementation |
//! | [`messenger`] | delivers the messages that the store keeps for people |
//! | [`vouching`] | asks the payment provider again about what persons vouched for |
//! | [`clock`] | the clock on the wall |
//! | [`store`] | the business database: effect, order row and event in one fenced transaction |

pub mod activities;
pub mod clock;
pub mod domain;
pub mod messenger;
pub mod provider;
pub mod store;
pub mod vouching;
pub mod workflow;

#[cfg(test)]
mod golden_tests;
