//! Simulation: providers that fail, hang, lose answers, decline or take their time, so that everybody
//! can see what an order does then. Off unless the settings ask for it.
//!
//! Whether an attempt fails follows from the seed, the key of the effect and the number of the attempt,
//! and from nothing else: the same orders meet the same failures in every run, and an attempt that is
//! repeated after a crash meets its own again.

mod rule;
mod simulated;

pub use rule::{Faults, Rule, RuleError, Target};

use super::{Call, PaymentPort, Providers};
use orders_domain::fingerprint;
use simulated::Simulated;
use std::sync::Arc;

/// What goes wrong, for each provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simulation {
    /// Rules in the order in which they are given; a later one goes over an earlier one.
    pub rules: Vec<Rule>,
    /// Another number meets other failures.
    pub seed: u64,
}

impl Simulation {
    /// What goes wrong with a provider.
    fn faults(&self, target: Target) -> Faults {
        let concerned = |rule: &&Rule| rule.target == Target::All || rule.target == target;
        self.rules
            .iter()
            .filter(concerned)
            .fold(Faults::default(), |faults, rule| rule.over(faults))
    }
}

impl Providers {
    /// The same providers with a simulation around them; those that no rule is about stay as they are.
    pub fn simulated(self, simulation: &Simulation) -> Self {
        let Self {
            mut payment,
            mut inventory,
            mut shipping,
            mut fraud,
            supplier,
        } = self;
        let faults = |target| Some(simulation.faults(target)).filter(|f| *f != Faults::default());
        let seed = simulation.seed;
        // A provider outside of the process is not simulated: what it does is its own affair.
        if let (PaymentPort::Embedded(inner), Some(faults)) = (&payment, faults(Target::Payment)) {
            let simulated = Simulated::new(inner.clone(), faults, seed);
            payment = PaymentPort::Embedded(Arc::new(simulated));
        }
        if let Some(faults) = faults(Target::Inventory) {
            inventory = Arc::new(Simulated::new(inventory, faults, seed));
        }
        if let Some(faults) = faults(Target::Shipping) {
            shipping = Arc::new(Simulated::new(shipping, faults, seed));
        }
        if let Some(faults) = faults(Target::Fraud) {
            fraud = Arc::new(Simulated::new(fraud, faults, seed));
        }
        Self {
            payment,
            inventory,
            shipping,
            fraud,
            supplier,
        }
    }
}

/// A number from 0 to 1 for this attempt of this effect, as evenly spread as a hash is.
fn draw(seed: u64, call: &Call<'_>) -> f64 {
    let attempt = failed_attempts(call).to_string();
    let seed = seed.to_string();
    let hash = fingerprint([seed.as_str(), call.key().as_str(), attempt.as_str()]);
    let digits = hash.get(..8).unwrap_or_default();
    let number = u32::from_str_radix(digits, 16).unwrap_or_default();
    f64::from(number) / (f64::from(u32::MAX) + 1.0)
}

/// How often the effect of this call has failed before.
fn failed_attempts(call: &Call<'_>) -> u32 {
    let failed = call.order.fault_of(call.effect);
    failed.map_or(0, |fault| fault.attempts)
}
