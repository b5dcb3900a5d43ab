//! The gRPC edge of the orders service.
//!
//! # Layout
//!
//! | module | what its files share |
//! |---|---|
//! | [`program`] | the command line of the binary, and what each command runs |
//! | [`serve`] | starting and stopping `orders serve` and `orders worker` |
//! | [`verify`] | `orders verify`: checks what is kept, and repairs it |
//! | [`backup`] | `orders backup`: copies what is kept |
//! | [`replay`] | `orders replay`: checks the histories of a running Temporal before a deploy |
//! | [`settings`] | the flags that the commands above share |
//! | [`payment_provider`] | the client of a payment provider outside of the process |
//! | [`rpc`] | one file for each RPC: parse, one Temporal operation or one read, reply |
//! | [`watch`] | following orders: one reader of the log for all watches |
//! | [`convert`] | proto to domain and back; the only place that knows both |
//! | [`temporal`] | the only place that talks to Temporal |
//! | [`layer`] | what every call passes |
//! | [`accept`] | connections, and what each caller may take |
//! | [`method`] | the RPCs, and what the contract says of each |
//! | [`error`] | the only place where errors become statuses |
//! | [`logging`] | what log lines look like |
//! | [`environment`] | environment variables with a slip in their name |
//! | [`private`] | files and folders that only their owner may read |
//!
//! The rows are floors: a module uses only modules in rows below its own. The test in `floors.rs` checks
//! that. The command line client is the crate `orders-cli`, and the embedded Temporal is
//! `orders-dev-server`.

pub mod accept;
pub mod backup;
pub mod convert;
pub mod environment;
pub mod error;
pub mod layer;
pub mod logging;
pub mod method;
pub mod payment_provider;
pub mod private;
pub mod program;
pub mod replay;
pub mod rpc;
pub mod serve;
pub mod settings;
pub mod temporal;
pub mod verify;
pub mod watch;

#[cfg(test)]
mod floors;
