//! Logs: for people, or as JSON.

use clap::ValueEnum;
use std::io::IsTerminal;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{EnvFilter, Layer, fmt, layer::Context, prelude::*};

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
    let is_debugging = filter.max_level_hint() >= Some(LevelFilter::DEBUG);
    let harmless = (!is_debugging).then_some(WithoutHarmless);
    let registry = tracing_subscriber::registry().with(filter).with(harmless);
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

/// Leaves out lines that the SDK writes as warnings although nothing is wrong.
struct WithoutHarmless;

/// The part of the SDK that writes them.
const CORE: &str = "temporalio_sdk_core";

/// Under load a workflow task may end at Temporal before the worker has answered it: by its time, or
/// because the workflow was closed. Temporal gives it out again, and the worker forgets its own.
const HARMLESS: [&str; 1] = ["Task not found when completing"];

impl<S: Subscriber> Layer<S> for WithoutHarmless {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        if !event.metadata().target().starts_with(CORE) {
            return true;
        }
        let mut message = Message::default();
        event.record(&mut message);
        !message.is_harmless
    }
}

/// Reads the message of an event.
#[derive(Default)]
struct Message {
    is_harmless: bool,
}

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let text = format!("{value:?}");
            self.is_harmless = HARMLESS.contains(&text.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Seen {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            struct Text(String);
            impl Visit for Text {
                fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                    if field.name() == "message" {
                        self.0 = format!("{value:?}");
                    }
                }
            }
            let mut text = Text(String::new());
            event.record(&mut text);
            self.0.lock().unwrap().push(text.0);
        }
    }

    #[test]
    fn only_what_is_harmless_is_left_out() {
        let seen = Seen::default();
        let subscriber = tracing_subscriber::registry()
            .with(seen.clone())
            .with(WithoutHarmless);
        tracing::subscriber::with_default(subscriber, || {
            let (error, run_id) = ("status: NotFound", "1");
            // As the SDK writes it.
            tracing::warn!(target: "temporalio_sdk_core::worker::workflow", error = %error, run_id,
                "Task not found when completing");
            tracing::warn!(target: "temporalio_sdk_core::worker::workflow", error = %error,
                "Error while completing workflow activation");
            tracing::warn!(target: "orders_server", "Task not found when completing");
        });
        let seen = seen.0.lock().unwrap();
        let ours = "Task not found when completing";
        assert_eq!(*seen, ["Error while completing workflow activation", ours]);
    }

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
