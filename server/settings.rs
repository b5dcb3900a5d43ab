//! The settings that the server's commands share: flags, each also as an `ORDERS_...` environment
//! variable.

mod connections;
mod database;
mod limits;
mod mail;
mod payment;
mod replay;
mod start;
mod temporal_ui;
mod tls;
mod versioning;
mod web;

pub use connections::ConnectionSettings;
pub use database::{DatabaseSettings, DatabaseSettingsError};
pub use limits::LimitSettings;
pub use mail::{MailSettings, MailSettingsError};
pub use payment::PaymentSettings;
pub use replay::ReplaySettings;
pub use start::StartSettings;
pub use temporal_ui::UiAddress;
pub use tls::TlsSettings;
pub use versioning::VersioningSettings;
pub use web::WebSettings;

use crate::temporal::run_worker::Role;
use clap::Args;
use orders_worker::provider::simulation::Rule;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Settings of `serve`.
#[derive(Args, Debug)]
pub struct ServeSettings {
    /// Where to listen. Port 0 takes a free one.
    #[arg(
        long,
        env = "ORDERS_LISTEN",
        value_name = "IP:PORT",
        default_value = "127.0.0.1:50051",
        value_parser = parse_listen
    )]
    pub listen: SocketAddr,

    /// The certificates of the port.
    #[command(flatten)]
    pub tls: TlsSettings,

    /// A TOML file with more policies, or with other numbers for those that ship with the server.
    #[arg(long, env = "ORDERS_POLICIES", value_name = "FILE")]
    pub policies: Option<PathBuf>,

    /// How many watches (open WatchOrder and WatchOrders calls, and watches of the health) there may be
    /// at once. One connection or address has at most four times what is free.
    #[arg(
        long,
        env = "ORDERS_MAX_WATCHES",
        default_value_t = 20_000,
        value_name = "COUNT"
    )]
    pub max_watches: u32,

    /// Serve the API only; the orders are run by `orders worker`.
    #[arg(long, env = "ORDERS_NO_WORKER", default_value_t)]
    pub no_worker: bool,

    /// Do not serve the OperatorService here: it is for those who run the service.
    #[arg(long, env = "ORDERS_NO_OPERATOR", default_value_t)]
    pub no_operator: bool,

    /// How new orders are handed to Temporal.
    #[command(flatten)]
    pub start: StartSettings,

    /// The address of Temporal's web UI, for the link in each order, as in
    /// https://temporal.example.com. Without it, only orders on the embedded Temporal have a link.
    #[arg(long, env = "ORDERS_TEMPORAL_UI", value_name = "URL")]
    pub temporal_ui: Option<UiAddress>,

    /// How much callers may ask.
    #[command(flatten)]
    pub limits: LimitSettings,

    /// Which web pages may call.
    #[command(flatten)]
    pub web: WebSettings,

    /// What `serve` and `worker` share.
    #[command(flatten)]
    pub common: CommonSettings,
}

/// Settings of `worker`.
#[derive(Args, Debug)]
pub struct WorkerSettings {
    /// What `serve` and `worker` share.
    #[command(flatten)]
    pub common: CommonSettings,
}

/// What `serve` and `worker` share.
#[derive(Args, Debug)]
pub struct CommonSettings {
    /// Which database is used, and where what is kept is.
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// Refuse to start when the database's tables are not up to date, rather than to see to it:
    /// `orders migrate` does.
    #[arg(long, env = "ORDERS_NO_MIGRATE", default_value_t)]
    pub no_migrate: bool,

    /// Do not show Temporal where orders stand (its search attribute OrderState): spares an Action and a
    /// history event for each change. Of orders that are started from now on.
    #[arg(long, env = "ORDERS_NO_ORDER_STATE", default_value_t)]
    pub no_order_state: bool,

    /// Temporal's address. Without it (and without TEMPORAL_ADDRESS or a temporal.toml that names
    /// one), a Temporal dev server is started and kept under the data directory.
    #[arg(long, env = "ORDERS_TEMPORAL_ADDRESS", value_name = "HOST:PORT")]
    pub temporal_address: Option<String>,

    /// The Temporal CLI that runs the embedded Temporal [default: `temporal` on PATH, else the one
    /// beside this program].
    #[arg(long, env = "ORDERS_TEMPORAL_CLI", value_name = "FILE")]
    pub temporal_cli: Option<PathBuf>,

    /// Temporal's namespace [default: TEMPORAL_NAMESPACE, or `default`].
    #[arg(long, env = "ORDERS_NAMESPACE")]
    pub namespace: Option<String>,

    /// The task queue that orders run on; their shipping lanes run on this with `-shipping` behind it.
    #[arg(long, env = "ORDERS_TASK_QUEUE", default_value = "orders")]
    pub task_queue: String,

    /// How people are told of their orders.
    #[command(flatten)]
    pub mail: MailSettings,

    /// Who moves money.
    #[command(flatten)]
    pub payment: PaymentSettings,

    /// What this process runs: orders, their shipping lanes, or both.
    #[arg(
        long,
        env = "ORDERS_RUN",
        value_enum,
        value_delimiter = ',',
        default_values_t = [Role::Orders, Role::Shipping]
    )]
    pub run: Vec<Role>,

    /// Which build runs the orders.
    #[command(flatten)]
    pub versioning: VersioningSettings,

    /// For demonstrations and tests: let providers fail. PROVIDER:NAME=VALUE,... with the providers
    /// all, payment, inventory, shipping, fraud, and the names error, hang, lost (shares from 0 to 1),
    /// latency (a duration), decline-above (a whole amount), lost-first (so many attempts of each step), only
    /// (a step: the failures are its own). May be given more than once.
    #[arg(
        long,
        env = "ORDERS_SIMULATE",
        value_name = "RULE",
        value_delimiter = ';'
    )]
    pub simulate: Vec<Rule>,

    /// Another number makes other attempts fail.
    #[arg(long, env = "ORDERS_SIMULATE_SEED", default_value_t = 0)]
    pub simulate_seed: u64,

    /// How long after it was opened the embedded supplier delivers a supplier order, as in `2s` or
    /// `3days`; at most 365days.
    #[arg(
        long,
        env = "ORDERS_SUPPLIER_LEAD_TIME",
        default_value = "0s",
        value_name = "DURATION",
        value_parser = parse_lead_time
    )]
    pub supplier_lead_time: Duration,
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let read = text.parse();
    read.map_err(|_| {
        "give IP:PORT, as 127.0.0.1:50051 or [::1]:50051; 0.0.0.0 listens at every IPv4 address"
            .to_owned()
    })
}

/// Longer than this is a slip of the keyboard.
const LEAD_TIME_MOST: Duration = Duration::from_secs(365 * 24 * 3600);

fn parse_lead_time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    match time <= LEAD_TIME_MOST {
        true => Ok(time),
        false => Err("must be at most 365days".to_owned()),
    }
}
