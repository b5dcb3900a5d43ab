//! How many signals one order, and one caller, may be sent. Nobody waits for the answer to a signal, so
//! without a limit one sender could fill an order's workflow faster than it works them off.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// What an order may be sent.
const ORDER: Allowance = Allowance {
    at_once: 2_000.0,
    each_second: 20.0,
};

/// What a caller may send to all orders together.
const CALLER: Allowance = Allowance {
    at_once: 20_000.0,
    each_second: 1_000.0,
};

/// So many orders or callers are remembered at most.
const REMEMBERED: usize = 10_000;

/// A number of signals at once, and so many more in each second after that.
#[derive(Clone, Copy)]
struct Allowance {
    at_once: f64,
    each_second: f64,
}

/// What is left of an allowance.
struct Left {
    signals: f64,
    time: Instant,
}

/// Whose limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// The order's.
    Order,
    /// The caller's.
    Caller,
}

/// What is left for each order and each caller, in this process.
#[derive(Default)]
pub(super) struct SignalLimits {
    orders: Mutex<HashMap<String, Left>>,
    callers: Mutex<HashMap<String, Left>>,
}

impl SignalLimits {
    /// Takes one signal of the caller to the order off their allowances.
    ///
    /// # Errors
    /// When nothing is left of one of them.
    pub(super) fn take(&self, order_id: &str, caller: &str, now: Instant) -> Result<(), Reached> {
        // The caller first: what one caller is refused costs the order nothing.
        if !take(&self.callers, CALLER, caller, now) {
            return Err(Reached::Caller);
        }
        if !take(&self.orders, ORDER, order_id, now) {
            return Err(Reached::Order);
        }
        Ok(())
    }
}

fn take(
    all: &Mutex<HashMap<String, Left>>,
    allowance: Allowance,
    name: &str,
    now: Instant,
) -> bool {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= REMEMBERED && !all.contains_key(name) {
        // One whose allowance is full again is as good as new.
        all.retain(|_, left| allowance.at(left, now) < allowance.at_once);
        if all.len() >= REMEMBERED {
            forget_half(&mut all, allowance, now);
        }
    }
    let left = all.entry(name.to_owned()).or_insert(Left {
        signals: allowance.at_once,
        time: now,
    });
    let signals = allowance.at(left, now);
    let is_allowed = signals >= 1.0;
    *left = Left {
        signals: if is_allowed { signals - 1.0 } else { signals },
        time: now,
    };
    is_allowed
}

/// Forgets those of whose allowance the most is left, about half of all. However many names somebody makes
/// up, what is nearly used up is not given back.
fn forget_half(all: &mut HashMap<String, Left>, allowance: Allowance, now: Instant) {
    let mut signals: Vec<f64> = all.values().map(|left| allowance.at(left, now)).collect();
    signals.sort_unstable_by(f64::total_cmp);
    if let Some(middle) = signals.get(signals.len() / 2) {
        all.retain(|_, left| allowance.at(left, now) < *middle);
    }
}

impl Allowance {
    /// What is left at that time.
    fn at(&self, left: &Left, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(left.time).as_secs_f64();
        (left.signals + passed * self.each_second).min(self.at_once)
    }
}

#[cfg(test)]
mod tests {
    use super::{CALLER, ORDER, REMEMBERED, Reached, SignalLimits};
    use std::time::{Duration, Instant};

    #[test]
    fn an_order_takes_many_at_once_and_then_some_in_each_second() {
        let (limits, now) = (SignalLimits::default(), Instant::now());
        for _ in 0..ORDER.at_once as usize {
            limits.take("a", "me", now).unwrap();
        }
        assert_eq!(limits.take("a", "me", now), Err(Reached::Order));
        limits.take("b", "me", now).unwrap();
        let later = now + Duration::from_secs(1);
        for _ in 0..ORDER.each_second as usize {
            limits.take("a", "me", later).unwrap();
        }
        assert_eq!(limits.take("a", "me", later), Err(Reached::Order));
    }

    #[test]
    fn a_caller_has_one_limit_for_all_orders() {
        let (limits, now) = (SignalLimits::default(), Instant::now());
        for number in 0..CALLER.at_once as usize {
            limits.take(&number.to_string(), "me", now).unwrap();
        }
        assert_eq!(limits.take("new", "me", now), Err(Reached::Caller));
        limits.take("new", "you", now).unwrap();
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (limits, now) = (SignalLimits::default(), Instant::now());
        for number in 0..2 * REMEMBERED {
            limits.take("a", &number.to_string(), now).ok();
        }
        assert!(limits.callers.lock().unwrap().len() <= REMEMBERED);
    }

    #[test]
    fn many_names_do_not_give_back_what_a_caller_used_up() {
        let (limits, now) = (SignalLimits::default(), Instant::now());
        for number in 0..CALLER.at_once as usize {
            limits.take(&number.to_string(), "me", now).ok();
        }
        for number in 0..2 * REMEMBERED {
            limits.take("a", &number.to_string(), now).ok();
        }
        assert_eq!(limits.take("new", "me", now), Err(Reached::Caller));
    }
}
