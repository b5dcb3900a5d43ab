//! Logs: for people, or as JSON.

use clap::ValueEnum;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line of text.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Starts logging, to standard error. `level` is a level (`info`) or a filter of
/// `tracing_subscriber` (`info,sqlx=debug`).
///
/// # Errors
/// When the filter cannot be read.
pub fn init(format: LogFormat, level: &str) -> Result<(), String> {
    // The SDK's core and the HTTP stack are chatty about retries that are theirs to make.
    let filter = format!(
        "{level},temporalio_sdk_core=warn,temporalio_client=warn,temporalio_sdk=warn,h2=warn,hyper=warn,sqlx=warn"
    );
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| format!("--log-level {level} cannot be read: {error}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    let written = match format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(std::io::stderr().is_terminal())
                    .with_target(false),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(std::io::stderr),
            )
            .try_init(),
    };
    written.map_err(|error| error.to_string())
}
