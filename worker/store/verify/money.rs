//! The money of an order: the journal, the sums and what the order knows are one.

use super::{
    dossier::{Dossier, EntryRow},
    finding::{Check, Findings},
    is_unsure,
};
use orders_domain::{
    movement::{Entry, EntryPhase, Journal},
    order::Order,
    state::{OrderState, VouchState},
    step::{CompensationOutcome, Step},
};

/// What has moved, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    authorized: i128,
    captured: i128,
    refunded: i128,
    voided: bool,
}

pub(super) fn check(dossier: &Dossier, order: &Order, findings: &mut Findings<'_>) {
    let Some(row) = &dossier.payment else {
        findings.add(Check::PaymentRow, "it has no payment".to_owned());
        return;
    };
    findings.compare(
        Check::PaymentRow,
        &[
            (
                "payment_id",
                row.payment_id.clone(),
                order.payment.payment_id.clone(),
            ),
            (
                "currency",
                row.currency.clone(),
                order.total.currency.clone(),
            ),
        ],
    );
    let sums = Sums {
        authorized: row.authorized.into(),
        captured: row.captured.into(),
        refunded: row.refunded.into(),
        voided: row.voided,
    };
    let journal = sum(&dossier.entries);
    if sums != journal {
        findings.add(
            Check::PaymentSums,
            format!("the payment says {sums:?}, its journal {journal:?}"),
        );
    }
    if !(sums.authorized >= sums.captured && sums.captured >= sums.refunded && sums.refunded >= 0) {
        findings.add(Check::PaymentOrder, format!("{sums:?}"));
    }
    check_entries(dossier, findings);
    match (row.has_token, order.needs_payment_token()) {
        (true, false) => {
            let wrong = "its payment token is kept, and nothing will be asked with it".to_owned();
            findings.add(Check::PaymentToken, wrong);
        }
        (false, true) => {
            let wrong = "its payment token is missing, so it cannot be paid".to_owned();
            findings.add(Check::PaymentToken, wrong);
        }
        _ => {}
    }
    let known = known(order);
    if sums != known && !is_unsure(order, Step::is_payment) {
        findings.add(
            Check::PaymentKnown,
            format!("the payment says {sums:?}, the order {known:?}"),
        );
    }
    check_vouched(order, findings);
    if order.is_over() {
        check_open(&dossier.entries, findings);
        check_closed(order, journal, findings);
    }
}

/// The movements that happened, as far as anybody knows.
fn moved(entries: &[EntryRow]) -> impl Iterator<Item = &EntryRow> {
    let refuted = entries
        .iter()
        .filter(|entry| entry.phase == EntryPhase::Refuted.as_str());
    let refuted: Vec<&str> = refuted.map(|entry| entry.key.as_str()).collect();
    let moved = entries.iter().filter(|entry| entry.moved());
    moved.filter(move |entry| !refuted.contains(&entry.key.as_str()))
}

fn sum(entries: &[EntryRow]) -> Sums {
    let mut sums = Sums::default();
    for entry in moved(entries) {
        let amount = i128::from(entry.amount);
        match entry.kind.as_str() {
            "AUTHORIZE" => sums.authorized += amount,
            "CAPTURE" => sums.captured += amount,
            "CHARGE" | "CONFIRM" => {
                sums.authorized += amount;
                sums.captured += amount;
            }
            "REFUND" => sums.refunded += amount,
            "VOID" => sums.voided |= amount > 0,
            _ => {}
        }
    }
    sums
}

impl EntryRow {
    fn moved(&self) -> bool {
        self.phase == EntryPhase::Succeeded.as_str()
    }
}

/// What persons said of the money, and no provider.
fn check_vouched(order: &Order, findings: &mut Findings<'_>) {
    for vouched in &order.vouched {
        let named = match vouched.transaction_id.as_str() {
            "" => String::new(),
            id => format!(" as {id}"),
        };
        let said = format!(
            "{} vouched at {} that {} {}{named}",
            vouched.actor, vouched.time, vouched.effect, vouched.outcome
        );
        match vouched.state {
            VouchState::Confirmed => {}
            VouchState::ByHand => findings.add(
                Check::RefundByHand,
                format!("{said}: the provider had refused"),
            ),
            VouchState::Unconfirmed => findings.add(
                Check::PaymentVouched,
                format!("{said}: the provider has not confirmed it"),
            ),
            VouchState::Contradicted => findings.add(
                Check::PaymentVouched,
                format!("{said}: the provider says the contrary"),
            ),
        }
    }
}

/// A closed order knows what became of each of its movements.
fn check_open(entries: &[EntryRow], findings: &mut Findings<'_>) {
    let entries = entries.iter().filter_map(|entry| {
        Some(Entry {
            key: entry.key.clone(),
            kind: entry.kind.parse().ok()?,
            phase: entry.phase.parse().ok()?,
            amount: entry.amount,
            transaction_id: entry.transaction_id.clone(),
        })
    });
    let journal = Journal {
        entries: entries.collect(),
    };
    for entry in journal.open() {
        let wrong = format!("nobody knows what became of {} ({})", entry.key, entry.kind);
        findings.add(Check::PaymentOpen, wrong);
    }
}

/// What the order's own log says.
fn known(order: &Order) -> Sums {
    let mut undone = order.compensations.iter();
    let payment = &order.payment;
    Sums {
        authorized: payment.authorized.into(),
        captured: payment.captured.into(),
        refunded: payment.refunded.into(),
        voided: undone.any(|entry| {
            entry.effect.step == Step::VoidAuthorization
                && entry.outcome == CompensationOutcome::Done
        }),
    }
}

fn check_entries(dossier: &Dossier, findings: &mut Findings<'_>) {
    let prefix = format!("{}/", dossier.order_id);
    for entry in &dossier.entries {
        if !entry.key.starts_with(&prefix) {
            let key = &entry.key;
            findings.add(
                Check::PaidTwice,
                format!("the key {key} is not of this order"),
            );
        }
    }
    // Money from outside may come in parts: the receipts say whether each of them came once.
    let kinds: [(&str, &[&str]); 4] = [
        ("taken", &["CAPTURE", "CHARGE"]),
        ("authorized", &["AUTHORIZE", "CHARGE"]),
        ("refunded", &["REFUND"]),
        ("voided", &["VOID"]),
    ];
    for (word, kinds) in kinds {
        let moved = moved(&dossier.entries).filter(|entry| kinds.contains(&entry.kind.as_str()));
        let keys: Vec<&str> = moved.map(|entry| entry.key.as_str()).collect();
        if keys.len() > 1 {
            findings.add(
                Check::PaidTwice,
                format!("{word} more than once: {}", keys.join(", ")),
            );
        }
    }
}

/// What is kept of a completed order is its total; of any other nothing, and nothing is held.
fn check_closed(order: &Order, journal: Sums, findings: &mut Findings<'_>) {
    let total = i128::from(order.total.minor);
    let owed = match order.state {
        OrderState::Completed => total,
        _ => 0,
    };
    let kept = journal.captured - journal.refunded;
    if kept != owed {
        findings.add(
            Check::PaymentBalance,
            format!(
                "{} is kept of a {} order, should be {owed} (minor units of {})",
                kept, order.state, order.total.currency
            ),
        );
    }
    if journal.captured == 0 && journal.authorized > 0 && !journal.voided {
        let held = journal.authorized;
        findings.add(
            Check::PaymentBalance,
            format!("{held} is still held for a closed order"),
        );
    }
}
