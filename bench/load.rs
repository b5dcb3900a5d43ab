//! Doing the same thing many times, so many at once, and how long it took.

use serde::{Deserialize, Serialize};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// What a run gave.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Rate {
    /// How many were done in a second.
    pub per_second: f64,
    /// The median of how long one took, in seconds.
    pub p50: f64,
    /// What 99 of 100 were within, in seconds.
    pub p99: f64,
}

/// Runs `one` for each number below `count`, `at_once` of them at any moment.
pub async fn run<O, F>(count: usize, at_once: usize, one: O) -> Rate
where
    O: Fn(usize) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    let one = Arc::new(one);
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let slots: Vec<_> = (0..at_once)
        .map(|_| {
            let (one, next) = (one.clone(), next.clone());
            tokio::spawn(async move {
                let mut took = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return took;
                    }
                    let began = Instant::now();
                    one(number).await;
                    took.push(began.elapsed());
                }
            })
        })
        .collect();
    let mut took = Vec::new();
    for slot in slots {
        took.extend(slot.await.unwrap());
    }
    rate(&mut took, began.elapsed())
}

/// The figures of what took so long each, and `elapsed` altogether.
pub fn rate(took: &mut [Duration], elapsed: Duration) -> Rate {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() as f64 * share) as usize).min(took.len() - 1)];
    Rate {
        per_second: took.len() as f64 / elapsed.as_secs_f64(),
        p50: at(0.5).as_secs_f64(),
        p99: at(0.99).as_secs_f64(),
    }
}

/// The middle one, or the upper one of the two in the middle.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
