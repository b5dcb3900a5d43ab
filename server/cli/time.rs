//! Times and durations as people read and write them.

use super::failure::Failure;
use jiff::{SignedDuration, Span, Timestamp, Zoned, civil::Date, tz::TimeZone};
use orders_domain::rfc3339;
use prost_types::{Duration as ProtoDuration, Timestamp as ProtoTimestamp};

const MILLIS: [(i128, &str); 5] = [
    (86_400_000, "d"),
    (3_600_000, "h"),
    (60_000, "min"),
    (1_000, "s"),
    (1, "ms"),
];

/// A time in the zone of whoever asks (`TZ`, else the system's): `2034-11-20 01:00:00 +01:00`.
pub fn local(time: &ProtoTimestamp) -> String {
    format_local(time, "%Y-%m-%d %H:%M:%S %:z")
}

/// The same with milliseconds.
pub fn local_with_millis(time: &ProtoTimestamp) -> String {
    format_local(time, "%Y-%m-%d %H:%M:%S%.3f %:z")
}

fn format_local(time: &ProtoTimestamp, format: &str) -> String {
    match Timestamp::new(time.seconds, time.nanos) {
        Ok(time) => time
            .to_zoned(TimeZone::system())
            .strftime(format)
            .to_string(),
        Err(_) => format!("{} s after 1970", time.seconds),
    }
}

/// A duration with all of its units, exact to the millisecond: `1 d 2 h 500 ms`.
pub fn exact(duration: &ProtoDuration) -> String {
    let mut rest = millis(duration);
    let mut parts = Vec::new();
    for (size, unit) in MILLIS {
        if rest >= size {
            parts.push(format!("{} {unit}", rest / size));
            rest %= size;
        }
    }
    match parts.is_empty() {
        true => "0 s".to_owned(),
        false => parts.join(" "),
    }
}

/// A duration by its largest unit and the next one: `6 d 23 h`.
pub fn rough(duration: &ProtoDuration) -> String {
    let total = millis(duration);
    let seconds = &MILLIS[..4];
    let Some(largest) = seconds.iter().position(|(size, _)| total >= *size) else {
        return "less than 1 s".to_owned();
    };
    let mut rest = total;
    let mut parts = Vec::new();
    for (size, unit) in seconds.iter().skip(largest).take(2) {
        if rest >= *size {
            parts.push(format!("{} {unit}", rest / size));
            rest %= size;
        }
    }
    parts.join(" ")
}

/// The time from one event to another: `+0.123 s`, `+6 d 23 h`.
pub fn elapsed(from: &ProtoTimestamp, to: &ProtoTimestamp) -> String {
    let millis = (i128::from(to.seconds) - i128::from(from.seconds)) * 1_000
        + i128::from(to.nanos - from.nanos) / 1_000_000;
    match millis {
        ..0 => String::new(),
        0..60_000 => format!("+{}.{:03} s", millis / 1_000, millis % 1_000),
        _ => {
            let seconds = i64::try_from(millis / 1_000).unwrap_or(i64::MAX);
            format!("+{}", rough(&ProtoDuration { seconds, nanos: 0 }))
        }
    }
}

/// No less than zero, as all durations of the API.
fn millis(duration: &ProtoDuration) -> i128 {
    let ProtoDuration { seconds, nanos } = *duration;
    (i128::from(seconds) * 1_000 + i128::from(nanos) / 1_000_000).max(0)
}

/// Reads a time: RFC 3339, a date (its first moment here), or `in 30 days`.
///
/// # Errors
/// When it is none of these.
pub fn parse(option: &str, text: &str) -> Result<ProtoTimestamp, Failure> {
    let now = Zoned::now();
    let time = parse_at(text.trim(), &now).ok_or_else(|| {
        Failure::usage(format!(
            "{option} {text}: give a time as 2034-11-20T00:00:00Z, as 2034-11-20 or as \"in 30 days\""
        ))
    })?;
    // Before 1970 jiff counts the nanoseconds backwards, the message forwards.
    let whole = SignedDuration::new(time.as_second(), time.subsec_nanosecond());
    let (seconds, nanos) = (whole.as_secs(), whole.subsec_nanos());
    Ok(match nanos < 0 {
        true => ProtoTimestamp {
            seconds: seconds - 1,
            nanos: nanos + 1_000_000_000,
        },
        false => ProtoTimestamp { seconds, nanos },
    })
}

