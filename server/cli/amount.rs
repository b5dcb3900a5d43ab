//! Amounts as people read and write them: `499.99 USD`. Integers only, never a float.

use super::failure::Failure;
use orders::google::r#type::Money as ProtoMoney;
use orders_domain::{
    currency::{NotPayable, minor_digits, payable_digits},
    money::Money,
};

/// Reads `499.99` as an amount of a currency; `option` names it in errors.
///
/// # Errors
/// When it is not a plain number, finer than the currency's minor unit, or too large.
pub fn parse(option: &str, text: &str, currency: &str) -> Result<ProtoMoney, Failure> {
    let wrong = |why: &str| Failure::usage(format!("{option} {text}: {why}"));
    let digits = payable_digits(currency).map_err(|refused| {
        Failure::usage(match refused {
            NotPayable::Unknown => {
                format!("--currency {currency} is not a currency of ISO 4217, as USD, EUR or JPY")
            }
            refused => format!("--currency {currency}: {refused}"),
        })
    })?;
    let (units, fraction) = match text.split_once('.') {
        None => (text, ""),
        Some((_, "")) => return Err(wrong("digits are missing after the point")),
        Some(parts) => parts,
    };
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if units.is_empty() || !is_number(units) || !is_number(fraction) {
        return Err(wrong(
            "give an amount in digits with at most one point, as 499.99",
        ));
    }
    if fraction.len() > digits as usize {
        return Err(wrong(&format!(
            "{currency} has {digits} digits after the point"
        )));
    }
    let missing = digits as usize - fraction.len();
    let minor = format!("{units}{fraction}{}", "0".repeat(missing));
    match minor.parse() {
        Ok(minor) => Ok(message(&Money::new(currency, minor))),
        Err(_) => Err(wrong("the amount is too large")),
    }
}

/// An amount in words: `499.99 USD`.
pub fn text(money: &ProtoMoney) -> String {
    match amount(money) {
        Some(money) => money.to_string(),
        // Of a currency that this client does not know.
        None => {
            let ProtoMoney {
                currency_code,
                units,
                nanos,
            } = money;
            format!("{units} + {nanos}e-9 {currency_code}")
        }
    }
}

/// `quantity` times an amount in words; none when it does not fit.
pub fn times(money: &ProtoMoney, quantity: i64) -> Option<String> {
    let product = amount(money)?.times(quantity).ok()?;
    Some(product.to_string())
}

fn amount(money: &ProtoMoney) -> Option<Money> {
    let ProtoMoney {
        currency_code,
        units,
        nanos,
    } = money;
    let digits = minor_digits(currency_code)?;
    Money::from_parts(currency_code, digits, *units, *nanos).ok()
}

fn message(money: &Money) -> ProtoMoney {
    let (units, nanos) = money.to_parts();
    ProtoMoney {
        currency_code: money.currency.clone(),
        units,
        nanos,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, currency: &str) -> Option<String> {
        let money = parse("--amount", text, currency).ok()?;
        Some(super::text(&money))
    }

    #[test]
    fn amounts_are_exact() {
        assert_eq!(read("499.99", "USD").unwrap(), "499.99 USD");
        assert_eq!(read("0.1", "USD").unwrap(), "0.10 USD");
        assert_eq!(read("007", "EUR").unwrap(), "7.00 EUR");
        assert_eq!(read("500", "JPY").unwrap(), "500 JPY");
        assert_eq!(read("1.234", "KWD").unwrap(), "1.234 KWD");
        let most = "92233720368547758.07";
        assert_eq!(read(most, "USD").unwrap(), format!("{most} USD"));
        let money = parse("--amount", "499.99", "USD").unwrap();
        assert_eq!((money.units, money.nanos), (499, 990_000_000));
        assert_eq!(times(&money, 2).unwrap(), "999.98 USD");
        assert_eq!(times(&money, i64::MAX), None);
    }

    #[test]
    fn what_is_not_exact_or_not_plain_is_refused() {
        let wrong = [
            ("", "USD"),
            ("-1", "USD"),
            ("+1", "USD"),
            ("1,000.00", "USD"),
            ("1.000", "USD"),
            ("1.", "USD"),
            (".5", "USD"),
            ("1.2.3", "USD"),
            ("1e3", "USD"),
            ("1.5", "JPY"),
            ("92233720368547758.08", "USD"),
            ("99999999999999999999999", "USD"),
            ("1", "usd"),
            ("1", "XXX"),
            ("1", "BGN"),
            ("1", "UYI"),
            ("\u{661}", "USD"),
        ];
        for (text, currency) in wrong {
            assert_eq!(read(text, currency), None, "{text} {currency}");
        }
    }
}
