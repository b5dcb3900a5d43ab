//! Prints an answer to standard output.

use super::{failure::Failure, json, lines::Lines, options::Format};
use prost::{Message, Name};
use std::io::{ErrorKind, Write};

/// Prints a message as JSON, or as the lines that `text` makes.
pub fn answer<M: Message + Name>(
    format: Format,
    message: &M,
    text: impl FnOnce(&mut Lines),
) -> Result<(), Failure> {
    match format {
        Format::Json => line(&json::write(message)?),
        Format::Text => {
            let mut lines = Lines::default();
            text(&mut lines);
            line(&lines.into_text())
        }
    }
}

/// Prints a text and ends the line; nothing when it is empty.
pub fn line(text: &str) -> Result<(), Failure> {
    match text.is_empty() {
        true => Ok(()),
        false => next_line(text).map(|_| ()),
    }
}

/// Prints one of many lines, and says whether anybody reads them still.
pub fn next_line(text: &str) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    match written {
        // Whoever reads has seen enough, as `head` has.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::unexpected(format!(
            "the answer cannot be printed: {error}"
        ))),
        Ok(()) => Ok(true),
    }
}
