//! What is reserved for an order, by the inventory and as the order knows it.

use super::{
    dossier::Dossier,
    finding::{Check, Findings},
    is_unsure,
};
use orders_domain::{order::Order, state::ReservationState, step::Step};
use std::collections::BTreeMap;

pub(super) fn check(dossier: &Dossier, order: &Order, findings: &mut Findings<'_>) {
    if order.state.is_closed() {
        for row in &dossier.reservations {
            if row.state == "RESERVED" {
                let wrong = format!("{} of {} are still reserved", row.quantity, row.sku);
                findings.add(Check::ReservationLeft, wrong);
            }
        }
    }
    let of_stock = |step| {
        let undo = Step::ReleaseReservation;
        [Step::ReserveInventory, Step::CommitReservation, undo].contains(&step)
    };
    if is_unsure(order, of_stock) {
        return;
    }
    let mut kept: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for row in &dossier.reservations {
        *kept.entry((&row.sku, &row.state)).or_default() += row.quantity;
    }
    let mut known: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let held = match order.reservation.state {
        ReservationState::None | ReservationState::Unavailable => None,
        state => Some(state.as_str()),
    };
    for item in &order.line_items {
        if let Some(state) = held {
            *known.entry((&item.sku, state)).or_default() += item.quantity;
        }
    }
    if kept != known {
        findings.add(
            Check::ReservationKnown,
            format!("the inventory holds {kept:?}, the order knows of {known:?}"),
        );
    }
}
