//! How often a background task tries the same thing again: less and less often.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The longest pause between two tries of one thing, without its jitter.
const LONGEST: Duration = Duration::from_secs(300);

/// When each thing was tried last, and how long it is left alone.
pub(super) struct Pauses {
    first: Duration,
    tried: HashMap<String, Tried>,
}

struct Tried {
    at: Instant,
    pause: Duration,
    pauses: ExponentialBackoff,
}

impl Pauses {
    /// With this pause after the first try of a thing, twice as long after each further one, and jitter.
    pub(super) fn new(first: Duration) -> Self {
        Self {
            first,
            tried: HashMap::new(),
        }
    }

    /// Whether a thing may be tried now; then it counts as tried.
    pub(super) fn may_try(&mut self, name: &str) -> bool {
        if let Some(tried) = self.tried.get_mut(name) {
            if tried.at.elapsed() < tried.pause {
                return false;
            }
            tried.at = Instant::now();
            tried.pause = tried.pauses.next().unwrap_or(LONGEST);
            return true;
        }
        let pauses = ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(LONGEST)
            .with_jitter()
            .without_max_times();
        let mut pauses = pauses.build();
        let tried = Tried {
            at: Instant::now(),
            pause: pauses.next().unwrap_or(LONGEST),
            pauses,
        };
        self.tried.insert(name.to_owned(), tried);
        true
    }

    /// The try did not count.
    pub(super) fn forget(&mut self, name: &str) {
        self.tried.remove(name);
    }

    /// Forgets what was not tried for long.
    pub(super) fn forget_old(&mut self) {
        self.tried
            .retain(|_, tried| tried.at.elapsed() < LONGEST * 3);
    }
}
