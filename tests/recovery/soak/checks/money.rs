//! I1 and I2: the money.

use super::super::{books::Entry, play::Played};
use orders::{google::r#type::Money, v1::OrderState};
use orders_domain::state;

fn sum(entry: &Entry, kinds: &[&str]) -> i64 {
    let movements = entry.movements.iter();
    let of_kind = movements.filter(|(kind, _)| kinds.contains(&kind.as_str()));
    of_kind.map(|(_, amount)| amount).sum()
}

/// I1: by the journal, by the order and by the API, what was captured and not given back is the total
/// of a completed order, and nothing of any other. Nothing is only held, either.
pub fn i1_what_is_kept_is_the_total_or_nothing(entry: &Entry, played: &Played, name: &str) {
    let captured = sum(entry, &["CHARGE", "CAPTURE", "CONFIRM"]);
    let refunded = sum(entry, &["REFUND"]);
    let total = played.plan.cents();
    assert_eq!(entry.order.total.minor, total, "{name}: total");
    let completed = entry.order.state == state::OrderState::Completed;
    let kept = if completed { total } else { 0 };
    assert_eq!(
        captured - refunded,
        kept,
        "{name}: I1: {:?}",
        entry.movements
    );
    assert!(!completed || refunded == 0, "{name}: I1: refunded");
    if captured == 0 {
        let held = sum(entry, &["AUTHORIZE"]) - sum(entry, &["VOID"]);
        assert_eq!(held, 0, "{name}: I1: still held");
    }
    let payment = &entry.order.payment;
    let known = (payment.captured, payment.refunded);
    assert_eq!(known, (captured, refunded), "{name}: I1: the order's sums");
    let shown = played.order.payment.as_ref().unwrap();
    let cents = |money: &Option<Money>| {
        let money = money.as_ref();
        money.map_or(0, |m| m.units * 100 + i64::from(m.nanos) / 10_000_000)
    };
    let shown = (cents(&shown.captured_amount), cents(&shown.refunded_amount));
    assert_eq!(shown, known, "{name}: I1: the API's sums");
    let complete = played.order.state() == OrderState::Completed;
    assert_eq!(complete, completed, "{name}: the API's state");
}

/// I2: at most one capture, whatever was retried, repeated or killed.
pub fn i2_captured_once(entry: &Entry, name: &str) {
    let count = |kinds: &[&str]| {
        let movements = entry.movements.iter();
        movements
            .filter(|(kind, _)| kinds.contains(&kind.as_str()))
            .count()
    };
    assert!(
        count(&["CHARGE", "CAPTURE", "CONFIRM"]) <= 1,
        "{name}: I2: {:?}",
        entry.movements
    );
    assert!(
        count(&["AUTHORIZE"]) <= 1,
        "{name}: I2: {:?}",
        entry.movements
    );
    assert!(count(&["REFUND"]) <= 1, "{name}: I2: {:?}", entry.movements);
}
