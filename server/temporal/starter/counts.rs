//! How many orders Temporal may not have: those that the last look at the database found, and those that
//! this process has placed, or is placing, since that look began.

use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// So long after an order was left the loop looks for what became of it.
const LOOK: Duration = Duration::from_secs(8);

/// What is known of orders that Temporal may not have.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Temporal did not answer the last start.
    pub(super) is_away: bool,
    /// How many the last look found.
    counted: usize,
    /// The orders of this process that this number may lack, by a number of their own: the look that was
    /// the newest when the order was stored, or none while it is not.
    own: HashMap<u64, Option<u64>>,
    next: u64,
    /// The newest look that has begun.
    look: u64,
    /// The loop looks at least until then.
    look_until: Option<Instant>,
}

impl Counts {
    /// Orders that Temporal may not have, with those that are being placed.
    pub(super) fn left(&self) -> usize {
        self.counted + self.own.len()
    }

    /// Lets one more be placed, unless Temporal is away, or some wait, and as many wait as may. Gives the
    /// order's number here.
    pub(super) fn admit(&mut self, most: usize) -> Option<u64> {
        let some_wait = self.counted > 0 || self.own.values().any(Option::is_some);
        if (self.is_away || some_wait) && self.left() >= most {
            return None;
        }
        self.next += 1;
        self.own.insert(self.next, None);
        Some(self.next)
    }

    /// The order is in the database: a look that begins from now on finds it.
    pub(super) fn stored(&mut self, number: u64) {
        if let Some(stored) = self.own.get_mut(&number) {
            *stored = Some(self.look);
        }
    }

    /// Temporal has the order, or there is none.
    pub(super) fn done(&mut self, number: u64) {
        self.own.remove(&number);
    }

    /// The order was left to the loop.
    pub(super) fn leave(&mut self) {
        self.look_until = Some(Instant::now() + LOOK);
    }

    /// Begins a look at the database; gives its number.
    pub(super) fn begin_look(&mut self) -> u64 {
        self.look += 1;
        self.look
    }

    /// What a look found. It has seen all that was stored before it began.
    pub(super) fn found(&mut self, look: u64, counted: usize) {
        self.counted = counted;
        self.own
            .retain(|_, stored| stored.is_none_or(|at| at >= look));
    }

    /// Whether there may be something for the loop.
    pub(super) fn is_busy(&self, now: Instant) -> bool {
        self.is_away || self.look_until.is_some_and(|until| now < until)
    }

    /// Nothing waits any more.
    pub(super) fn forget(&mut self) {
        self.counted = 0;
        self.own.retain(|_, stored| stored.is_none());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn away(counted: usize) -> Counts {
        Counts {
            is_away: true,
            counted,
            ..Counts::default()
        }
    }

    #[test]
    fn nothing_is_bounded_while_temporal_takes_orders() {
        let mut counts = Counts::default();
        assert!((0..100).all(|_| counts.admit(1).is_some()));
        assert!(!counts.is_busy(Instant::now()));
    }

    #[test]
    fn those_that_wait_and_those_that_are_being_placed_are_bounded_together() {
        let mut counts = away(2);
        let (one, other) = (counts.admit(4).unwrap(), counts.admit(4).unwrap());
        assert_eq!(counts.admit(4), None);
        counts.stored(one);
        assert_eq!(counts.admit(4), None, "it waits");
        counts.done(other);
        assert!(counts.admit(4).is_some(), "it was no order after all");
    }

    #[test]
    fn an_order_is_counted_once_whenever_the_database_is_read() {
        for stored_before in [true, false] {
            let mut counts = away(0);
            let number = counts.admit(9).unwrap();
            let look = if stored_before {
                counts.stored(number);
                counts.begin_look()
            } else {
                let look = counts.begin_look();
                counts.stored(number);
                look
            };
            // A look that begins before the order is there does not find it.
            counts.found(look, usize::from(stored_before));
            assert_eq!(counts.left(), 1, "{counts:?}");
            let look = counts.begin_look();
            counts.found(look, 1);
            assert_eq!(counts.left(), 1, "{counts:?}");
        }
    }

    #[test]
    fn once_nothing_waits_nothing_is_bounded() {
        let mut counts = away(3);
        counts.is_away = false;
        let number = counts.admit(4).unwrap();
        counts.stored(number);
        assert_eq!(counts.admit(4), None);
        counts.forget();
        assert!((0..100).all(|_| counts.admit(4).is_some()));
    }
}
