//! Options of all commands, and of all that change something.

use super::tls::TlsOptions;
use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use orders_domain::event::{ACTOR_PROCESS, ACTOR_TEMPORAL};
use std::time::Duration;
use uuid::Uuid;

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: amounts, local times, what is left of a deadline.
    #[default]
    Text,
    /// For programs: one JSON document, the message of the API.
    Json,
}

/// Options of all commands.
#[derive(Args, Clone, Debug)]
pub struct ClientOptions {
    /// Where the server is: http://HOST:PORT, or https://HOST:PORT for TLS.
    #[arg(
        long,
        env = "ORDERS_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:50051",
        help_heading = "Server"
    )]
    pub server: String,

    /// The certificates that the client trusts and shows.
    #[command(flatten)]
    pub tls: TlsOptions,

    /// How long the whole command may take: `10s`, `1m 30s`, `500ms`.
    #[arg(
        long,
        env = "ORDERS_TIMEOUT",
        value_name = "DURATION",
        default_value = "10s",
        value_parser = timeout,
        help_heading = "Server"
    )]
    pub timeout: Duration,

    /// How the answer is printed.
    #[arg(
        long,
        env = "ORDERS_OUTPUT",
        value_enum,
        default_value_t,
        help_heading = "Server"
    )]
    pub output: Format,
}

/// Options of all commands that change something.
#[derive(Args, Clone, Debug)]
pub struct ChangeOptions {
    /// Identifies the request: the same one again has no second effect [default: a UUIDv7].
    #[arg(long, value_name = "ID", help_heading = "Request")]
    pub request_id: Option<String>,

    /// Who asks [default: $USER].
    #[arg(
        long,
        env = "ORDERS_ACTOR",
        value_name = "NAME",
        default_value = "",
        hide_default_value = true,
        help_heading = "Request"
    )]
    actor: String,
}

impl ChangeOptions {
    /// The request id that was given, or a new one.
    pub fn request_id(&self) -> String {
        let given = self.request_id.clone();
        given.unwrap_or_else(|| Uuid::now_v7().to_string())
    }

    /// Whether the caller named an actor.
    pub fn names_actor(&self) -> bool {
        !self.actor.is_empty()
    }

    /// Who asks: the actor that was named, else the user who is logged in; empty when there is none.
    /// What a person changes should have a name.
    pub fn actor(&self) -> String {
        if self.names_actor() {
            return self.actor.clone();
        }
        let user = std::env::var("USER").unwrap_or_default();
        // A system user of that name is not the service itself, and the server refuses the name.
        Some(user)
            .filter(|user| ![ACTOR_PROCESS, ACTOR_TEMPORAL].contains(&user.as_str()))
            .unwrap_or_default()
    }
}

/// Longer than that is meant as "for ever", and a point in time must be left to count from.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

fn timeout(text: &str) -> Result<Duration, String> {
    let read = text.parse::<SignedDuration>().ok();
    let read = read.and_then(|duration| Duration::try_from(duration).ok());
    match read {
        Some(duration) if !duration.is_zero() => Ok(duration.min(LONGEST)),
        _ if text.parse::<f64>().is_ok_and(|number| number > 0.0) => Err(format!(
            "the unit is missing: {text}s are seconds, {text}m minutes"
        )),
        _ => Err("give a time above zero, as 10s, 1m 30s or 500ms".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(timeout("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(timeout("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(timeout("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(timeout("90000h"), Ok(LONGEST));
        for wrong in ["", "10", "0s", "-1s", "soon"] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
        let unit = timeout("5").unwrap_err();
        assert!(unit.contains("the unit is missing: 5s"), "{unit}");
    }
}
