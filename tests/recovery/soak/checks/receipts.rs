//! I5: money from outside.

use super::super::{
    books::Entry,
    send::{Answer, Asked},
};
use orders::v1::signal_order_request::{Command, ConfirmPayment};
use orders_domain::event::Change;

/// I5: each acknowledged confirmation has exactly one receipt, or was refused in the log for its currency. No
/// receipt is without a confirmation, and the receipts are what the journal and the order hold.
pub fn i5_money_from_outside_is_received_once(
    entry: &Entry,
    asked: &[(Asked, Answer)],
    name: &str,
) {
    let confirmed = |(asked, answer): &(Asked, Answer)| match &asked.command {
        Command::ConfirmPayment(payment) => Some((payment.clone(), asked.by_signal, *answer)),
        _ => None,
    };
    let confirmed: Vec<(ConfirmPayment, bool, Answer)> =
        asked.iter().filter_map(confirmed).collect();
    for (payment, by_signal, answer) in &confirmed {
        let receipts = entry.receipts.iter();
        let count = receipts.filter(|one| is_of(one, payment)).count();
        assert!(count <= 1, "{name}: I5: {payment:?} was received twice");
        if *answer == Answer::Refused || count == 1 {
            continue;
        }
        // A signal is acknowledged before anybody looks at its currency.
        let refused = entry.events.iter().any(|event| {
            matches!(&event.change, Change::PaymentRefused { transaction_id, .. }
                if *transaction_id == payment.transaction_id)
        });
        let is_foreign = currency(payment) != entry.order.total.currency;
        assert!(
            *by_signal && is_foreign && refused,
            "{name}: I5: {payment:?} was acknowledged and left no receipt"
        );
    }
    for receipt in &entry.receipts {
        let mut known = confirmed.iter();
        let known = known.any(|(payment, ..)| is_of(receipt, payment));
        assert!(known, "{name}: I5: nobody confirmed {receipt:?}");
    }
    let sum = |of: fn(&(String, i64, i64)) -> i64| entry.receipts.iter().map(of).sum::<i64>();
    let received = &entry.order.payment.received;
    assert_eq!(
        (received.count as usize, received.amount, received.surplus),
        (
            entry.receipts.len(),
            sum(|(_, amount, _)| *amount),
            sum(|(_, amount, counted)| amount - counted)
        ),
        "{name}: I5: the order and its receipts"
    );
    let journal = entry.movements.iter().filter(|(kind, _)| kind == "CONFIRM");
    let journal: i64 = journal.map(|(_, amount)| amount).sum();
    let counted = sum(|(_, _, counted)| *counted);
    assert_eq!(counted, journal, "{name}: I5: the journal and the receipts");
}

/// Whether a receipt is the one of this confirmation.
fn is_of((transaction_id, amount, _): &(String, i64, i64), payment: &ConfirmPayment) -> bool {
    let money = payment.amount.as_ref().expect("an amount");
    let minor = money.units * 100 + i64::from(money.nanos) / 10_000_000;
    *transaction_id == payment.transaction_id && *amount == minor && currency(payment) == "USD"
}

fn currency(payment: &ConfirmPayment) -> &str {
    let money = payment.amount.as_ref().expect("an amount");
    &money.currency_code
}
