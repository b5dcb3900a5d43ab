//! Checking the whole store against its own rules: money, stock, logs, requests, messages.
//!
//! Reads only, in pages, each page in one snapshot, so that it may run beside a server for as long as
//! it takes. Whatever looks wrong is read once more before it is said.
//!
//! # Layout
//! - `finding`: what can be wrong, in words
//! - `dossier`: everything that is kept of an order, read at one moment
//! - `log`, `money`, `receipts`, `reservations`, `shipment`, `messages`, `requests`: the rules of one order, pure
//! - `shelf`: the rules of one sku
//! - `strays`: rows that belong to nothing
//! - `pages`: going over all of it
//! - `temporal`: what a comparison with Temporal asks of the store

mod dossier;
pub mod finding;
mod log;
mod messages;
mod money;
mod pages;
mod receipts;
mod requests;
mod reservations;
mod shelf;
mod shipment;
mod strays;
pub mod temporal;

#[cfg(test)]
mod tests;

pub use finding::{Check, Finding, Severity};
pub use pages::Counts;

use super::{Store, StoreError, Tx};
use dossier::Dossier;
use finding::Findings;
use orders_domain::{effect::Effect, order::Order, step::Step};
use sqlx::Executor as _;

impl Store {
    /// A moment of the database, for reading.
    async fn snapshot(&self) -> Result<Tx, StoreError> {
        let (begin, patience) = self.dialect.begin_snapshot();
        let mut snapshot = Tx::begin(&self.readers, begin, None).await?;
        snapshot.execute(patience).await?;
        Ok(snapshot)
    }
}

/// Everything that is wrong with one order.
fn check_order(dossier: &Dossier) -> Vec<Finding> {
    let mut findings = Findings::of_order(&dossier.order_id);
    let order = match &dossier.document {
        Ok(order) => order,
        Err(error) => {
            findings.add(Check::Unreadable, format!("its document: {error}"));
            return findings.list;
        }
    };
    log::check(dossier, order, &mut findings);
    money::check(dossier, order, &mut findings);
    receipts::check(dossier, order, &mut findings);
    reservations::check(dossier, order, &mut findings);
    shipment::check(dossier, order, &mut findings);
    messages::check(dossier, &mut findings);
    requests::check(dossier, &mut findings);
    findings.list
}

/// Whether an order that is not over does not know what became of an effect of such a step: the answer was lost, and
/// the tables of the provider may be ahead of it.
fn is_unsure(order: &Order, of: impl Fn(Step) -> bool) -> bool {
    let of = |effect: Effect| of(effect.step);
    let lost = order.unknown.iter().any(|effect| of(*effect));
    let failing = order.faults.iter().any(|fault| of(fault.effect));
    let asked = order.in_flight.is_some_and(of);
    !order.is_over() && (lost || failing || asked)
}
