//! Whether a policy can work at all. A policy that cannot is refused when the server starts.

use super::{DeliveryMode, Lane, PaymentMode, Policy, RetryPolicy, SecureOrder, ShippingMode};
use humantime_serde::re::humantime::format_duration;
use std::time::Duration;

/// The shortest time in which anybody can be expected to answer.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(10);

/// The longest attempt of a step that runs in the process: meanwhile it holds one of the worker's few
/// slots, and the order takes no command.
const LONGEST_LOCAL_ATTEMPT: Duration = Duration::from_secs(2);

/// The longest attempt of a step that Temporal schedules. With the quick retries before it and the
/// waits for the database it ends before the time limit of its activity.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(4);

/// The longest wait a policy may ask for, ten years: beyond it timers and times lose their meaning.
const LONGEST: Duration = Duration::from_secs(3650 * 24 * 3600);

/// Everything that is wrong with a policy, in words for the person who wrote it; empty when it can
/// work.
pub(super) fn problems(policy: &Policy) -> Vec<String> {
    let mut problems = Vec::new();
    let mut require = |ok: bool, problem: &str| {
        if !ok {
            problems.push(problem.to_owned());
        }
    };
    let name_ok = !policy.name.is_empty()
        && policy.name.len() <= 64
        && policy
            .name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    require(
        name_ok,
        "name must be 1 to 64 lower-case letters, digits or dashes",
    );
    let external = policy.payment == PaymentMode::External;
    require(
        !external || policy.payment_timeout.is_some(),
        "payment = \"EXTERNAL\" needs payment_timeout",
    );
    require(
        external || policy.payment_timeout.is_none(),
        "payment_timeout needs payment = \"EXTERNAL\"",
    );
    require(
        policy.approval_above.is_none() || policy.approval_timeout.is_some(),
        "approval_above needs approval_timeout",
    );
    require(
        policy.approval_timeout.is_none() || policy.approval_above.is_some(),
        "approval_timeout needs approval_above",
    );
    require(
        policy.approval_above.is_none_or(|units| units >= 0),
        "approval_above must not be negative",
    );
    let auto = policy.delivery == DeliveryMode::AutoAfter;
    require(
        !auto || policy.delivery_after.is_some(),
        "delivery = \"AUTO_AFTER\" needs delivery_after",
    );
    require(
        auto || policy.delivery_after.is_none(),
        "delivery_after needs delivery = \"AUTO_AFTER\"",
    );
    require(
        !(external && policy.secure == SecureOrder::PayThenReserve),
        "an external payment is confirmed once: stock must be reserved before it (RESERVE_THEN_PAY or PAY_ONLY)",
    );
    let lane = policy.shipping == ShippingMode::Lane;
    require(
        lane || policy.shipping_retry.is_none(),
        "shipping_retry needs shipping = \"LANE\"",
    );
    let longest = match policy.lane {
        Lane::Local => LONGEST_LOCAL_ATTEMPT,
        Lane::Regular => LONGEST_ATTEMPT,
    };
    require(
        policy.attempt_timeout >= SHORTEST_ATTEMPT && policy.attempt_timeout <= longest,
        "attempt_timeout must be from 10ms to 2s (4s with lane = \"REGULAR\")",
    );
    require(
        policy.authorization_expiry.is_none() || policy.payment == PaymentMode::AuthorizeCapture,
        "authorization_expiry needs payment = \"AUTHORIZE_CAPTURE\"",
    );
    require(
        policy.reservation_expiry.is_none() || policy.reserves(),
        "reservation_expiry has no meaning where nothing is reserved (secure = \"PAY_ONLY\")",
    );
    require(
        policy.attention_after > 0,
        "attention_after must be at least 1",
    );
    for (field, value) in [
        ("payment_timeout", policy.payment_timeout),
        ("approval_timeout", policy.approval_timeout),
        ("release_grace", policy.release_grace),
        ("pickup_reminder", policy.pickup_reminder),
        ("delivery_after", policy.delivery_after),
        ("estimated_delivery", Some(policy.estimated_delivery)),
    ] {
        let ok = value.is_none_or(|value| value <= LONGEST);
        require(ok, &format!("{field} must be at most ten years"));
    }
    for (field, value) in [
        ("payment_timeout", policy.payment_timeout),
        ("approval_timeout", policy.approval_timeout),
        ("pickup_reminder", policy.pickup_reminder),
    ] {
        let ok = value.is_none_or(|value| !value.is_zero());
        require(ok, &format!("{field} must be longer than zero"));
    }
    expiry_problems(policy, &mut problems);
    retry_problems("retry", &policy.retry, &mut problems);
    if let Some(retry) = &policy.shipping_retry {
        retry_problems("shipping_retry", retry, &mut problems);
    }
    if let Some(retry) = &policy.payment_retry {
        retry_problems("payment_retry", retry, &mut problems);
    }
    problems
}

/// What is held for an order must outlast the waits that come before it is used.
fn expiry_problems(policy: &Policy, problems: &mut Vec<String>) {
    let reserved_first = policy.secure == SecureOrder::ReserveThenPay;
    let payment = policy.payment_timeout.filter(|_| reserved_first);
    let approval = ("approval_timeout", policy.approval_timeout);
    let (reservation, authorization) = (policy.reservation_expiry, policy.authorization_expiry);
    let while_reserved = [("payment_timeout", payment), approval];
    for (field, what, expiry, waits) in [
        (
            "reservation_expiry",
            "a reservation",
            reservation,
            &while_reserved[..],
        ),
        (
            "authorization_expiry",
            "an authorization",
            authorization,
            &[approval],
        ),
    ] {
        let Some(expiry) = expiry else { continue };
        if field == "reservation_expiry" && policy.pickup_reminder.is_some() {
            problems.push(format!(
                "{field}: {what} cannot be promised to last until the pickup is confirmed (pickup_reminder)"
            ));
        }
        if policy.holds() {
            problems.push(format!(
                "{field}: {what} cannot be promised to last until the release that this policy waits for (release_grace)"
            ));
        }
        let waits = waits
            .iter()
            .filter_map(|(name, wait)| Some((*name, (*wait)?)));
        let (names, waits): (Vec<&str>, Vec<Duration>) = waits.unzip();
        let add = |sum: Duration, wait: &Duration| sum.saturating_add(*wait);
        let needed = waits.iter().fold(Duration::ZERO, add);
        if needed >= expiry {
            problems.push(format!(
                "{field}: {what} would expire after {}, before {} can end ({})",
                format_duration(expiry),
                if names.is_empty() {
                    "anything".to_owned()
                } else {
                    names.join(" and ")
                },
                format_duration(needed),
            ));
        }
    }
}

fn retry_problems(field: &str, retry: &RetryPolicy, problems: &mut Vec<String>) {
    if !(retry.backoff >= 1.0 && retry.backoff <= 100.0) {
        problems.push(format!("{field}.backoff must be from 1 to 100"));
    }
    if retry.initial_interval.is_zero() {
        problems.push(format!("{field}.initial_interval must be longer than zero"));
    }
    if retry.max_interval < retry.initial_interval || retry.max_interval > LONGEST {
        problems.push(format!(
            "{field}.max_interval must be at least initial_interval and at most ten years"
        ));
    }
}
