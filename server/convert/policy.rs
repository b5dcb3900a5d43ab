//! A policy as a message, with the numbers in effect.

use super::{enums, time::duration};
use orders::v1;
use orders_domain::policy::{Policy, RetryPolicy};

/// A policy as a message.
pub fn policy(policy: &Policy) -> v1::Policy {
    let holds = policy.holds();
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
        shipping,
        shipping_retry,
        attempt_timeout,
        reservation_expiry,
        authorization_expiry,
        attention_after,
        // Where the server runs the steps is no business of its callers.
        lane: _,
    } = policy;
    v1::Policy {
        name: name.clone(),
        description: description.clone(),
        fraud_check: *fraud_check,
        secure_order: enums::secure_order(*secure).into(),
        payment_mode: enums::payment_mode(*payment).into(),
        payment_timeout: payment_timeout.map(duration),
        approval_threshold_units: *approval_above,
        approval_timeout: approval_timeout.map(duration),
        hold: holds,
        release_grace_period: release_grace.map(duration),
        pickup_required: pickup_reminder.is_some(),
        pickup_reminder_interval: pickup_reminder.map(duration),
        delivery_mode: enums::delivery_mode(*delivery).into(),
        delivery_after: delivery_after.map(duration),
        estimated_delivery: Some(duration(*estimated_delivery)),
        cancel_cutoff: enums::cancel_cutoff(*cancel_until).into(),
        retry: Some(retry_policy(retry)),
        payment_retry: Some(retry_policy(payment_retry.as_ref().unwrap_or(retry))),
        attention_after: i64::from(*attention_after),
        shipping_mode: enums::shipping_mode(*shipping).into(),
        shipping_retry: Some(retry_policy(shipping_retry.as_ref().unwrap_or(retry))),
        attempt_timeout: Some(duration(*attempt_timeout)),
        reservation_expiry: reservation_expiry.map(duration),
        authorization_expiry: authorization_expiry.map(duration),
    }
}

fn retry_policy(retry: &RetryPolicy) -> v1::RetryPolicy {
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

#[cfg(test)]
mod tests {
    use super::{super::place_order::samples, *};

    fn shown(name: &str) -> v1::Policy {
        policy(samples::book().get(name).unwrap())
    }

    fn seconds(duration: Option<prost_types::Duration>) -> Option<i64> {
        duration.map(|duration| duration.seconds)
    }

    const DAY: i64 = 24 * 3600;

    #[test]
    fn the_presets_show_their_numbers() {
        let standard = shown("standard");
        assert!(standard.fraud_check && !standard.hold && !standard.pickup_required);
        assert_eq!(standard.secure_order(), v1::SecureOrder::ReserveThenPay);
        assert_eq!(standard.payment_mode(), v1::PaymentMode::AuthorizeCapture);
        assert_eq!(standard.payment_timeout, None);
        assert_eq!(standard.approval_threshold_units, Some(5_000));
        assert_eq!(seconds(standard.approval_timeout), Some(DAY));
        assert_eq!(standard.release_grace_period, None);
        assert_eq!(standard.delivery_mode(), v1::DeliveryMode::AutoAfter);
        assert_eq!(seconds(standard.delivery_after), Some(7 * DAY));
        assert_eq!(seconds(standard.estimated_delivery), Some(3 * DAY));
        assert_eq!(standard.cancel_cutoff(), v1::CancelCutoff::Dispatch);
        assert_eq!(standard.attention_after, 5);
        assert_eq!(standard.retry, standard.payment_retry);
        let retry = standard.retry.unwrap();
        assert_eq!((retry.max_attempts, retry.backoff_coefficient), (3, 2.0));
        assert_eq!(seconds(retry.initial_interval), Some(1));
        assert_eq!(seconds(retry.max_interval), Some(60));

        let pre_order = shown("pre-order");
        assert!(pre_order.hold && pre_order.pickup_required && !pre_order.fraud_check);
        assert_eq!(seconds(pre_order.release_grace_period), Some(7 * DAY));
        assert_eq!(seconds(pre_order.pickup_reminder_interval), Some(DAY));
        assert_eq!(pre_order.approval_threshold_units, None);
        assert_eq!(
            seconds(pre_order.payment_retry.unwrap().initial_interval),
            Some(2)
        );
        assert_eq!(seconds(pre_order.retry.unwrap().initial_interval), Some(1));

        let external = shown("external-payment");
        assert_eq!(external.payment_mode(), v1::PaymentMode::External);
        assert_eq!(seconds(external.payment_timeout), Some(DAY));
    }
}