fn parse_at(text: &str, now: &Zoned) -> Option<Timestamp> {
    if let Some(span) = text.strip_prefix("in ") {
        let span = span.parse::<Span>().ok()?;
        return Some(now.checked_add(span).ok()?.timestamp());
    }
    if let Some(time) = rfc3339::parse(text) {
        return Some(time);
    }
    // jiff takes the date of a longer text, too.
    let is_date = text.len() == "2034-11-20".len();
    let date = text.parse::<Date>().ok().filter(|_| is_date)?;
    Some(date.to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duration(seconds: i64, nanos: i32) -> ProtoDuration {
        ProtoDuration { seconds, nanos }
    }

    #[test]
    fn durations_are_read_by_people() {
        let cases = [
            (duration(0, 0), "0 s", "less than 1 s"),
            (duration(-5, 0), "0 s", "less than 1 s"),
            (duration(0, 100_000_000), "100 ms", "less than 1 s"),
            (duration(2, 500_000_000), "2 s 500 ms", "2 s"),
            (duration(59, 999_999_999), "59 s 999 ms", "59 s"),
            (duration(60, 0), "1 min", "1 min"),
            (duration(86_400 + 5, 0), "1 d 5 s", "1 d"),
            (
                duration(6 * 86_400 + 23 * 3_600 + 59 * 60, 0),
                "6 d 23 h 59 min",
                "6 d 23 h",
            ),
        ];
        for (given, all, two) in cases {
            assert_eq!(exact(&given), all);
            assert_eq!(rough(&given), two);
        }
        exact(&duration(i64::MAX, i32::MAX));
        rough(&duration(i64::MIN, i32::MIN));
    }

    #[test]
    fn elapsed_time_is_fine_at_first_and_rough_later() {
        let at = |seconds, nanos| ProtoTimestamp { seconds, nanos };
        assert_eq!(elapsed(&at(5, 0), &at(5, 0)), "+0.000 s");
        assert_eq!(elapsed(&at(5, 900_000_000), &at(7, 23_000_000)), "+1.123 s");
        assert_eq!(elapsed(&at(0, 0), &at(3_723, 0)), "+1 h 2 min");
        assert_eq!(elapsed(&at(5, 0), &at(4, 0)), "");
        elapsed(&at(i64::MIN, i32::MAX), &at(i64::MAX, 0));
    }

    #[test]
    fn times_are_absolute_dates_or_from_now() {
        let now: Zoned = "2026-01-31T12:00:00[UTC]".parse().unwrap();
        let read = |text: &str| parse_at(text, &now).map(|time| time.to_string());
        let expected = |text: &str| Some(text.to_owned());
        assert_eq!(
            read("2034-11-20T01:00:00+01:00"),
            expected("2034-11-20T00:00:00Z")
        );
        assert_eq!(read("2034-11-20"), expected("2034-11-20T00:00:00Z"));
        assert_eq!(read("in 30 days"), expected("2026-03-02T12:00:00Z"));
        assert_eq!(read("in 1 month"), expected("2026-02-28T12:00:00Z"));
        assert_eq!(read("in 90s"), expected("2026-01-31T12:01:30Z"));
        for wrong in [
            "",
            "in",
            "in a while",
            "tomorrow",
            "2034-11-20T01:00:00",
            "2034-11-20T01:00:00+25:00",
            "2034-11-20T24:00:00Z",
            "2034-11-20T23:59:60Z",
            "2034-11-20T01:00:00+01:00[Europe/Paris]",
            "30 days",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let before = parse("--release-time", "1969-12-31T23:59:59.5Z").unwrap();
        assert_eq!((before.seconds, before.nanos), (-1, 500_000_000));
    }
}
