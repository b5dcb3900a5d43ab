//! What a name may be made of: ids, request ids, actors, reviewers, skus and whatever else is compared
//! letter by letter and shown to people.
//!
//! A name has no character that cannot be seen. Two names that look the same would otherwise be two:
//! `orders` and `orders` with a zero-width space behind it. And a name must not turn the text around it
//! over (bidirectional controls), move a terminal's cursor (C0, C1) or begin a line.
//!
//! A text for people is cut and cleaned by [`words`] at the edge where it comes in, before it enters an order,
//! an event, the journal or a log line: one of some megabytes would make an order that no workflow can carry.
//! A name is never cut, since a cut name means something else.

use super::event::{ACTOR_PROCESS, ACTOR_TEMPORAL};
use unicode_normalization::UnicodeNormalization;

/// The longest id of a request, a customer or a payment, and the longest actor, in characters.
pub const ID_MOST: usize = 128;

/// The most characters of a text for people.
pub const WORDS_MOST: usize = 500;

/// The longest sku and the longest tracking number, in characters.
pub const SHORT_MOST: usize = 64;

/// How the request ids begin that the service itself makes: for a signal without one, and for a
/// cancellation in Temporal's own UI. A caller who used one in advance would block what comes later.
pub const RESERVED_REQUEST_IDS: [&str; 2] = ["signal/", "temporal-cancel/"];

/// Stands at the end of a text that was cut.
const CUT: &str = " ... (cut)";

/// Format characters: Unicode's general category Cf, as of Unicode 16.
const FORMAT: [(char, char); 21] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{2064}'),
    ('\u{2066}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0001}', '\u{e0001}'),
    ('\u{e0020}', '\u{e007f}'),
];

/// What is drawn as nothing although it is no format character: the rest of Unicode's
/// Default_Ignorable_Code_Point (joiners, fillers, variation selectors, and what is reserved for more).
const INVISIBLE: [(char, char); 13] = [
    ('\u{34f}', '\u{34f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180d}'),
    ('\u{180f}', '\u{180f}'),
    ('\u{2065}', '\u{2065}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{e0000}', '\u{e0000}'),
    ('\u{e0002}', '\u{e001f}'),
    ('\u{e0080}', '\u{e0fff}'),
];

/// Returns `text` with at most [`WORDS_MOST`] characters, without hidden ones, and marked where it was cut.
pub fn words(text: &str) -> String {
    let text = text.trim();
    let mut kept = String::new();
    let mut length = 0;
    for letter in text.chars() {
        if letter.is_control() {
            // A line break separates words. Several of them are one space.
            if !kept.is_empty() && !kept.ends_with(' ') {
                kept.push(' ');
                length += 1;
            }
        } else if !is_hidden(letter) {
            kept.push(letter);
            length += 1;
        }
        if length > WORDS_MOST {
            let most = WORDS_MOST - CUT.len();
            let mut cut: String = kept.trim_start().chars().take(most).collect();
            cut.push_str(CUT);
            return cut;
        }
    }
    kept.trim().to_owned()
}

/// Whether a character acts on the text around it instead of being shown: a control character, a line or
/// paragraph separator, or a format character. Whatever is printed shows these as escapes.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_in(&FORMAT, c)
}

/// Whether a name may have this character. White space is fine inside, and not at the ends.
pub fn is_printable(c: char) -> bool {
    !is_hidden(c) && !is_in(&INVISIBLE, c)
}

/// Whether a text is a name: not empty, of printable characters, without white space at its ends.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && text.chars().all(is_printable)
}

/// Whether a text is a name of at most [`ID_MOST`] characters.
pub fn is_id(text: &str) -> bool {
    is_name(text) && text.chars().count() <= ID_MOST
}

/// Whether a caller may go by this name. The names of the service itself are reserved; a caller
/// without a name is anonymous.
pub fn is_actor(text: &str) -> bool {
    text.is_empty() || (is_id(text) && !is_reserved_actor(text))
}

/// Whether a request id begins like those that the service itself makes.
pub fn is_reserved_request_id(text: &str) -> bool {
    let mut reserved = RESERVED_REQUEST_IDS.iter();
    reserved.any(|prefix| text.starts_with(prefix))
}

/// Whether a caller calls itself by a name under which the service records what it does itself, or by
/// one that reads the same: in other case, in full-width letters and the like.
pub fn is_reserved_actor(actor: &str) -> bool {
    // Compatibility forms are longer than what they stand for, so a long text need not be looked at.
    let most = 8 * ACTOR_PROCESS.len().max(ACTOR_TEMPORAL.len());
    if actor.len() > most {
        return false;
    }
    let plain: String = actor.nfkc().flat_map(char::to_lowercase).collect();
    let plain: String = plain.nfkc().collect();
    [ACTOR_PROCESS, ACTOR_TEMPORAL].contains(&plain.trim())
}

