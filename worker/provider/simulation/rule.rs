//! The rules of a simulation, as they are written: `payment:error=0.1,hang=0.05`.

use humantime_serde::re::humantime::{format_duration, parse_duration};
use orders_domain::{named, step::Step};
use std::{fmt, str::FromStr, time::Duration};

named! {
    /// Whom a rule is about.
    Target {
        /// Every provider.
        All = "all",
        /// Money.
        Payment = "payment",
        /// Stock.
        Inventory = "inventory",
        /// Parcels.
        Shipping = "shipping",
        /// Fraud.
        Fraud = "fraud",
    }
}

/// What goes wrong with a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// The share of attempts that fail, from 0 to 1: nothing happens, and the caller is told.
    pub error: f64,
    /// The share of attempts that are never answered: nothing happens.
    pub hang: f64,
    /// The share of attempts that happen, but whose answer is lost.
    pub lost: f64,
    /// How long every attempt takes.
    pub latency: Duration,
    /// Payments of strictly more than this, in whole units of the order's currency, are declined.
    pub decline_above: Option<i64>,
    /// The first so many attempts of each step happen, but their answers are lost.
    pub lost_first: u32,
    /// Failures are met by this step only; none for every step.
    pub only: Option<Step>,
}

/// A rule: what it leaves out, it leaves as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Whom it is about.
    pub target: Target,
    settings: Vec<Setting>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Setting {
    Error(f64),
    Hang(f64),
    Lost(f64),
    Latency(Duration),
    DeclineAbove(i64),
    LostFirst(u32),
    Only(Step),
}

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Not of the form.
    #[error(
        "`{0}` is not of the form PROVIDER:NAME=VALUE,... (for example payment:error=0.1,lost=0.05)"
    )]
    Form(String),
    /// No such provider.
    #[error("there is no provider `{0}`: all, payment, inventory, shipping or fraud")]
    Target(String),
    /// No such setting.
    #[error(
        "there is no setting `{0}`: error, hang, lost, lost-first, only, latency or decline-above"
    )]
    Name(String),
    /// A value that makes no sense.
    #[error("`{value}` is no value for {name}: {expected}")]
    Value {
        /// Of which setting.
        name: String,
        /// What was given.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// More than all attempts.
    #[error("error, hang and lost together must be at most 1")]
    Sum,
    /// Only payments can be declined.
    #[error("decline-above is about payments: payment:decline-above=...")]
    NotPayment,
}

impl Rule {
    /// What goes wrong, with this rule over what others say.
    pub(super) fn over(&self, mut faults: Faults) -> Faults {
        for setting in &self.settings {
            match *setting {
                Setting::Error(share) => faults.error = share,
                Setting::Hang(share) => faults.hang = share,
                Setting::Lost(share) => faults.lost = share,
                Setting::Latency(time) => faults.latency = time,
                Setting::DeclineAbove(units) => faults.decline_above = Some(units),
                Setting::LostFirst(count) => faults.lost_first = count,
                Setting::Only(step) => faults.only = Some(step),
            }
        }
        faults
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let form = || RuleError::Form(text.to_owned());
        let (target, settings) = text.split_once(':').ok_or_else(form)?;
        let unknown = |()| RuleError::Target(target.to_owned());
        let target: Target = target.trim().parse().map_err(unknown)?;
        let settings = settings.split(',').map(|setting| {
            let (name, value) = setting.split_once('=').ok_or_else(form)?;
            setting_of(name.trim(), value.trim())
        });
        let settings: Vec<Setting> = settings.collect::<Result<_, _>>()?;
        let declines = |setting: &Setting| matches!(setting, Setting::DeclineAbove(_));
        if target != Target::Payment && settings.iter().any(declines) {
            return Err(RuleError::NotPayment);
        }
        let rule = Rule { target, settings };
        let Faults {
            error, hang, lost, ..
        } = rule.over(Faults::default());
        match error + hang + lost <= 1.0 {
            true => Ok(rule),
            false => Err(RuleError::Sum),
        }
    }
}

fn setting_of(name: &str, value: &str) -> Result<Setting, RuleError> {
    let wrong = |expected| RuleError::Value {
        name: name.to_owned(),
        value: value.to_owned(),
        expected,
    };
    let share = || {
        let share = value.parse().ok().filter(|s| (0.0..=1.0).contains(s));
        share.ok_or_else(|| wrong("a share of the attempts, from 0 to 1"))
    };
    Ok(match name {
        "error" => Setting::Error(share()?),
        "hang" => Setting::Hang(share()?),
        "lost" => Setting::Lost(share()?),
        "latency" => {
            let time = parse_duration(value).map_err(|_| wrong("a duration like 20ms"))?;
            Setting::Latency(time)
        }
        "decline-above" => {
            let units = value.parse().ok().filter(|units| *units >= 0);
            Setting::DeclineAbove(units.ok_or_else(|| wrong("a whole amount like 10000"))?)
        }
        "lost-first" => {
            let count = value.parse().ok();
            Setting::LostFirst(count.ok_or_else(|| wrong("a number of attempts"))?)
        }
        "only" => {
            let step = value.parse().ok();
            Setting::Only(step.ok_or_else(|| wrong("a step like capture_payment"))?)
        }
        _ => return Err(RuleError::Name(name.to_owned())),
    })
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.target)?;
        for (index, setting) in self.settings.iter().enumerate() {
            f.write_str(if index == 0 { ":" } else { "," })?;
            match setting {
                Setting::Error(share) => write!(f, "error={share}"),
                Setting::Hang(share) => write!(f, "hang={share}"),
                Setting::Lost(share) => write!(f, "lost={share}"),
                Setting::Latency(time) => write!(f, "latency={}", format_duration(*time)),
                Setting::DeclineAbove(units) => write!(f, "decline-above={units}"),
                Setting::LostFirst(count) => write!(f, "lost-first={count}"),
                Setting::Only(step) => write!(f, "only={step}"),
            }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Simulation, *};

    #[test]
    fn a_rule_reads_back_as_it_was_written() {
        for text in [
            "payment:error=0.1",
            "all:error=0.33,hang=0.33",
            "shipping:lost=0.5,latency=20ms",
            "payment:decline-above=10000",
            "all:only=capture_payment,lost-first=2",
        ] {
            assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_rule_is_named() {
        for (text, part) in [
            ("payment", "not of the form"),
            ("payment:error", "not of the form"),
            ("bank:error=0.1", "no provider `bank`"),
            ("payment:eror=0.1", "no setting `eror`"),
            ("payment:error=2", "from 0 to 1"),
            ("payment:error=x", "from 0 to 1"),
            ("payment:latency=soon", "a duration"),
            ("payment:decline-above=-1", "a whole amount"),
            ("all:lost-first=some", "a number of attempts"),
            ("all:only=capture", "a step like"),
            ("shipping:decline-above=1", "about payments"),
            ("all:error=0.6,hang=0.6", "at most 1"),
        ] {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_later_rule_goes_over_an_earlier_one() {
        let rules = ["all:error=0.3,hang=0.2", "payment:error=0"];
        let simulation = Simulation {
            rules: rules.iter().map(|text| text.parse().unwrap()).collect(),
            seed: 0,
        };
        let payment = simulation.faults(Target::Payment);
        assert_eq!((payment.error, payment.hang), (0.0, 0.2));
        let fraud = simulation.faults(Target::Fraud);
        assert_eq!((fraud.error, fraud.hang), (0.3, 0.2));
    }
}
