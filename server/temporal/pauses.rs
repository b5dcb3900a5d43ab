//! How often a background task tries the same thing again: less and less often.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The longest pause between two tries of one thing.
const LONGEST: Duration = Duration::from_secs(300);

/// When each thing was tried last, and how long it is left alone.
pub(super) struct Pauses {
    first: Duration,
    tried: HashMap<String, Tried>,
}

struct Tried {
    at: Instant,
    pause: Duration,
}

impl Pauses {
    /// With this pause after the first try of a thing; twice as long after each further one.
    pub(super) fn new(first: Duration) -> Self {
        Self {
            first,
            tried: HashMap::new(),
        }
    }

    /// Whether a thing may be tried now; then it counts as tried.
    pub(super) fn may_try(&mut self, name: &str) -> bool {
        let pause = match self.tried.get(name) {
            Some(before) if before.at.elapsed() < before.pause => return false,
            Some(before) => (before.pause * 2).min(LONGEST),
            None => self.first,
        };
        let at = Instant::now();
        self.tried.insert(name.to_owned(), Tried { at, pause });
        true
    }

    /// The try did not count.
    pub(super) fn forget(&mut self, name: &str) {
        self.tried.remove(name);
    }

    /// Forgets what was not tried for long.
    pub(super) fn forget_old(&mut self) {
        self.tried
            .retain(|_, tried| tried.at.elapsed() < LONGEST * 2);
    }
}
