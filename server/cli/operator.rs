//! What the changes that operators make share.

use super::options::{ChangeOptions, ClientOptions};
use clap::Args;

/// Options of a change that an operator makes.
#[derive(Args, Debug)]
pub struct OperatorOptions {
    /// The order.
    #[arg(value_name = "ORDER_ID")]
    pub order_id: String,

    /// Why; kept with the order's event.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    /// Options of all changes.
    #[command(flatten)]
    pub change: ChangeOptions,

    /// Options of all commands.
    #[command(flatten)]
    pub client: ClientOptions,
}

impl OperatorOptions {
    /// Who asks, as for every change.
    pub fn actor(&self) -> String {
        self.change.actor()
    }
}
