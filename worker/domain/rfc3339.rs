//! Times in the form of RFC 3339: one reader for filters, for options of the command line and for
//! documents, since each library reads something else beside it.

use jiff::Timestamp;

/// Reads `2026-01-01T00:00:00Z`, with an optional fraction of a second and with any offset from -23:59
/// to +23:59. `None` for everything else: a time without an offset (whose?), an hour 24, and a second 60,
/// which has no moment of its own in the times of this API.
pub fn parse(text: &str) -> Option<Timestamp> {
    if !has_form(text) {
        return None;
    }
    // The form is right, so these two digits are there.
    let second = text.get(17..19)?;
    let offset_hour = if text.ends_with('Z') {
        "00"
    } else {
        text.get(text.len() - 5..text.len() - 3)?
    };
    if second > "59" || offset_hour > "23" {
        return None;
    }
    text.parse().ok()
}

fn has_form(text: &str) -> bool {
    let form: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let Some(rest) = form.strip_prefix("0000-00-00T00:00:00") else {
        return false;
    };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) if fraction.starts_with('0') => fraction.trim_start_matches('0'),
        _ => rest,
    };
    matches!(zone, "Z" | "+00:00" | "-00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_date_a_time_and_an_offset_that_exist() {
        let cases = [
            ("2026-01-01T00:00:00Z", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01T00:00:00.5Z", Some("2026-01-01T00:00:00.5Z")),
            ("2026-01-01T01:00:00+01:00", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01T00:00:00-00:00", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01T00:00:00+18:00", Some("2025-12-31T06:00:00Z")),
            ("2026-01-01T00:00:00+23:59", Some("2025-12-31T00:01:00Z")),
            ("2026-01-01T00:00:00-23:59", Some("2026-01-01T23:59:00Z")),
            ("2026-01-01T23:59:59Z", Some("2026-01-01T23:59:59Z")),
            ("2028-02-29T00:00:00Z", Some("2028-02-29T00:00:00Z")),
            // Offsets that no clock has.
            ("2026-01-01T00:00:00+24:00", None),
            ("2026-01-01T00:00:00+25:00", None),
            ("2026-01-01T00:00:00-25:59", None),
            ("2026-01-01T00:00:00+99:00", None),
            ("2026-01-01T00:00:00+01:60", None),
            // No offset, or half of one.
            ("2026-01-01T00:00:00", None),
            ("2026-01-01T00:00:00+01", None),
            ("2026-01-01T00:00:00+0100", None),
            ("2026-01-01T00:00:00 +01:00", None),
            ("2026-01-01T00:00:00+01:00:00", None),
            ("2026-01-01T00:00:00+01:00[Europe/Berlin]", None),
            // Hours, minutes, seconds and days that do not exist.
            ("2026-01-01T24:00:00Z", None),
            ("2026-01-01T23:60:00Z", None),
            ("2026-12-31T23:59:60Z", None),
            ("2026-01-01T00:00:61Z", None),
            ("2026-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-00-01T00:00:00Z", None),
            // Other forms.
            ("2026-01-01", None),
            ("2026-01-01 00:00:00Z", None),
            ("2026-01-01t00:00:00z", None),
            ("2026-01-01T00:00Z", None),
            ("20260101T000000Z", None),
            ("+002026-01-01T00:00:00Z", None),
            ("2026-01-01T00:00:00,5Z", None),
            ("2026-01-01T00:00:00.Z", None),
            ("2026-01-01T00:00:00Z ", None),
            ("\u{662}026-01-01T00:00:00Z", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = parse(text).map(|time| time.to_string());
            assert_eq!(read.as_deref(), expected, "{text:?}");
        }
    }
}
