//! Going over the whole store, a page at a time.

use super::{
    super::{Store, StoreError},
    check_order, dossier,
    finding::{Check, Finding},
    shelf, strays,
};
use jiff::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// Orders read at once: each with its events, so not many.
const ORDERS: i64 = 100;

/// Skus read at once; each page goes over all reservations.
const SKUS: i64 = 2_000;

/// Requests read at once.
const REQUESTS: i64 = 2_000;

/// Before what looks wrong is read again.
const AGAIN: Duration = Duration::from_millis(100);

/// A log that does not move for so long is held back: transactions of our own end before.
const HELD: Duration = Duration::from_secs(5);

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Orders.
    pub orders: u64,
    /// Of them, those that are open.
    pub open_orders: u64,
    /// Their events.
    pub events: u64,
    /// The movements of their money.
    pub payment_entries: u64,
    /// Stock items.
    pub skus: u64,
    /// Remembered requests.
    pub requests: u64,
}

impl Store {
    /// Checks everything, and tells of each finding. `now` is the clock on the wall.
    ///
    /// # Errors
    /// When the database cannot be read; what was found until then was told.
    pub async fn verify(
        &self,
        now: Timestamp,
        mut each: impl FnMut(Finding),
    ) -> Result<Counts, StoreError> {
        let mut counts = Counts::default();
        self.verify_orders(&mut counts, &mut each).await?;
        self.verify_stock(now, &mut counts, &mut each).await?;
        let mut after = String::new();
        while let Some((last, read)) =
            strays::check_requests(self, &after, REQUESTS, &mut each).await?
        {
            counts.requests += read;
            after = last;
        }
        self.strays(&mut each).await?;
        if let Some(held) = self.log_held(HELD).await? {
            each(Finding::about(Check::LogHeld, held.to_string()));
        }
        Ok(counts)
    }

    async fn verify_orders(
        &self,
        counts: &mut Counts,
        each: &mut impl FnMut(Finding),
    ) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let mut snapshot = self.snapshot().await?;
            let which = dossier::Which::After(&after, ORDERS);
            let page = dossier::read(&mut snapshot, which).await?;
            drop(snapshot);
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.order_id);
            for dossier in &page {
                counts.orders += 1;
                counts.open_orders += u64::from(dossier.columns.close_time.is_none());
                counts.events += dossier.events.len() as u64;
                counts.payment_entries += dossier.entries.len() as u64;
                if !check_order(dossier).is_empty() {
                    let again = self.check_again(&dossier.order_id).await?;
                    again.into_iter().for_each(&mut *each);
                }
            }
        }
    }

    /// What is still wrong with an order a moment later.
    async fn check_again(&self, order_id: &str) -> Result<Vec<Finding>, StoreError> {
        tokio::time::sleep(AGAIN).await;
        let mut snapshot = self.snapshot().await?;
        let which = dossier::Which::Only(order_id);
        let read = dossier::read(&mut snapshot, which).await?;
        Ok(read.iter().flat_map(check_order).collect())
    }

    async fn verify_stock(
        &self,
        now: Timestamp,
        counts: &mut Counts,
        each: &mut impl FnMut(Finding),
    ) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let mut snapshot = self.snapshot().await?;
            let which = shelf::Which::After(&after, SKUS);
            let page = shelf::read(&mut snapshot, which).await?;
            drop(snapshot);
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.sku);
            for shelf in &page {
                counts.skus += 1;
                if shelf.check(now).is_empty() {
                    continue;
                }
                tokio::time::sleep(AGAIN).await;
                let mut snapshot = self.snapshot().await?;
                let again = shelf::read(&mut snapshot, shelf::Which::Only(&shelf.sku)).await?;
                let again = again.iter().flat_map(|shelf| shelf.check(now));
                again.for_each(&mut *each);
            }
        }
    }
}
