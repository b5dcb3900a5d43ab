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

/// The words for a level.
const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];

/// Reads `--log-level`: a level, or a filter of `tracing_subscriber` such as `info,sqlx=debug`.
///
/// `tracing_subscriber` takes a word that is no level for the name of a target, and then logs nothing
/// else: `warning` would turn all logging off. So each part must name its level.
///
/// # Errors
/// When a part has no level, or one that does not exist.
pub fn read_level(text: &str) -> Result<String, String> {
    for part in text.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
            return Err(format!(
                "`{level}` is not a log level: use {}, or a filter such as info,sqlx=debug",
                LEVELS.join(", ")
            ));
        }
    }
    EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_levels_are_taken() {
        for known in [
            "info",
            "WARN",
            "off",
            "info,sqlx=debug",
            "orders=trace,warn",
        ] {
            assert_eq!(read_level(known).as_deref(), Ok(known));
        }
        for unknown in [
            "",
            "warning",
            "verbose",
            "infoo",
            "info,sqlx",
            "sqlx=loud",
            "info,",
            "a=b=c",
        ] {
            assert!(read_level(unknown).is_err(), "{unknown:?} is taken");
        }
    }
}
