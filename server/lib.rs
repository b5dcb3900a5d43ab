//! The gRPC edge of the orders service.
//!
//! # Layout
//!
//! | module | what its files share |
//! |---|---|
//! | [`rpc`] | one file for each RPC: parse, one Temporal operation or one read, reply |
//! | [`convert`] | proto to domain and back; the only place that knows both |
//! | [`temporal`] | the only place that talks to Temporal; the embedded dev server |
//! | [`accept`] | connections, and what each caller may take |
//! | [`layer`] | what every call passes |
//! | [`watch`] | following orders: one reader of the log for all watches |
//! | [`payment_provider`] | the client of a payment provider outside of the process |
//! | [`error`] | the only place where errors become statuses |
//! | [`client`] | the command line client: it calls the API, and uses nothing else of this but `convert` |
//! | [`replay`] | the command that looks at the histories of a running Temporal before a deploy |
//! | [`verify`], [`backup`] | `orders verify` and `orders backup`: looking after what is kept |
//! | [`settings`], [`serve`], [`logging`] | how the program is set, started and stopped |
//! | [`private`] | files and folders that only their owner may read |

pub mod accept;
pub mod backup;
pub mod client;
pub mod convert;
pub mod error;
pub mod layer;
pub mod logging;
pub mod payment_provider;
pub mod private;
pub mod program;
pub mod replay;
pub mod rfc3339;
pub mod rpc;
pub mod serve;
pub mod settings;
pub mod temporal;
pub mod verify;
pub mod watch;
