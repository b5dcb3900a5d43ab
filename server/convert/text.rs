//! What the rules of the contract cannot say of texts.

use super::violations::Violations;
use orders_domain::{
    event::ACTOR_ANONYMOUS,
    text::{RESERVED_REQUEST_IDS, is_reserved_actor, is_reserved_request_id},
};

/// Checks that the id of a request is none that the service makes itself.
pub(super) fn request_id(violations: &mut Violations, text: &str) {
    if is_reserved_request_id(text) {
        let [signal, cancel] = RESERVED_REQUEST_IDS;
        let description =
            format!("must not begin with {signal} or {cancel}: the service makes such ids itself");
        violations.push("request_id", description);
    }
}

/// Returns the caller's name. Refuses what reads like a name under which the service records what it does itself, also
/// where the rules, which compare letter by letter, do not see it. A caller that gives no name is anonymous.
pub(super) fn actor(violations: &mut Violations, text: &str) -> String {
    if text.is_empty() {
        return ACTOR_ANONYMOUS.to_owned();
    }
    if is_reserved_actor(text) {
        let description = format!("{} is a name that the service itself goes by", quoted(text));
        violations.say("actor", description);
    }
    text.to_owned()
}

/// Checks that somebody is named who can be asked about it later. What else is wrong with a name, the rules say.
pub(super) fn named(violations: &mut Violations, field: &str, text: &str) {
    if matches!(text, "" | ACTOR_ANONYMOUS) {
        let description = "is required: the name of the person who vouches for it";
        violations.say(field, description);
    }
}

/// Returns a text of a request for a description: in quotes, shortened, in visible characters.
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

#[cfg(test)]
mod tests {
    use super::{super::violations::Verdict, *};

    #[test]
    fn nobody_uses_the_request_ids_of_the_service() {
        let fine = |text: &str| {
            let mut violations = Violations::new();
            request_id(&mut violations, text);
            !violations.has("request_id")
        };
        for text in ["signal-1", "signal", "a/signal/1", "temporal-cancel"] {
            assert!(fine(text), "{text:?}");
        }
        for text in ["signal/run/1", "temporal-cancel/run"] {
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
        for reserved in ["orders", "Orders", "TEMPORAL", "ｏｒｄｅｒｓ"] {
            assert_eq!(named(reserved), None, "{reserved:?}");
        }
    }

    #[test]
    fn what_is_quoted_is_short_and_visible() {
        assert_eq!(quoted("a\n"), r#""a\n""#);
        assert_eq!(
            quoted(&"x".repeat(50)),
            format!("\"{}\"...", "x".repeat(40))
        );
    }
}
