//! Finding answers that the client does not take.
//!
//! Every answer of a connection stands in the bucket of the tick at which a part of it was last
//! taken. An answer that is still in a bucket of some ticks ago has made no progress since then.
//! Entering, advancing and leaving cost one or two atomic additions.

use std::sync::atomic::{AtomicU32, Ordering};

/// The ticks after which an answer counts as stalled: at least one fewer have passed in full.
pub const TICKS: u32 = 5;

const BUCKETS: usize = 8;

/// The answers of a connection that are not written yet.
#[derive(Debug, Default)]
pub struct Stalls {
    now: AtomicU32,
    buckets: [AtomicU32; BUCKETS],
}

impl Stalls {
    fn bucket(&self, tick: u32) -> &AtomicU32 {
        &self.buckets[tick as usize % BUCKETS]
    }

    /// Counts an answer. Returns the tick, which the answer keeps.
    pub fn enter(&self) -> u32 {
        let tick = self.now.load(Ordering::Relaxed);
        self.bucket(tick).fetch_add(1, Ordering::Relaxed);
        tick
    }

    /// Moves an answer of which a part was taken. Returns its new tick.
    pub fn advance(&self, tick: u32) -> u32 {
        let now = self.now.load(Ordering::Relaxed);
        if now != tick {
            self.bucket(now).fetch_add(1, Ordering::Relaxed);
            self.leave(tick);
        }
        now
    }

    /// Forgets an answer.
    pub fn leave(&self, tick: u32) {
        self.bucket(tick).fetch_sub(1, Ordering::Relaxed);
    }

    /// Goes on to the next tick. Returns whether an answer is stalled.
    pub fn tick(&self) -> bool {
        let now = self.now.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let oldest = self.bucket(now.wrapping_sub(TICKS));
        oldest.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_progress_is_found_and_one_with_progress_is_not() {
        let stalls = Stalls::default();
        let stuck = stalls.enter();
        let mut slow = stalls.enter();
        for tick in 1..TICKS {
            assert!(!stalls.tick(), "{tick}");
            slow = stalls.advance(slow);
        }
        assert!(stalls.tick());
        stalls.leave(stuck);
        for _ in 0..40 {
            slow = stalls.advance(slow);
            assert!(!stalls.tick());
        }
        stalls.leave(slow);
        for _ in 0..40 {
            assert!(!stalls.tick());
        }
    }
}
