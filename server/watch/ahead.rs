//! What a watch that is behind has read from the database and not sent yet. All of it is counted, so
//! that watches which are not read hold little memory, however many there are.

use crate::accept::{Caller, Permit, Resource};
use orders_domain::order::Order;

/// What an order takes in memory beside its line items, about.
const ORDER: usize = 2048;

/// The same for a line item beside its texts.
const LINE_ITEM: usize = 128;

/// The bytes that a watch has read ahead.
#[derive(Debug)]
pub(super) struct Ahead(Permit);

impl Ahead {
    pub(super) fn new(caller: &Caller) -> Self {
        Self(caller.force(Resource::ReadAheadBytes, 0))
    }

    /// Counts an order. Returns `false`, and counts nothing, if the caller may not have more.
    pub(super) fn add(&mut self, order: &Order) -> bool {
        self.0.grow(weight(order))
    }

    /// Forgets an order that was counted.
    pub(super) fn remove(&mut self, order: &Order) {
        self.0.shrink(weight(order));
    }
}

/// What an order takes in memory, in bytes, about.
pub fn weight(order: &Order) -> u64 {
    let items = order.line_items.iter();
    let items = items.map(|item| LINE_ITEM + item.sku.len() + item.name.len());
    (ORDER + items.sum::<usize>()) as u64
}
