//! How much of an error is said: an answer must fit into the trailers that every client takes.

use orders_domain::place::Violation;
use tonic_types::ErrorDetails;

/// The most bytes of violations in one answer. Details travel in the trailers, in base64, and many
/// clients (those of gRPC's C core, as in Python) refuse trailers of more than 8 KiB.
const VIOLATIONS_MOST: usize = 3_000;

/// The most bytes of a message in the trailers, where a letter beyond ASCII takes three for each of
/// its own. It is there a second time, in the details.
const MESSAGE_MOST: usize = 900;

/// The most characters of a caller's id that are said back or logged: a right one has no more.
const ID_MOST: usize = 128;

/// The beginning of an id as the caller sent it, which may be wrong and very long.
pub(crate) fn shortened(id: &str) -> &str {
    let end = id.char_indices().nth(ID_MOST).map(|(end, _)| end);
    end.and_then(|end| id.get(..end)).unwrap_or(id)
}

/// A message that fits into the trailers.
pub(super) fn fitting(mut message: String) -> String {
    // As it is written there: printable ASCII as it is, but for what HTTP or the escape needs.
    let width = |letter: char| match letter {
        ' ' | '"' | '#' | '%' | '<' | '>' | '`' | '?' | '{' | '}' => 3,
        letter if letter.is_ascii_graphic() => 1,
        letter => 3 * letter.len_utf8(),
    };
    let mut room = MESSAGE_MOST;
    let end = message.char_indices().find_map(|(index, letter)| {
        room = room.saturating_sub(width(letter));
        (room == 0).then_some(index)
    });
    if let Some(end) = end {
        message.truncate(end);
        message.push_str("...");
    }
    message
}

/// As many violations as an answer has room for, and how many more there are.
pub(super) fn add_violations(details: &mut ErrorDetails, violations: &[Violation]) {
    let mut room = VIOLATIONS_MOST;
    for (index, violation) in violations.iter().enumerate() {
        let Violation { field, description } = violation;
        let Some(left) = room.checked_sub(field.len() + description.len() + 8) else {
            let rest = violations.len() - index;
            details.add_bad_request_violation("", format!("and {rest} more violations"));
            return;
        };
        room = left;
        details.add_bad_request_violation(field, description);
    }
}

/// The first few violations in words, for people who see only the message.
pub(super) fn invalid_message(violations: &[Violation]) -> String {
    const SHOWN: usize = 5;
    let shown = violations.iter().take(SHOWN);
    let mut message = shown
        .map(|violation| format!("{}: {}", violation.field, violation.description))
        .collect::<Vec<_>>()
        .join("; ");
    if violations.len() > SHOWN {
        message.push_str(&format!("; and {} more", violations.len() - SHOWN));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::{super::Error, *};
    use tonic_types::StatusExt;

    #[test]
    fn whatever_a_caller_sends_its_error_fits_into_eight_kibibytes_of_trailers() {
        let worst = "\u{1f600}".repeat(41);
        let ascii = "{".repeat(5_000);
        let violations = |text: &str| {
            let one = |index| Violation::new(format!("line_items[{index}].sku"), text.to_owned());
            Error::Invalid((0..200).map(one).collect())
        };
        for error in [
            violations(&format!("must be a currency, not {worst:?}")),
            violations(&ascii),
            violations("is wrong"),
            Error::UnknownMethod(ascii.clone()),
            Error::Origin(worst.repeat(50)),
            Error::Malformed(worst.repeat(50)),
        ] {
            let said = format!("{error:?}");
            let headers = error.into_status(&worst.repeat(9)).into_http::<String>();
            let headers = headers.headers().iter();
            // As HTTP/2 counts them.
            let size: usize = headers
                .map(|(name, value)| name.as_str().len() + value.len() + 32)
                .sum();
            assert!(size < 8 * 1024, "{size} bytes: {said:.60}");
            assert!(size > 200);
        }
    }

    #[test]
    fn an_answer_stays_small_and_says_how_much_it_leaves_out() {
        let violation = |index| Violation::new(format!("line_items[{index}].sku"), "is wrong");
        let all: Vec<Violation> = (0..1_000).map(violation).collect();
        let status = Error::Invalid(all.clone()).into_status(&"\u{1F4B6}".repeat(100_000));
        assert!(status.details().len() < 6_000, "{}", status.details().len());
        let details = status.get_error_details();
        let shown = &details.bad_request().unwrap().field_violations;
        let (rest, named) = shown.split_last().unwrap();
        assert_eq!(rest.field, "");
        let left = all.len() - named.len();
        assert_eq!(rest.description, format!("and {left} more violations"));
        assert_eq!(named[0].field, "line_items[0].sku");
        let request_id = &details.request_info().unwrap().request_id;
        assert_eq!(request_id.chars().count(), ID_MOST);

        let few = Error::Invalid(all[..80].to_vec()).into_status("request-1");
        let details = few.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations.len(), 80);
        assert_eq!(details.request_info().unwrap().request_id, "request-1");
    }
}
