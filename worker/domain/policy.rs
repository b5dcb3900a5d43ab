//! Policies: which phases an order goes through, with which numbers. Data, not code: the presets
//! are a TOML file, and operators add more of the same form (see [`book`]).

pub mod book;
mod check;

use crate::named;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One way of processing orders. Copied into each order when it is placed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Unique name, as in `PlaceOrder.policy`.
    pub name: String,
    /// One sentence for people.
    #[serde(default)]
    pub description: String,
    /// Whether the fraud check runs before anything else.
    #[serde(default)]
    pub fraud_check: bool,
    /// In which order stock and money are secured.
    pub secure: SecureOrder,
    /// How the money is taken.
    pub payment: PaymentMode,
    /// How long to wait for ConfirmPayment (`EXTERNAL` only).
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    pub payment_timeout: Option<Duration>,
    /// Orders strictly above this many whole units of their own currency need a review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_above: Option<i64>,
    /// How long to wait for ReviewOrder; then the order is rejected.
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    pub approval_timeout: Option<Duration>,
    /// Hold the order until StartFulfillment, at most this long after its release time; then it
    /// is cancelled. None: no hold.
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    pub release_grace: Option<Duration>,
    /// Whether the carrier fetches the parcel, to be confirmed by ConfirmPickup. None: it is
    /// dispatched at once. The duration is the time between reminders.
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    pub pickup_reminder: Option<Duration>,
    /// When a shipped order counts as delivered.
    pub delivery: DeliveryMode,
    /// How long after shipping an order counts as delivered (`AUTO_AFTER` only).
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    pub delivery_after: Option<Duration>,
    /// Where the parcel is made ready and dispatched.
    #[serde(default, skip_serializing_if = "ShippingMode::is_inline")]
    pub shipping: ShippingMode,
    /// How long after shipping the delivery is expected.
    #[serde(default = "three_days", with = "humantime_serde")]
    pub estimated_delivery: Duration,
    /// Until when CancelOrder is accepted.
    pub cancel_until: CancelCutoff,
    /// How failed steps are repeated.
    pub retry: RetryPolicy,
    /// How failed payment steps are repeated, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_retry: Option<RetryPolicy>,
    /// How failed steps of the shipping lane are repeated, where that differs (`LANE` only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_retry: Option<RetryPolicy>,
    /// How long one attempt of a step may take. A provider that has not answered by then counts as
    /// failed, with an unknown outcome.
    #[serde(
        default = "one_second",
        skip_serializing_if = "is_one_second",
        with = "humantime_serde"
    )]
    pub attempt_timeout: Duration,
    /// How long the inventory keeps a reservation, where it does not keep it for ever. A promise of
    /// the inventory, not of ours: a policy whose waits may last longer is refused.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "humantime_serde"
    )]
    pub reservation_expiry: Option<Duration>,
    /// How long the payment provider holds an authorization (`AUTHORIZE_CAPTURE` only). A promise of
    /// the provider: a policy whose waits may last longer is refused.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "humantime_serde"
    )]
    pub authorization_expiry: Option<Duration>,
    /// After how many failed attempts of one step the order asks for attention.
    #[serde(default = "five")]
    pub attention_after: u32,
    /// Where short steps run. Part of the snapshot because it must not change for an order in
    /// flight: Temporal's history would not replay.
    #[serde(default)]
    pub lane: Lane,
}

named! {
    /// In which order stock and money are secured.
    SecureOrder {
        /// Stock first.
        ReserveThenPay = "RESERVE_THEN_PAY",
        /// Money first.
        PayThenReserve = "PAY_THEN_RESERVE",
        /// No stock is kept for these orders.
        PayOnly = "PAY_ONLY",
    }
}

named! {
    /// How the money is taken.
    PaymentMode {
        /// Taken at once.
        Sale = "SALE",
        /// Held at once, taken when fulfilment starts.
        AuthorizeCapture = "AUTHORIZE_CAPTURE",
        /// Paid elsewhere; ConfirmPayment says so.
        External = "EXTERNAL",
    }
}

named! {
    /// When a shipped order counts as delivered.
    DeliveryMode {
        /// When ConfirmDelivery says so.
        Confirm = "CONFIRM",
        /// After a fixed time, or earlier by ConfirmDelivery.
        AutoAfter = "AUTO_AFTER",
        /// At once.
        OnShip = "ON_SHIP",
    }
}

named! {
    /// Where the parcel is made ready and dispatched.
    ShippingMode {
        /// By the order's own workflow.
        Inline = "INLINE",
        /// By a child workflow on the shipping task queue, which prepares the package first.
        Lane = "LANE",
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the macro that writes the enum has no place for a default"
)]
impl Default for ShippingMode {
    fn default() -> Self {
        Self::Inline
    }
}

impl ShippingMode {
    fn is_inline(&self) -> bool {
        *self == Self::Inline
    }
}

named! {
    /// Until when CancelOrder is accepted.
    CancelCutoff {
        /// Until fulfilment starts.
        Fulfillment = "FULFILLMENT",
        /// Until the carrier has the parcel.
        Dispatch = "DISPATCH",
    }
}

/// Where short steps run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Lane {
    /// As local activities, in the process of the worker: for providers that do not leave it.
    #[default]
    Local,
    /// As regular activities, scheduled by Temporal: for calls that leave the process.
    Regular,
}

/// How failed attempts of a step are repeated. Only a provider's answer, or its silence, is an
/// attempt; an error of our own database never is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// Attempts in all; 0 means without limit.
    pub max_attempts: u32,
    /// Wait before the second attempt.
    #[serde(with = "humantime_serde")]
    pub initial_interval: Duration,
    /// Factor from one wait to the next; 1 keeps it flat.
    pub backoff: f64,
    /// Longest wait.
    #[serde(with = "humantime_serde")]
    pub max_interval: Duration,
}

impl RetryPolicy {
    /// The wait after `attempts` failed ones (1 or more).
    pub fn wait_after(&self, attempts: u32) -> Duration {
        let factor = self
            .backoff
            .powi(attempts.saturating_sub(1).min(1_000) as i32);
        let wait = self.initial_interval.as_secs_f64() * factor;
        // `wait` may be infinite; the comparison is what keeps it from the conversion.
        if wait < self.max_interval.as_secs_f64() {
            Duration::from_secs_f64(wait)
        } else {
            self.max_interval
        }
    }

    /// Whether no attempt is left after `attempts` failed ones.
    pub fn is_exhausted(&self, attempts: u32) -> bool {
        self.max_attempts != 0 && attempts >= self.max_attempts
    }
}

impl Policy {
    /// Whether stock is reserved for these orders.
    pub fn reserves(&self) -> bool {
        self.secure != SecureOrder::PayOnly
    }

    /// Whether the order is held for its release time.
    pub fn holds(&self) -> bool {
        self.release_grace.is_some()
    }
}

fn three_days() -> Duration {
    Duration::from_secs(3 * 24 * 3600)
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn is_one_second(duration: &Duration) -> bool {
    *duration == one_second()
}

fn five() -> u32 {
    5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let retry = RetryPolicy {
            max_attempts: 5,
            initial_interval: Duration::from_secs(1),
            backoff: 2.0,
            max_interval: Duration::from_secs(30),
        };
        let waits: Vec<u64> = (1..=7).map(|n| retry.wait_after(n).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(retry.wait_after(u32::MAX), Duration::from_secs(30));
        assert!(!retry.is_exhausted(4));
        assert!(retry.is_exhausted(5));
    }
}
