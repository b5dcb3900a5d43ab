//! What every workflow of an order keeps: the order, as the fold of the events that it knows of. The
//! store may be ahead of it, never behind.

use crate::domain::{event::Event, order::Order};

/// A workflow that keeps an order.
pub(super) trait KeepsOrder: 'static {
    /// The order, as far as this workflow knows.
    fn order(&self) -> &Order;

    /// Folds the events of an answer in; those known already are passed over.
    fn fold(&mut self, events: &[Event]);
}
