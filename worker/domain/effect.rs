//! Effects: everything that an order asks of a provider. No two effects have the same key, so a provider that
//! is asked again for an effect knows it by its key.

use super::{
    order::Order,
    policy::PaymentMode,
    step::{Compensation, CompensationOutcome, Step},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One thing that an order asks of a provider. Its text is the name of the step, with the number behind it from
/// the second effect on: `capture_payment`, `redirect_shipment/2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Effect {
    /// The kind of provider call that brings it about.
    pub step: Step,
    /// The count of the order's effects of this step, from 1.
    pub number: u32,
}

/// The error of a text that names no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no effect: it must be a step, or a step and a number from 2 as in redirect_shipment/2"
)]
pub struct NoEffect(String);

impl Effect {
    /// The first effect of a step.
    pub fn first(step: Step) -> Self {
        Self { step, number: 1 }
    }

    /// The key by which providers know the effect, over all orders. It is never random, and no part of it depends
    /// on an attempt or a run.
    pub fn key(self, order_id: &str) -> String {
        format!("{order_id}/{self}")
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, number } = self;
        if *number == 1 {
            write!(formatter, "{step}")
        } else {
            write!(formatter, "{step}/{number}")
        }
    }
}

impl FromStr for Effect {
    type Err = NoEffect;

    fn from_str(text: &str) -> Result<Self, NoEffect> {
        let (step, number) = match text.split_once('/') {
            Some((step, number)) => (step, number.parse().ok().filter(|number| *number > 1)),
            None => (text, Some(1)),
        };
        let effect = step.parse().ok().zip(number);
        effect
            .map(|(step, number)| Self { step, number })
            // One effect has one text: a number with a sign or a leading zero is none.
            .filter(|effect| effect.to_string() == text)
            .ok_or_else(|| NoEffect(text.to_owned()))
    }
}

impl From<Effect> for String {
    fn from(effect: Effect) -> Self {
        effect.to_string()
    }
}

impl TryFrom<String> for Effect {
    type Error = NoEffect;

    fn try_from(text: String) -> Result<Self, NoEffect> {
        text.parse()
    }
}

impl Order {
    /// The effect of a step that is to be asked for, or that was asked for last. This is the only place that
    /// numbers effects.
    pub fn effect(&self, step: Step) -> Effect {
        let used_up = self.used_up.iter().filter(|used| used.step == step).count();
        let done = match step {
            // The carrier is told of each change of the address.
            Step::RedirectShipment => self.shipment.redirects,
            // Each receipt counts as a charge of its own.
            Step::ChargePayment if self.policy.payment == PaymentMode::External => {
                self.payment.received.count
            }
            _ => 0,
        };
        let before = u32::try_from(used_up).unwrap_or(u32::MAX);
        Effect {
            step,
            number: before.saturating_add(done).saturating_add(1),
        }
    }

    /// Whether a step that can be compensated was carried out.
    pub fn has_done(&self, step: Step) -> bool {
        self.done.iter().any(|effect| effect.step == step)
    }

    /// Whether a step may have been carried out although its answer was lost.
    pub fn is_unknown(&self, step: Step) -> bool {
        self.unknown.iter().any(|effect| effect.step == step)
    }

    /// The compensation that undoes an effect.
    pub fn compensation_of(&self, effect: Effect) -> Option<&Compensation> {
        let mut all = self.compensations.iter();
        all.find(|entry| entry.undoes == effect)
    }

    /// What would be undone if the order were cancelled now: the exact reverse of what was done.
    /// An effect whose answer was lost, or has not come yet, is undone too, by its key.
    pub fn compensation_plan(&self) -> Vec<Compensation> {
        let known = self.done.iter();
        let perhaps = self.unknown.iter().chain(&self.in_flight);
        let effects = known.chain(perhaps.filter(|effect| !self.done.contains(effect)));
        let is_captured = self.has_done(Step::CapturePayment) || self.has_done(Step::ChargePayment);
        let mut plan: Vec<Compensation> = Vec::new();
        for undoes in effects.rev() {
            let Some(step) = undoes.step.undone_by() else {
                continue;
            };
            // A package that was prepared and asked to be fetched is called off once.
            let is_planned = plan.iter().any(|entry| entry.effect.step == step);
            // What was captured is refunded, and nothing is left to give back of its authorization.
            if is_planned || (is_captured && step == Step::VoidAuthorization) {
                continue;
            }
            plan.push(self.compensation(step, *undoes));
        }
        plan
    }

    /// A compensation by `step` that is still to be carried out.
    pub(super) fn compensation(&self, step: Step, undoes: Effect) -> Compensation {
        Compensation {
            effect: self.effect(step),
            undoes,
            resource: self.resource_of(step),
            attempts: 0,
            outcome: CompensationOutcome::Pending,
            time: None,
        }
    }

    fn resource_of(&self, step: Step) -> String {
        let id = match step {
            Step::ReleaseReservation => self.reservation.reservation_id.clone(),
            Step::CancelShipment => self.shipment.shipment_id.clone(),
            _ => Some(self.payment.payment_id.clone()),
        };
        id.unwrap_or_else(|| self.order_id.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Step};

    #[test]
    fn every_effect_has_one_text_that_reads_back() {
        for step in Step::ALL {
            for number in [1, 2, 10, u32::MAX] {
                let effect = Effect {
                    step: *step,
                    number,
                };
                assert_eq!(effect.to_string().parse(), Ok(effect));
                let json = serde_json::to_string(&effect).unwrap();
                assert_eq!(json, format!("\"{effect}\""));
                assert_eq!(serde_json::from_str::<Effect>(&json).unwrap(), effect);
            }
            assert_eq!(Effect::first(*step).to_string(), step.as_str());
        }
        let second = Effect {
            step: Step::RedirectShipment,
            number: 2,
        };
        assert_eq!(second.to_string(), "redirect_shipment/2");
        assert_eq!(second.key("order-1"), "order-1/redirect_shipment/2");
    }

    #[test]
    fn what_names_no_effect_is_refused() {
        for text in [
            "",
            "/",
            "/2",
            "no_such_step",
            "no_such_step/2",
            "Capture_Payment",
            " capture_payment",
            "capture_payment ",
            "capture_payment/",
            "capture_payment/0",
            "capture_payment/1",
            "capture_payment/01",
            "capture_payment/02",
            "capture_payment/+2",
            "capture_payment/-2",
            "capture_payment/ 2",
            "capture_payment/2/2",
            "capture_payment/two",
            "capture_payment/4294967296",
        ] {
            let refused = text.parse::<Effect>().unwrap_err();
            assert!(refused.to_string().contains("names no effect"), "{text:?}");
            let json = serde_json::to_string(text).unwrap();
            assert!(serde_json::from_str::<Effect>(&json).is_err(), "{text:?}");
        }
    }
}
