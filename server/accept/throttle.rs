//! Log lines that could come by the thousand are written now and then, with how many there were.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Between two lines.
const EVERY: Duration = Duration::from_secs(10);

/// When a line was last written, and how often it was left out since.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<(Option<Instant>, u64)>);

impl Throttle {
    /// Returns how often something has happened since the last line, if it is time for the next.
    pub fn count(&self) -> Option<u64> {
        self.count_at(Instant::now())
    }

    fn count_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, times) = &mut *state;
        *times += 1;
        if last.is_some_and(|last| now.duration_since(last) < EVERY) {
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_at_once_and_the_others_together() {
        let throttle = Throttle::default();
        let begun = Instant::now();
        assert_eq!(throttle.count_at(begun), Some(1));
        for _ in 0..9 {
            assert_eq!(throttle.count_at(begun + EVERY / 2), None);
        }
        assert_eq!(throttle.count_at(begun + EVERY), Some(10));
    }
}
