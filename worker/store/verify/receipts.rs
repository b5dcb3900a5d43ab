//! The money from outside: each transaction pays one order, none is the provider's, and the receipts add up.

use super::{
    dossier::{Dossier, Elsewhere},
    finding::{Check, Findings},
};
use orders_domain::{
    movement::{EntryPhase, MovementKind},
    order::Order,
};
use std::collections::BTreeMap;

pub(super) fn check(dossier: &Dossier, order: &Order, findings: &mut Findings<'_>) {
    check_sums(dossier, order, findings);
    check_owners(dossier, findings);
    for dispute in &dossier.disputes {
        let Elsewhere {
            transaction_id,
            other_order_id,
        } = dispute;
        let wrong = format!(
            "{transaction_id} was confirmed by a caller, and the payment provider answered it for order {other_order_id}"
        );
        findings.add(Check::PaymentDisputed, wrong);
    }
    for shared in &dossier.shared {
        let Elsewhere {
            transaction_id,
            other_order_id,
        } = shared;
        let wrong = format!(
            "the payment provider answered {transaction_id} for this order and for order {other_order_id}"
        );
        findings.add(Check::PaymentTaken, wrong);
    }
    if order.payment.received.surplus > 0 {
        let surplus = order.money(order.payment.received.surplus);
        findings.add(
            Check::PaymentSurplus,
            format!("{surplus} from outside is due to the payer"),
        );
    }
}

/// The receipts, the journal and the order hold the same sums.
fn check_sums(dossier: &Dossier, order: &Order, findings: &mut Findings<'_>) {
    let sum = |of: fn(&super::dossier::ReceiptRow) -> i64| -> i128 {
        dossier.receipts.iter().map(|row| i128::from(of(row))).sum()
    };
    let confirmed = dossier.entries.iter().filter(|entry| is_confirmed(entry));
    let confirmed: i128 = confirmed.map(|entry| i128::from(entry.amount)).sum();
    let received = &order.payment.received;
    let counted = sum(|row| row.counted);
    findings.compare(
        Check::PaymentReceipts,
        &[
            (
                "the count of receipts",
                dossier.receipts.len().to_string(),
                received.count.to_string(),
            ),
            (
                "the sum of the receipts",
                sum(|row| row.amount).to_string(),
                received.amount.to_string(),
            ),
            (
                "what counts of the receipts",
                counted.to_string(),
                confirmed.to_string(),
            ),
            (
                "what is left of the receipts",
                sum(|row| row.amount - row.counted).to_string(),
                received.surplus.to_string(),
            ),
        ],
    );
    for row in &dossier.receipts {
        if row.currency != order.total.currency {
            let (id, currency) = (&row.transaction_id, &row.currency);
            findings.add(
                Check::PaymentReceipts,
                format!(
                    "{id} is in {currency}, and the order in {}",
                    order.total.currency
                ),
            );
        }
    }
}

/// Each confirmed movement has the receipt of this order, and each receipt pays once.
fn check_owners(dossier: &Dossier, findings: &mut Findings<'_>) {
    let mut left: BTreeMap<&str, i64> = BTreeMap::new();
    for row in dossier.receipts.iter().filter(|row| row.counted > 0) {
        left.insert(&row.transaction_id, row.counted);
    }
    for entry in dossier.entries.iter().filter(|entry| is_confirmed(entry)) {
        let id = entry.transaction_id.as_deref().unwrap_or_default();
        match left.remove(id) {
            Some(counted) if counted == entry.amount => {}
            Some(counted) => findings.add(
                Check::PaymentReceipts,
                format!(
                    "{id} counts for {counted}, and the journal says {}",
                    entry.amount
                ),
            ),
            None => findings.add(
                Check::PaymentTaken,
                format!("{id} pays this order without a receipt of its own, or twice"),
            ),
        }
    }
    for id in left.keys() {
        findings.add(
            Check::PaymentReceipts,
            format!("{id} counts, and the journal does not have it"),
        );
    }
}

fn is_confirmed(entry: &super::dossier::EntryRow) -> bool {
    entry.kind == MovementKind::Confirm.as_str() && entry.phase == EntryPhase::Succeeded.as_str()
}
