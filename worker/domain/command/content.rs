//! What the texts of a command may hold: the rules of the API once more. Anybody who reaches Temporal can
//! send a signal or an update without the API, and what an order has recorded stays for ever.

use super::Refusal;
use crate::text;

/// The longest reason and the longest evidence, in characters.
pub const REASON_MOST: usize = text::WORDS_MOST;

/// Refuses a name that is missing, too long, or has a character that cannot be seen.
pub(super) fn name(field: &str, value: &str, most: usize) -> Result<(), Refusal> {
    if text::is_name(value) && value.chars().count() <= most {
        return Ok(());
    }
    let description = format!("must be 1 to {most} printable characters");
    Err(Refusal::invalid(field, &description))
}

/// Refuses a text for people that is too long, or has U+0000, which PostgreSQL keeps in no text.
pub(super) fn words(field: &str, value: &str, most: usize) -> Result<(), Refusal> {
    let length = value.chars().count();
    if length > most {
        let description = format!("must have at most {most} characters, not {length}");
        return Err(Refusal::invalid(field, &description));
    }
    if value.contains('\0') {
        return Err(Refusal::invalid(
            field,
            "must not have the character U+0000",
        ));
    }
    Ok(())
}

/// The same for a text that must say something.
pub(super) fn required_words(field: &str, value: &str, most: usize) -> Result<(), Refusal> {
    if value.trim().is_empty() {
        let description = format!("is required: 1 to {most} characters");
        return Err(Refusal::invalid(field, &description));
    }
    words(field, value, most)
}

/// Refuses what is not the last four digits of a card or an account; they may be left out.
pub(super) fn last4(field: &str, value: &str) -> Result<(), Refusal> {
    if value.is_empty() || crate::payment_method::is_last4(value) {
        return Ok(());
    }
    Err(Refusal::invalid(field, "must be four digits"))
}
