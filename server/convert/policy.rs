//! A policy with its effective numbers.

use super::{
    enums::{cancel_cutoff, delivery_mode, payment_mode, secure_order},
    time::duration,
};
use orders::v1;
use orders_worker::domain::policy::{Policy, RetryPolicy};

/// The policy as a message.
pub fn policy(policy: &Policy) -> v1::Policy {
    let Policy {
        name,
        description,
        fraud_check,
        secure,
        payment,
        payment_timeout,
        approval_above,
        approval_timeout,
        release_grace,
        pickup_reminder,
        delivery,
        delivery_after,
        estimated_delivery,
        cancel_until,
        retry,
        payment_retry,
        attention_after,
        lane: _,
    } = policy;
    v1::Policy {
        name: name.clone(),
        description: description.clone(),
        fraud_check: *fraud_check,
        secure_order: secure_order(*secure).into(),
        payment_mode: payment_mode(*payment).into(),
        payment_timeout: payment_timeout.map(duration),
        approval_threshold_units: *approval_above,
        approval_timeout: approval_timeout.map(duration),
        hold: release_grace.is_some(),
        release_grace_period: release_grace.map(duration),
        pickup_required: pickup_reminder.is_some(),
        pickup_reminder_interval: pickup_reminder.map(duration),
        delivery_mode: delivery_mode(*delivery).into(),
        delivery_after: delivery_after.map(duration),
        estimated_delivery: Some(duration(*estimated_delivery)),
        cancel_cutoff: cancel_cutoff(*cancel_until).into(),
        retry: Some(proto_retry(retry)),
        // Effective: without numbers of their own, payment steps go by those of all steps.
        payment_retry: Some(proto_retry(payment_retry.as_ref().unwrap_or(retry))),
        attention_after: i64::from(*attention_after),
    }
}

fn proto_retry(retry: &RetryPolicy) -> v1::RetryPolicy {
    let RetryPolicy {
        max_attempts,
        initial_interval,
        backoff,
        max_interval,
    } = retry;
    v1::RetryPolicy {
        max_attempts: i64::from(*max_attempts),
        initial_interval: Some(duration(*initial_interval)),
        backoff_coefficient: *backoff,
        max_interval: Some(duration(*max_interval)),
    }
}
