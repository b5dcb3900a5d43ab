//! Times and durations.

use super::violations::Violations;
use jiff::Timestamp;
use prost_types::{Duration as ProtoDuration, Timestamp as ProtoTimestamp};
use std::time::Duration;

const NANOS: i32 = 1_000_000_000;

/// The time in `field`; none is a violation.
pub(super) fn parse_timestamp(
    violations: &mut Violations,
    field: &str,
    time: &ProtoTimestamp,
) -> Option<Timestamp> {
    let ProtoTimestamp { seconds, nanos } = *time;
    if !(0..NANOS).contains(&nanos) {
        violations.say(field, "its nanos must be from 0 to 999,999,999");
        return None;
    }
    if violations.has(field) {
        return None;
    }
    let parsed = Timestamp::new(seconds, nanos).ok();
    if parsed.is_none() {
        violations.push(field, "is outside of the calendar");
    }
    parsed
}

/// A time as a message.
pub(super) fn timestamp(time: Timestamp) -> ProtoTimestamp {
    // Before 1970 jiff counts the nanoseconds backwards, the message forwards.
    let (seconds, nanos) = (time.as_second(), time.subsec_nanosecond());
    match nanos < 0 {
        true => ProtoTimestamp {
            seconds: seconds - 1,
            nanos: nanos + NANOS,
        },
        false => ProtoTimestamp { seconds, nanos },
    }
}

/// A duration as a message.
pub(super) fn duration(duration: Duration) -> ProtoDuration {
    ProtoDuration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: duration.subsec_nanos().cast_signed(),
    }
}

/// The time from `now` until `end`; zero when that has passed.
pub(super) fn remaining(now: Timestamp, end: Timestamp) -> ProtoDuration {
    duration(Duration::try_from(end.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 0001-01-01T00:00:00Z, the first second of a `google.protobuf.Timestamp`.
    const FIRST_SECOND: i64 = -62_135_596_800;

    fn parse(seconds: i64, nanos: i32) -> Option<Timestamp> {
        let time = ProtoTimestamp { seconds, nanos };
        let request = orders::v1::PlaceOrderRequest {
            release_time: Some(time),
            ..Default::default()
        };
        let mut violations = Violations::in_request(&request);
        let parsed = parse_timestamp(&mut violations, "release_time", &time);
        assert_eq!(parsed.is_none(), violations.names("release_time"));
        parsed
    }

    #[test]
    fn times_outside_of_the_calendar_are_violations() {
        assert_eq!(parse(0, 0), Some(Timestamp::UNIX_EPOCH));
        assert!(parse(FIRST_SECOND, 0).is_some());
        assert!(parse(FIRST_SECOND - 1, 999_999_999).is_none());
        assert!(parse(0, -1).is_none());
        assert!(parse(0, 999_999_999).is_some());
        assert!(parse(0, NANOS).is_none());
        assert!(parse(253_402_207_200, 999_999_999).is_some());
        assert!(parse(253_402_207_201, 0).is_none());
        assert!(parse(i64::MAX, i32::MAX).is_none());
    }

    #[test]
    fn what_remains_is_never_negative() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (before, after) = (at("2026-01-01T00:00:00Z"), at("2026-01-01T00:01:00.5Z"));
        let half = ProtoDuration {
            seconds: 60,
            nanos: 500_000_000,
        };
        assert_eq!(remaining(before, after), half);
        assert_eq!(remaining(after, before), ProtoDuration::default());
        assert_eq!(remaining(before, before), ProtoDuration::default());
        remaining(Timestamp::MIN, Timestamp::MAX);
    }

    proptest! {
        #[test]
        fn times_go_both_ways(seconds in FIRST_SECOND..=253_402_200_000i64, nanos in 0..NANOS) {
            let time = parse(seconds, nanos).unwrap();
            prop_assert_eq!(timestamp(time), ProtoTimestamp { seconds, nanos });
        }

        #[test]
        fn no_time_panics(seconds: i64, nanos: i32) {
            parse(seconds, nanos);
        }
    }
}
