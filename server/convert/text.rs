//! Texts and their limits. A limit counts characters, not bytes. What a name may be made of is a rule of
//! the domain, which the worker applies to signals as well.

use super::violations::Violations;
use orders_domain::{
    event::ACTOR_ANONYMOUS,
    text::{RESERVED_REQUEST_IDS, is_printable, is_reserved_actor, is_reserved_request_id},
};

pub(super) use orders_domain::{
    command::REASON_MOST,
    text::{ID_MOST, SHORT_MOST},
};

/// The letters of an order id, and how many.
fn is_order_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The id of an order that has to be named.
pub(super) fn order_id(violations: &mut Violations, text: &str) -> String {
    if text.is_empty() {
        violations.push("order_id", "is required");
    } else {
        optional_order_id(violations, text);
    }
    text.to_owned()
}

/// The id of an order, or nothing.
pub(super) fn optional_order_id(violations: &mut Violations, text: &str) {
    if !text.is_empty() && !is_order_id(text) {
        violations.push(
            "order_id",
            "must be 1 to 64 letters (a to z), digits, '.', '_' or '-'",
        );
    }
}

/// A text of 1 to `most` printable characters.
pub(super) fn printable(
    violations: &mut Violations,
    field: &str,
    text: &str,
    most: usize,
) -> String {
    if text.is_empty() {
        let description = format!("is required: 1 to {most} printable characters");
        violations.push(field, description);
    }
    optional_printable(violations, field, text, most)
}

/// The id of a request: 1 to 128 printable characters, and none that the service makes itself.
pub(super) fn request_id(violations: &mut Violations, text: &str) -> String {
    if is_reserved_request_id(text) {
        let [signal, cancel] = RESERVED_REQUEST_IDS;
        let description =
            format!("must not begin with {signal} or {cancel}: the service makes such ids itself");
        violations.push("request_id", description);
    }
    printable(violations, "request_id", text, ID_MOST)
}

/// The caller's name: at most 128 printable characters, and nothing that reads like a name under which
/// the service records what it does itself. A caller that gives no name is anonymous.
pub(super) fn actor(violations: &mut Violations, text: &str) -> String {
    if text.is_empty() {
        return ACTOR_ANONYMOUS.to_owned();
    }
    if is_reserved_actor(text) {
        let name = quoted(text);
        let description = format!("{name} is a name that the service itself goes by");
        violations.push("actor", description);
        return text.to_owned();
    }
    optional_printable(violations, "actor", text, ID_MOST)
}

/// That somebody is named: an actor who can be asked about it later. What is wrong with a name beside that, [`actor`]
/// says.
pub(super) fn named(violations: &mut Violations, field: &str, text: &str) {
    if matches!(text, "" | ACTOR_ANONYMOUS) {
        violations.push(
            field,
            "is required: the name of the person who vouches for it",
        );
    }
}

/// A text of at most `most` printable characters: none that cannot be seen (control and format
/// characters, line and paragraph separators), and no white space at the ends.
pub(super) fn optional_printable(
    violations: &mut Violations,
    field: &str,
    text: &str,
    most: usize,
) -> String {
    length(violations, field, text, most);
    if let Some(wrong) = text.chars().find(|c| !is_printable(*c)) {
        let code = u32::from(wrong);
        let description = format!("must have only printable characters, not U+{code:04X}");
        violations.push(field, description);
    } else if text.trim() != text {
        violations.push(field, "must not begin or end with white space");
    }
    text.to_owned()
}

/// A text for people that must say something, of at most `most` characters.
pub(super) fn required(
    violations: &mut Violations,
    field: &str,
    text: &str,
    most: usize,
) -> String {
    if text.trim().is_empty() {
        violations.push(field, format!("is required: 1 to {most} characters"));
        return String::new();
    }
    optional(violations, field, text, most)
}

/// A text for people of at most `most` characters.
pub(super) fn optional(
    violations: &mut Violations,
    field: &str,
    text: &str,
    most: usize,
) -> String {
    length(violations, field, text, most);
    without_nul(violations, field, text);
    text.to_owned()
}

/// Refuses U+0000, which PostgreSQL keeps in no text; gives whether there was none.
pub(super) fn without_nul(violations: &mut Violations, field: &str, text: &str) -> bool {
    let is_fine = !text.contains('\0');
    if !is_fine {
        violations.push(field, "must not have the character U+0000");
    }
    is_fine
}

