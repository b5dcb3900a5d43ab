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
    /// Who asks: who is logged in, when nobody is named. What an operator does should have a name.
    pub fn actor(&self) -> String {
        match self.change.actor.as_str() {
            "" => std::env::var("USER").unwrap_or_default(),
            actor => actor.to_owned(),
        }
    }
}
