//! What an order did to the world, in a form that is the same however often it was interrupted.

use super::table::Row;
use crate::recovery::soak::books::Books;
use orders_domain::event::Change;
use std::collections::BTreeMap;

/// The effects of one order. Times, ids and failed attempts are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// State and reason of the end.
    pub end: String,
    /// The order's own sums: captured and refunded.
    pub sums: (i64, i64),
    /// The movements of its money.
    pub movements: Vec<(String, i64)>,
    /// Pieces and states of its reservations.
    pub reservations: Vec<(i64, String)>,
    /// State and address of its shipment.
    pub shipment: Option<(String, String)>,
    /// What was undone, and how that ended.
    pub undone: Vec<String>,
    /// Its log, without failed attempts.
    pub log: Vec<&'static str>,
    /// What people were told.
    pub told: Vec<String>,
}

impl Effects {
    /// Whether this is an undone order: no money kept, nothing reserved or sent.
    pub fn is_undone(&self) -> bool {
        let moved = |kinds: &[&str]| -> i64 {
            let movements = self.movements.iter();
            let of_kind = movements.filter(|(kind, _)| kinds.contains(&kind.as_str()));
            of_kind.map(|(_, amount)| amount).sum()
        };
        let captured = moved(&["CHARGE", "CAPTURE", "CONFIRM"]);
        let held = moved(&["AUTHORIZE"]);
        captured == moved(&["REFUND"])
            && (captured > 0 || held == moved(&["VOID"]))
            && self.sums.0 == self.sums.1
            && self
                .reservations
                .iter()
                .all(|(_, state)| state == "RELEASED")
            && self.shipment.iter().all(|(state, _)| state == "CANCELLED")
    }

    /// Whether something happened more often than in `other`, or more often than it ever may.
    pub fn is_double(&self, other: &Effects) -> bool {
        let mut kinds: Vec<&str> = self
            .movements
            .iter()
            .map(|(kind, _)| kind.as_str())
            .collect();
        let count = kinds.len();
        kinds.dedup();
        let mut log = self.log.clone();
        log.sort_unstable();
        log.dedup();
        let times = |of: &Effects, kind: &str| of.log.iter().filter(|each| **each == kind).count();
        kinds.len() < count
            || self.reservations.len() > other.reservations.len().max(1)
            || self.undone.len() > other.undone.len().max(4)
            || self.told.len() > other.told.len().max(self.log.len())
            || (self.end == other.end
                && log
                    .iter()
                    .any(|kind| times(self, kind) > times(other, kind)))
    }

    /// Compares with what should have come of it.
    pub fn compare(&self, expected: &Effects, name: &str, row: &mut Row) {
        if self == expected {
            return;
        }
        let finding = format!("{name}: {self:?} instead of {expected:?}");
        match self.is_double(expected) {
            true => row.double.push(finding),
            false => row.wrong.push(finding),
        }
    }
}

/// The effects of every order, by its id.
pub async fn of_all(books: &Books) -> BTreeMap<String, Effects> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, milestone) in books.milestones().await {
        told.entry(id).or_default().push(milestone);
    }
    let entries = books.entries().await.into_iter();
    let effects = entries.map(|(id, entry)| {
        let order = &entry.order;
        let reason = order.close_reason();
        let mut movements = entry.movements;
        movements.sort();
        let mut log = entry.events.iter();
        let mut reservations = entry.reservations.into_iter();
        let effects = Effects {
            end: format!("{} {reason:?}", order.state),
            sums: (order.payment.captured, order.payment.refunded),
            movements,
            reservations: reservations
                .by_ref()
                .map(|(_, pieces, state)| (pieces, state))
                .collect(),
            shipment: entry.shipment,
            undone: order
                .compensations
                .iter()
                .map(|undone| format!("{} {}", undone.effect, undone.outcome))
                .collect(),
            log: log
                .by_ref()
                .filter(|event| !matches!(event.change, Change::AttemptFailed { .. }))
                .map(|event| event.change.type_name())
                .collect(),
            told: told.remove(&id).unwrap_or_default(),
        };
        (id, effects)
    });
    effects.collect()
}
