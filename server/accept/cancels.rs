//! Slowing down callers that cancel their calls.
//!
//! A cancelled call costs the server nearly as much as an answered one, and its caller nothing, so nothing
//! but the network would limit how many there are. Each address may have some of them in a second. While it
//! has more, those of its connections that cancel calls are read from no further; the others go on.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// An address may have the calls of this time cancelled at once.
const BURST: Duration = Duration::from_secs(1);

/// For so long after a cancelled call a connection counts as one that cancels.
const REMEMBERED: Duration = Duration::from_secs(10);

/// The cancelled calls of one address, as time: each takes its part of a second.
#[derive(Debug)]
pub struct Cancels {
    since: Instant,
    each: u64,
    /// Until when the calls so far last, in nanoseconds after `since`.
    last_until: AtomicU64,
}

impl Cancels {
    /// For at most so many calls a second.
    pub fn new(a_second: u32) -> Self {
        Self {
            since: Instant::now(),
            each: 1_000_000_000 / u64::from(a_second.max(1)),
            last_until: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        nanos(self.since.elapsed())
    }

    /// Counts a call.
    fn add(&self) {
        let now = self.now();
        let count = |until: u64| Some(until.max(now).saturating_add(self.each));
        let _ = self
            .last_until
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
    }

    /// Counts it no more: it was answered.
    fn take_back(&self) {
        let forget = |until: u64| Some(until.saturating_sub(self.each));
        let _ = self
            .last_until
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, forget);
    }

    /// How long until more may be read from those that cancel.
    pub fn pause(&self) -> Option<Duration> {
        let ahead = self.last_until.load(Ordering::Relaxed);
        let ahead = ahead.saturating_sub(self.now());
        let pause = ahead.saturating_sub(nanos(BURST));
        (pause > 0).then(|| Duration::from_nanos(pause))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What one connection has to do with the cancelled calls of its address.
#[derive(Debug)]
pub struct Canceller {
    opened: Instant,
    /// When a call was last cancelled, in milliseconds after `opened`, and one more; zero for never.
    cancelled: AtomicU64,
}

impl Canceller {
    pub fn new(opened: Instant) -> Self {
        Self {
            opened,
            cancelled: AtomicU64::new(0),
        }
    }

    fn millis(&self) -> u64 {
        self.opened.elapsed().as_millis() as u64 + 1
    }

    /// Whether a call was cancelled lately.
    fn cancels(&self) -> bool {
        let cancelled = self.cancelled.load(Ordering::Relaxed);
        cancelled > 0 && self.millis() - cancelled < REMEMBERED.as_millis() as u64
    }

    /// A call begins. It counts from now on where others were cancelled: several connections that are read
    /// at the same time must know of each other's calls. Returns whether it counts.
    pub fn begin(&self, of_address: &Cancels) -> bool {
        let counts = self.cancels();
        if counts {
            of_address.add();
        }
        counts
    }

    /// A call has ended, by its answer or because it was cancelled; `counts` is what its begin returned.
    pub fn end(&self, of_address: &Cancels, counts: bool, answered: bool) {
        if !answered {
            self.cancelled.store(self.millis(), Ordering::Relaxed);
        }
        match (counts, answered) {
            (true, true) => of_address.take_back(),
            (false, false) => of_address.add(),
            _ => {}
        }
    }

    /// How long until the connection may be read from.
    pub fn pause(&self, of_address: &Cancels) -> Option<Duration> {
        if self.cancels() {
            of_address.pause()
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_cancels_more_than_allowed_waits_and_its_neighbour_does_not() {
        let address = Cancels::new(100);
        let [bad, good] = [(); 2].map(|()| Canceller::new(Instant::now()));
        for _ in 0..90 {
            let counts = bad.begin(&address);
            bad.end(&address, counts, false);
        }
        assert_eq!(bad.pause(&address), None);
        for _ in 0..310 {
            let counts = bad.begin(&address);
            bad.end(&address, counts, false);
        }
        let pause = bad.pause(&address).unwrap();
        let expected = Duration::from_secs(2)..=Duration::from_secs(3);
        assert!(expected.contains(&pause), "{pause:?}");
        assert_eq!(good.pause(&address), None);
        for _ in 0..1000 {
            let counts = good.begin(&address);
            good.end(&address, counts, true);
        }
        assert_eq!(good.pause(&address), None);
    }

    #[test]
    fn calls_of_a_connection_that_cancels_count_at_once_until_they_are_answered() {
        let address = Cancels::new(100);
        let one = Canceller::new(Instant::now());
        let first = one.begin(&address);
        one.end(&address, first, false);
        let open: Vec<_> = (0..300).map(|_| one.begin(&address)).collect();
        assert!(one.pause(&address).is_some());
        for counts in open {
            one.end(&address, counts, true);
        }
        assert_eq!(one.pause(&address), None);
    }
}
