//! Amounts as whole units and billionths of a unit, the form of `google.type.Money`, exactly.

use super::Money;
use crate::currency::minor_digits;

/// Digits of a billionth (nano).
const NANO_DIGITS: u32 = 9;
/// The largest count of nanos, on either side of zero.
const MOST_NANOS: i32 = 999_999_999;

/// Why units and nanos are no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    /// The nanos are a whole unit or more.
    #[error("must be from -999,999,999 to 999,999,999")]
    NanosOutOfRange,
    /// One part is above zero and the other one below.
    #[error("must have the same sign as units")]
    SignsDiffer,
    /// The minor unit is smaller than a nano.
    #[error("has a minor unit that nanos cannot hold")]
    MinorUnitTooSmall,
    /// The amount is finer than the minor unit.
    #[error("must be exact in the minor unit: {digits} decimal digits")]
    NotExact {
        /// The digits of the minor unit after the decimal point.
        digits: u32,
    },
    /// The amount is larger than 2^63 - 1 minor units.
    #[error("is too large")]
    TooLarge,
}

/// Checks the rules that hold for units and nanos of every currency.
///
/// # Errors
/// When the nanos are out of their range, or their sign is not that of the units.
pub fn check_parts(units: i64, nanos: i32) -> Result<(), PartsError> {
    if !(-MOST_NANOS..=MOST_NANOS).contains(&nanos) {
        return Err(PartsError::NanosOutOfRange);
    }
    if (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
        return Err(PartsError::SignsDiffer);
    }
    Ok(())
}

impl Money {
    /// Returns the amount of `units` and `nanos` in a currency whose minor unit has `digits` digits.
    ///
    /// # Errors
    /// When the parts break a rule, are finer than the minor unit, or do not fit.
    pub fn from_parts(
        currency: &str,
        digits: u32,
        units: i64,
        nanos: i32,
    ) -> Result<Money, PartsError> {
        check_parts(units, nanos)?;
        let nano_digits = NANO_DIGITS.checked_sub(digits);
        let nano_digits = nano_digits.ok_or(PartsError::MinorUnitTooSmall)?;
        let nanos_per_minor = 10i32.pow(nano_digits);
        if nanos % nanos_per_minor != 0 {
            return Err(PartsError::NotExact { digits });
        }
        let minor = i128::from(units) * 10i128.pow(digits) + i128::from(nanos / nanos_per_minor);
        let minor = i64::try_from(minor).map_err(|_| PartsError::TooLarge)?;
        Ok(Money::new(currency, minor))
    }

    /// Returns the whole units and the nanos of the amount. Both have its sign.
    pub fn to_parts(&self) -> (i64, i32) {
        let digits = minor_digits(&self.currency).unwrap_or(0).min(NANO_DIGITS);
        let scale = 10i64.pow(digits);
        // The remainder has the sign of the dividend, and is below 10^9.
        let nanos = (self.minor % scale) * 10i64.pow(NANO_DIGITS - digits);
        (self.minor / scale, i32::try_from(nanos).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_error() {
        let usd = |units, nanos| Money::from_parts("USD", 2, units, nanos);
        assert_eq!(usd(19, 990_000_000), Ok(Money::new("USD", 1_999)));
        assert_eq!(usd(-1, -750_000_000), Ok(Money::new("USD", -175)));
        assert_eq!(usd(0, 1_000_000_000), Err(PartsError::NanosOutOfRange));
        assert_eq!(usd(1, -10_000_000), Err(PartsError::SignsDiffer));
        assert_eq!(usd(1, 1), Err(PartsError::NotExact { digits: 2 }));
        assert_eq!(usd(i64::MAX, 0), Err(PartsError::TooLarge));
        let fine = Money::from_parts("USD", 10, 1, 0);
        assert_eq!(fine, Err(PartsError::MinorUnitTooSmall));
    }

    #[test]
    fn parts_have_the_sign_of_the_amount() {
        assert_eq!(Money::new("USD", -175).to_parts(), (-1, -750_000_000));
        assert_eq!(Money::new("JPY", 500).to_parts(), (500, 0));
        assert_eq!(Money::new("KWD", 1).to_parts(), (0, 1_000_000));
    }
}
