//! Texts from elsewhere on a terminal: what acts on the text around it, or on the terminal, is shown as an
//! escape instead. One rule for everything that is printed, as text and as JSON.

use crate::text::is_hidden;
use std::fmt::Write;

/// A text in which nothing is hidden: control and format characters and line separators are escapes, as
/// `\u{202e}`.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if !is_hidden(c) {
            shown.push(c);
        } else if c.is_ascii() {
            shown.extend(c.escape_default());
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}

/// The same document of JSON with nothing hidden in it. A serializer escapes C0 and leaves the rest; it
/// writes all of this inside strings, where an escape means the same character. (Line breaks and
/// indentation between values stay.)
pub fn in_json(document: String) -> String {
    let is_wrong = |c: char| is_hidden(c) && !matches!(c, '\n' | '\r' | '\t');
    if !document.chars().any(is_wrong) {
        return document;
    }
    let mut shown = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        if is_wrong(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a text cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: &str =
        "a\u{1b}[2J\n\u{9b}1m\u{7f}\u{202e}b\u{2028}\u{200b}\u{feff}\u{e0041}c\u{e4}\u{1f4b6}";

    #[test]
    fn text_has_escapes_for_what_cannot_be_seen() {
        assert_eq!(
            escaped(HIDDEN),
            "a\\u{1b}[2J\\n\\u{9b}1m\\u{7f}\\u{202e}b\\u{2028}\\u{200b}\\u{feff}\\u{e0041}c\u{e4}\u{1f4b6}"
        );
    }

    #[test]
    fn json_stays_the_same_document_and_hides_nothing() {
        let value = serde_json::json!({"customerId": HIDDEN, "n": [1, 2]});
        for document in [
            serde_json::to_string(&value).unwrap(),
            serde_json::to_string_pretty(&value).unwrap(),
        ] {
            let shown = in_json(document);
            let hidden = shown.chars().find(|c| is_hidden(*c) && *c != '\n');
            assert_eq!(hidden, None, "{shown}");
            assert!(shown.contains("\\u009b1m\\u007f\\u202eb\\u2028\\u200b\\ufeff\\udb40\\udc41c"));
            let again: serde_json::Value = serde_json::from_str(&shown).unwrap();
            assert_eq!(again, value);
        }
    }
}
