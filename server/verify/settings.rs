//! The command line of `orders verify`.

use crate::settings::CommonSettings;
use clap::Args;

/// Settings of `verify`.
#[derive(Args, Debug)]
pub struct VerifySettings {
    /// Do not compare with Temporal.
    #[arg(long, conflicts_with = "repair")]
    pub no_temporal: bool,

    /// Put right what is wrong between the store and Temporal: start what is missing, wake what is
    /// behind, start anew what knows of a future that the store does not have. Changes no order.
    #[arg(long)]
    pub repair: bool,

    /// Print JSON: a line for each finding, and one for the summary.
    #[arg(long)]
    pub json: bool,

    /// Where the database and Temporal are.
    #[command(flatten)]
    pub common: CommonSettings,
}