/// A text of a request for a description: in quotes, shortened, in visible characters.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    const SHOWN_BYTES: usize = 60;
    let mut shown = String::new();
    for letter in text.chars().take(SHOWN) {
        if shown.len() + letter.len_utf8() > SHOWN_BYTES {
            break;
        }
        shown.push(letter);
    }
    let dots = if shown.len() < text.len() { "..." } else { "" };
    format!("{shown:?}{dots}")
}

fn length(violations: &mut Violations, field: &str, text: &str, most: usize) {
    // Counting is bounded by the size of the request, which the transport limits.
    let length = text.chars().count();
    if length > most {
        let description = format!("must have at most {most} characters, not {length}");
        violations.push(field, description);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_fine(look: impl FnOnce(&mut Violations)) -> bool {
        let mut violations = Violations::new();
        look(&mut violations);
        violations.into_result(Some(())).is_ok()
    }

    #[test]
    fn an_order_id_is_1_to_64_letters_digits_dots_underscores_and_dashes() {
        let fine = |text: &str| is_fine(|violations| drop(order_id(violations, text)));
        for text in ["a", "Z9", "..", "a.b_c-d", &"x".repeat(64)] {
            assert!(fine(text), "{text:?}");
        }
        for text in ["", "a b", "a/b", "ä", "a\n", "a,b", &"x".repeat(65)] {
            assert!(!fine(text), "{text:?}");
        }
        assert!(is_fine(|violations| optional_order_id(violations, "")));
        assert!(!is_fine(|violations| optional_order_id(violations, "/")));
    }

    #[test]
    fn printable_texts_count_characters_and_have_no_hidden_ones() {
        let fine = |text: &str| is_fine(|v| drop(printable(v, "f", text, 8)));
        for text in ["a", "a b", "äöüßäöüß", "💶💶💶💶💶💶💶💶", "12345678"]
        {
            assert!(fine(text), "{text:?}");
        }
        let wrong = [
            "",
            " ",
            " a",
            "a ",
            "a\u{a0}",
            "a\tb",
            "a\0",
            "a\u{7f}",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{200b}",
            "a\u{202e}b",
            "a\u{3164}",
            "123456789",
            "äöüßäöüßä",
        ];
        for text in wrong {
            assert!(!fine(text), "{text:?}");
        }
        assert!(is_fine(|v| drop(optional_printable(v, "f", "", 8))));
        assert!(!is_fine(|v| drop(optional_printable(v, "f", "a\n", 8))));
    }

    #[test]
    fn nobody_uses_the_request_ids_of_the_service() {
        let fine = |text: &str| is_fine(|v| drop(request_id(v, text)));
        for text in ["signal-1", "signal", "a/signal/1", "temporal-cancel"] {
            assert!(fine(text), "{text:?}");
        }
        for text in ["", "signal/run/1", "temporal-cancel/run", "a\n"] {
            assert!(!fine(text), "{text:?}");
        }
    }

    #[test]
    fn nobody_calls_himself_as_the_service_does() {
        let named = |text: &str| {
            let mut violations = Violations::new();
            let actor = actor(&mut violations, text);
            violations.into_result(Some(actor)).ok()
        };
        assert_eq!(named("").as_deref(), Some(ACTOR_ANONYMOUS));
        assert_eq!(named("grace").as_deref(), Some("grace"));
        for reserved in [
            "orders",
            "Orders",
            "TEMPORAL",
            "ｏｒｄｅｒｓ",
            "orders\u{200b}",
        ] {
            assert_eq!(named(reserved), None, "{reserved:?}");
        }
    }

    #[test]
    fn texts_for_people_have_a_length_and_required_ones_say_something() {
        assert!(is_fine(|v| drop(required(v, "f", "ab", 2))));
        assert!(!is_fine(|v| drop(required(v, "f", "abc", 2))));
        assert!(!is_fine(|v| drop(required(v, "f", "", 2))));
        assert!(!is_fine(|v| drop(required(v, "f", "  ", 2))));
        assert!(is_fine(|v| drop(optional(v, "f", "", 2))));
        assert!(is_fine(|v| drop(optional(v, "f", "ä\n", 2))));
        assert!(!is_fine(|v| drop(optional(v, "f", "abc", 2))));
    }

    #[test]
    fn what_is_quoted_is_short_and_visible() {
        assert_eq!(quoted("a\n"), r#""a\n""#);
        assert_eq!(
            quoted(&"x".repeat(50)),
            format!("\"{}\"...", "x".repeat(40))
        );
    }

    proptest! {
        #[test]
        fn an_accepted_id_is_what_its_limit_says(text in ".{0,70}") {
            let fine = is_fine(|v| drop(order_id(v, &text)));
            let expected = !text.is_empty() && text.chars().count() <= 64
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            prop_assert_eq!(fine, expected);
        }
    }
}