fn is_in(ranges: &[(char, char)], c: char) -> bool {
    // Nearly all that is asked about is ASCII.
    !c.is_ascii()
        && ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ranges_are_sorted_and_apart() {
        let mut all: Vec<_> = FORMAT.into_iter().chain(INVISIBLE).collect();
        all.sort_unstable();
        for pair in all.windows(2) {
            assert!(pair[0].1 < pair[1].0, "{pair:?}");
        }
        for ranges in [&FORMAT[..], &INVISIBLE[..]] {
            assert!(ranges.is_sorted());
            assert!(ranges.iter().all(|(first, last)| first <= last));
        }
    }

    #[test]
    fn a_name_has_nothing_that_cannot_be_seen() {
        for name in ["a", "a b", "äöü", "💶", "中文", "عربي", "x-1"] {
            assert!(is_name(name), "{name:?}");
        }
        for text in [
            "",
            " ",
            "a ",
            "\u{a0}a",
            "a\0b",
            "a\u{7f}",
            "a\u{9b}b",
            "a\u{2028}b",
            "orders\u{200b}",
            "a\u{202e}b",
            "a\u{2066}b",
            "\u{feff}a",
            "a\u{ad}b",
            "a\u{3164}",
            "a\u{fe0f}",
            "a\u{e0041}",
            "a\u{34f}b",
        ] {
            assert!(!is_name(text), "{text:?}");
        }
    }

    #[test]
    fn what_reads_like_the_services_own_names_is_reserved() {
        for actor in [
            "orders",
            "temporal",
            "Orders",
            "TEMPORAL",
            "ｏｒｄｅｒｓ",
            "Ｔｅｍｐｏｒａｌ",
            "order\u{17f}",
            "𝐨𝐫𝐝𝐞𝐫𝐬",
            "ᵒrders",
        ] {
            assert!(is_reserved_actor(actor), "{actor:?}");
        }
        for actor in [
            "",
            "order",
            "orders-admin",
            "temporal 2",
            "grace",
            "anonymous",
            &"orders".repeat(100),
        ] {
            assert!(!is_reserved_actor(actor), "{actor:?}");
        }
    }

    #[test]
    fn ids_are_short_and_no_caller_goes_by_the_names_of_the_service() {
        assert!(is_id(&"x".repeat(128)) && is_id("temporal"));
        assert!(!is_id(&"x".repeat(129)) && !is_id("") && !is_id("a\0b"));
        assert!(is_actor("") && is_actor("bob"));
        for text in ["orders", "Temporal", "bob\n2026-01-01"] {
            assert!(!is_actor(text), "{text:?}");
        }
    }

    #[test]
    fn request_ids_of_the_service_are_reserved() {
        for id in ["signal/", "signal/run/1", "temporal-cancel/run"] {
            assert!(is_reserved_request_id(id), "{id}");
        }
        for id in ["", "signal", "signal-1", "a/signal/1", "temporal-cancel"] {
            assert!(!is_reserved_request_id(id), "{id}");
        }
    }

    #[test]
    fn a_short_text_stays_as_it_is() {
        for text in [
            "",
            "the card was declined",
            "zu wenig Geld: 5,00 €",
            "カード",
        ] {
            assert_eq!(words(text), text);
        }
        let longest = "ä".repeat(WORDS_MOST);
        assert_eq!(words(&longest), longest);
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        for text in ["R".repeat(2_200_000), "ä".repeat(WORDS_MOST + 1)] {
            let kept = words(&text);
            assert_eq!(kept.chars().count(), WORDS_MOST, "{kept}");
            assert!(kept.ends_with(CUT), "{kept}");
        }
    }

    #[test]
    fn hidden_characters_are_taken_out() {
        assert_eq!(words("a\r\n\tb\u{0}c"), "a b c");
        assert_eq!(words("\u{1b}[31mred\u{202e}drow\u{200b}"), "[31mreddrow");
        assert_eq!(words(&"\u{7}".repeat(2_000_000)), "");
    }

    proptest! {
        #[test]
        fn words_are_bounded_and_clean(text in "(?s).{0,700}") {
            let kept = words(&text);
            prop_assert!(kept.chars().count() <= WORDS_MOST);
            prop_assert!(!kept.chars().any(is_hidden), "{kept:?}");
            prop_assert_eq!(words(&kept), kept);
        }
    }
}
