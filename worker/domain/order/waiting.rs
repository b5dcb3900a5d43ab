//! What an order waits for, and until when; and whether anything is left of it.

use super::{Deadline, ONLY_FULFILLMENT, Order};
use crate::{phase, state::DeadlineKind};
use jiff::Timestamp;

impl Order {
    /// Whether the order has closed and nothing is due for it. That can change once more: see [`phase::todo`].
    pub fn is_over(&self) -> bool {
        self.state.is_closed() && phase::todo(self, self.update_time).is_nothing()
    }

    /// The deadline that ends first.
    pub fn next_deadline(&self) -> Option<Deadline> {
        let all = self.deadlines.iter().copied();
        all.min_by_key(|deadline| deadline.expire_time)
    }

    /// The deadline of a kind.
    pub(crate) fn deadline_of(&self, kind: DeadlineKind) -> Option<Deadline> {
        let mut all = self.deadlines.iter().copied();
        all.find(|deadline| deadline.kind == kind)
    }

    /// Begins a wait, or lets it begin anew.
    pub(crate) fn wait_until(&mut self, kind: DeadlineKind, expire_time: Timestamp) {
        self.wait_no_longer(kind);
        self.deadlines.push(Deadline {
            kind,
            subject: ONLY_FULFILLMENT,
            expire_time,
        });
    }

    /// Ends a wait: its way out was taken, or its time has passed.
    pub(crate) fn wait_no_longer(&mut self, kind: DeadlineKind) {
        self.deadlines.retain(|deadline| deadline.kind != kind);
    }
}
