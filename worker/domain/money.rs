//! Exact money: an integer count of minor units (cents) in an ISO 4217 currency.

mod parts;

pub use parts::{PartsError, check_parts};

use super::currency::minor_digits;
use serde::{Deserialize, Serialize};

/// An amount in one currency. Never a float: the total of an order is computed exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// ISO 4217 alphabetic code, three capital letters, for example `USD`.
    pub currency: String,
    /// Count of the currency's minor units: 1999 is 19.99 for `USD` and 1,999 for `JPY`.
    pub minor: i64,
}

/// Why two amounts could not be combined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result is larger than 2^63 - 1 minor units.
    #[error("the amount is too large")]
    Overflow,
    /// The amounts are in two currencies.
    #[error("the currencies {0} and {1} cannot be mixed")]
    MixedCurrencies(String, String),
}

impl Money {
    /// `minor` units of `currency`.
    pub fn new(currency: impl Into<String>, minor: i64) -> Self {
        Self {
            currency: currency.into(),
            minor,
        }
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// When the currencies differ or the sum does not fit.
    pub fn plus(&self, other: &Money) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies(
                self.currency.clone(),
                other.currency.clone(),
            ));
        }
        let minor = self.minor.checked_add(other.minor);
        Ok(Money::new(
            &self.currency,
            minor.ok_or(MoneyError::Overflow)?,
        ))
    }

    /// The amount `quantity` times.
    ///
    /// # Errors
    /// When the product does not fit.
    pub fn times(&self, quantity: i64) -> Result<Money, MoneyError> {
        let minor = self.minor.checked_mul(quantity);
        Ok(Money::new(
            &self.currency,
            minor.ok_or(MoneyError::Overflow)?,
        ))
    }

    /// Whether this is strictly more than `units` whole units of its own currency (5,000 means
    /// 5,000.00 dollars or 5,000 yen). False for a currency that is not in ISO 4217.
    pub fn exceeds_units(&self, units: i64) -> bool {
        match minor_digits(&self.currency) {
            Some(digits) => i128::from(self.minor) > i128::from(units) * 10i128.pow(digits),
            None => false,
        }
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = minor_digits(&self.currency).unwrap_or(0);
        let scale = 10u64.pow(digits);
        let (sign, abs) = (
            if self.minor < 0 { "-" } else { "" },
            self.minor.unsigned_abs(),
        );
        write!(f, "{sign}{}", abs / scale)?;
        if digits > 0 {
            write!(f, ".{:0width$}", abs % scale, width = digits as usize)?;
        }
        write!(f, " {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_follow_the_currency() {
        assert_eq!(minor_digits("USD"), Some(2));
        assert_eq!(minor_digits("JPY"), Some(0));
        assert_eq!(minor_digits("KWD"), Some(3));
        assert_eq!(minor_digits("ZZZ"), None);
        assert_eq!(Money::new("USD", 899_990).to_string(), "8999.90 USD");
        assert_eq!(Money::new("USD", -5).to_string(), "-0.05 USD");
        assert_eq!(Money::new("JPY", 12).to_string(), "12 JPY");
    }

    #[test]
    fn the_threshold_is_strict_and_in_whole_units() {
        assert!(!Money::new("USD", 500_000).exceeds_units(5_000));
        assert!(Money::new("USD", 500_001).exceeds_units(5_000));
        assert!(Money::new("JPY", 5_001).exceeds_units(5_000));
    }

    #[test]
    fn sums_never_mix_or_wrap() {
        let one = Money::new("USD", i64::MAX);
        assert_eq!(one.plus(&Money::new("USD", 1)), Err(MoneyError::Overflow));
        assert_eq!(one.times(2), Err(MoneyError::Overflow));
        assert!(matches!(
            one.plus(&Money::new("EUR", 1)),
            Err(MoneyError::MixedCurrencies(..))
        ));
    }
}
