//! Money that arrived from outside, as ConfirmPayment reports it. It is a fact: what an order does not ask for is
//! recorded as a surplus, which is due to the payer.

use super::{money::Money, order::Order, policy::PaymentMode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most receipts of one order.
pub const MOST_RECEIPTS: u32 = 1_000;

/// The most refused confirmations of one order that are recorded one by one.
pub const MOST_REFUSED: u32 = 100;

/// What arrived from outside for an order, in minor units of its total.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// How many receipts there are.
    pub count: u32,
    /// The sum of all receipts.
    pub amount: i64,
    /// The part of it that the order did not ask for. It is due to the payer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub surplus: i64,
    /// How many confirmations were refused or disputed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub questioned: u32,
    /// The newest of these, in words for operators.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub question: String,
    /// When the first receipt or question came that did not match what the order asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Received {
    /// Whether nothing was ever reported.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

fn is_zero(amount: &i64) -> bool {
    *amount == 0
}

fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Order {
    /// Whether the money of an order that is paid outside has arrived in full.
    pub fn is_paid_outside(&self) -> bool {
        self.policy.payment == PaymentMode::External && self.payment.captured >= self.total.minor
    }

    /// The part of a receipt of `amount` that counts towards the total. The rest is surplus.
    pub fn countable(&self, amount: i64) -> i64 {
        if self.policy.payment != PaymentMode::External || self.ending.is_some() {
            return 0;
        }
        amount.min(self.total.minor - self.payment.captured).max(0)
    }

    /// What is still missing, where a part of the total has arrived and the rest is awaited.
    pub fn missing(&self) -> Option<Money> {
        let missing = self.countable(i64::MAX);
        (missing > 0 && self.payment.captured > 0).then(|| self.money(missing))
    }

    /// An amount in the currency of the order.
    pub fn money(&self, minor: i64) -> Money {
        Money::new(&self.total.currency, minor)
    }

    /// Since when money from outside does not match what the order asks for; none while it does.
    pub fn unmatched_since(&self) -> Option<Timestamp> {
        let received = &self.payment.received;
        let unmatched = received.surplus > 0 || received.questioned > 0 || self.missing().is_some();
        received.since.filter(|_| unmatched)
    }

    /// Folds in a receipt of `amount`, of which `counted` is for the order.
    pub(super) fn receive(&mut self, amount: i64, counted: i64, now: Timestamp) {
        let received = &mut self.payment.received;
        received.count = received.count.saturating_add(1);
        received.amount = received.amount.saturating_add(amount);
        received.surplus = received.surplus.saturating_add(amount - counted);
        self.look_for_unmatched(now);
    }

    /// Folds in a confirmation that was refused, or that another payment contradicts.
    pub(super) fn question(&mut self, question: String, now: Timestamp) {
        let received = &mut self.payment.received;
        received.questioned = received.questioned.saturating_add(1);
        received.question = question;
        self.look_for_unmatched(now);
    }

    fn look_for_unmatched(&mut self, now: Timestamp) {
        self.payment.received.since.get_or_insert(now);
        self.payment.received.since = self.unmatched_since();
    }
}
