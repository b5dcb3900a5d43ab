//! The whole service: its processes, its clients, and what they send.

pub mod again;
pub mod certificates;
pub mod cli;
pub mod client;
pub mod commands;
pub mod flaky;
pub mod h2;
pub mod operator;
pub mod order;
pub mod payment_provider;
pub mod process;
mod program;
pub mod raw;
pub mod server;
pub mod smtp;
pub mod stand_in;
pub mod status;
pub mod supply;
pub mod temporal;
pub mod tls;
pub mod watch;
pub mod wire;

pub use cli::Cli;
pub use client::Client;
pub use flaky::FlakyServer;
pub use order::{Placing, sku};
pub use payment_provider::{Manner, PaymentProvider};
pub use program::program;
pub use server::{ServerOptions, TestServer, beside_shared, shared};
pub use stand_in::StandIn;
pub use status::Refused;
pub use temporal::{TestTemporal, TimeSkipping};
pub use tls::TlsClient;
pub use wire::Wire;
