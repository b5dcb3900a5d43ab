//! Whether a policy can work at all. A policy that cannot is refused when the server starts.

use super::{DeliveryMode, PaymentMode, Policy, RetryPolicy, SecureOrder};

/// The longest wait a policy may ask for, ten years: beyond it timers and times lose their meaning.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(3650 * 24 * 3600);

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
        external == policy.payment_timeout.is_some(),
        "payment_timeout belongs to payment = \"EXTERNAL\", and only there",
    );
    require(
        policy.approval_above.is_some() == policy.approval_timeout.is_some(),
        "approval_above and approval_timeout belong together",
    );
    require(
        policy.approval_above.is_none_or(|units| units >= 0),
        "approval_above must not be negative",
    );
    let auto = policy.delivery == DeliveryMode::AutoAfter;
    require(
        auto == policy.delivery_after.is_some(),
        "delivery_after belongs to delivery = \"AUTO_AFTER\", and only there",
    );
    require(
        !(external && policy.secure == SecureOrder::PayThenReserve),
        "an external payment is confirmed once: stock must be reserved before it (RESERVE_THEN_PAY or PAY_ONLY)",
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
    retry_problems("retry", &policy.retry, &mut problems);
    if let Some(retry) = &policy.payment_retry {
        retry_problems("payment_retry", retry, &mut problems);
    }
    problems
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
