//! Money: `google.type.Money` and the domain's minor units, exactly.

use super::{text::quoted, violations::Violations};
use orders::google::r#type::Money as ProtoMoney;
use orders_domain::{
    currency::{NotPayable, minor_digits, payable_digits},
    money::{Money, PartsError, check_parts},
};

/// The amount in the message that is looked at, in a currency in which orders can be paid; none is a
/// violation.
pub(super) fn parse_money(violations: &mut Violations, money: &ProtoMoney) -> Option<Money> {
    let code = &money.currency_code;
    let digits = payable_digits(code);
    match digits {
        Ok(_) => {}
        Err(_) if code.is_empty() => {
            violations.push("currency_code", "is required: three letters of ISO 4217");
        }
        Err(unknown @ NotPayable::Unknown) => {
            violations.push("currency_code", format!("{} {unknown}", quoted(code)));
        }
        Err(refused) => violations.push("currency_code", refused.to_string()),
    }
    parse_number(violations, money, digits.ok())
}

/// The amount in the message that is looked at, in a currency with so many digits of its minor unit.
fn parse_number(
    violations: &mut Violations,
    money: &ProtoMoney,
    digits: Option<u32>,
) -> Option<Money> {
    let ProtoMoney {
        currency_code,
        units,
        nanos,
    } = money;
    let read = check_parts(*units, *nanos).and_then(|()| {
        let money = digits.map(|digits| Money::from_parts(currency_code, digits, *units, *nanos));
        money.transpose()
    });
    read.unwrap_or_else(|error| {
        violations.push(field_of(error), error.to_string());
        None
    })
}

/// The field of the message that an error is about.
fn field_of(error: PartsError) -> &'static str {
    match error {
        PartsError::NanosOutOfRange | PartsError::SignsDiffer | PartsError::NotExact { .. } => {
            "nanos"
        }
        PartsError::MinorUnitTooSmall => "currency_code",
        PartsError::TooLarge => "units",
    }
}

/// The amount in `field`, if it is there.
pub(super) fn money_in(
    violations: &mut Violations,
    field: &'static str,
    money: Option<&ProtoMoney>,
) -> Option<Money> {
    violations.inside(field, |violations| parse_money(violations, money?))
}

/// The amount of a message, in a current or a withdrawn currency; `None` when it breaks a rule of
/// `google.type.Money`.
pub fn amount(money: &ProtoMoney) -> Option<Money> {
    let digits = minor_digits(&money.currency_code);
    parse_number(&mut Violations::new(), money, digits)
}

/// An amount as a message.
pub fn money(money: &Money) -> ProtoMoney {
    let (units, nanos) = money.to_parts();
    ProtoMoney {
        currency_code: money.currency.clone(),
        units,
        nanos,
    }
}

/// `minor` units of the currency of `total` as a message; none for zero.
pub(super) fn some_money(total: &Money, minor: i64) -> Option<ProtoMoney> {
    (minor != 0).then(|| money(&Money::new(&total.currency, minor)))
}

#[cfg(test)]
mod tests {
    use super::{super::violations::Verdict, *};
    use proptest::prelude::*;

    fn proto(currency: &str, units: i64, nanos: i32) -> ProtoMoney {
        ProtoMoney {
            currency_code: currency.to_owned(),
            units,
            nanos,
        }
    }

    fn parse(currency: &str, units: i64, nanos: i32) -> Result<Money, String> {
        let mut violations = Violations::new();
        let parsed = parse_money(&mut violations, &proto(currency, units, nanos));
        violations.into_result(parsed).map_err(|found| {
            let fields: Vec<String> = found.into_iter().map(|v| v.field).collect();
            fields.join(",")
        })
    }

    #[test]
    fn amounts_are_exact_in_their_minor_unit() {
        assert_eq!(parse("USD", 19, 990_000_000), Ok(Money::new("USD", 1999)));
        assert_eq!(parse("USD", -1, -750_000_000), Ok(Money::new("USD", -175)));
        assert_eq!(parse("USD", 0, -10_000_000), Ok(Money::new("USD", -1)));
        assert_eq!(parse("JPY", 500, 0), Ok(Money::new("JPY", 500)));
        assert_eq!(parse("KWD", 1, 1_000_000), Ok(Money::new("KWD", 1001)));
        assert_eq!(parse("USD", 1, 1_000_000), Err("nanos".to_owned()));
        assert_eq!(parse("USD", 1, 1), Err("nanos".to_owned()));
        assert_eq!(parse("JPY", 1, 500_000_000), Err("nanos".to_owned()));
    }

    #[test]
    fn the_rules_of_the_message_hold() {
        assert_eq!(parse("USD", 1, -10_000_000), Err("nanos".to_owned()));
        assert_eq!(parse("USD", -1, 10_000_000), Err("nanos".to_owned()));
        assert!(parse("USD", 0, 990_000_000).is_ok());
        assert_eq!(parse("USD", 0, 1_000_000_000), Err("nanos".to_owned()));
        assert_eq!(parse("USD", 0, -1_000_000_000), Err("nanos".to_owned()));
        assert_eq!(parse("USD", 0, i32::MIN), Err("nanos".to_owned()));
        let wrong = ["", "usd", "US", "USDX", "ZZZ", "XAU", "US\u{0}", "CLF"];
        for code in wrong.into_iter().chain(["HRK", "BGN", "ANG", "UYI"]) {
            assert_eq!(parse(code, 1, 0), Err("currency_code".to_owned()), "{code}");
        }
        assert_eq!(parse("ZZZ", 1, -1), Err("currency_code,nanos".to_owned()));
    }

    #[test]
    fn amounts_end_where_the_domain_ends() {
        let most = parse("USD", 92_233_720_368_547_758, 70_000_000);
        assert_eq!(most, Ok(Money::new("USD", i64::MAX)));
        assert_eq!(
            parse("USD", 92_233_720_368_547_758, 80_000_000),
            Err("units".to_owned())
        );
        assert_eq!(parse("USD", i64::MAX, 0), Err("units".to_owned()));
        assert_eq!(parse("JPY", i64::MIN, 0), Ok(Money::new("JPY", i64::MIN)));
    }

    #[test]
    fn zero_keeps_its_currency_and_no_amount_is_unset() {
        let total = Money::new("EUR", 5);
        assert_eq!(money(&Money::new("EUR", 0)), proto("EUR", 0, 0));
        assert_eq!(some_money(&total, 0), None);
        assert_eq!(some_money(&total, 250), Some(proto("EUR", 2, 500_000_000)));
    }

    const CURRENCIES: [&str; 5] = ["USD", "EUR", "JPY", "KWD", "UYW"];

    proptest! {
        #[test]
        fn from_the_domain_and_back(code in prop::sample::select(&CURRENCIES[..]), minor: i64) {
            let amount = Money::new(code, minor);
            let sent = money(&amount);
            prop_assert!(sent.units.signum() as i32 * sent.nanos.signum() >= 0);
            prop_assert_eq!(parse(code, sent.units, sent.nanos), Ok(amount));
        }

        #[test]
        fn from_the_message_and_back(
            code in prop::sample::select(&CURRENCIES[..]),
            units in -1_000_000i64..1_000_000,
            steps in 0..1_000i32,
            step in prop::sample::select(vec![1, 100_000, 1_000_000]),
        ) {
            let nanos = steps * step * if units < 0 { -1 } else { 1 };
            if let Ok(amount) = parse(code, units, nanos) {
                prop_assert_eq!(money(&amount), proto(code, units, nanos));
            } else {
                // Refused only because it is finer than the minor unit.
                let digits = minor_digits(code).unwrap();
                prop_assert!(nanos % 10i32.pow(9 - digits) != 0);
            }
        }

        #[test]
        fn no_amount_panics(code in ".{0,4}", units: i64, nanos: i32) {
            let _ = parse(&code, units, nanos);
            let _ = parse("USD", units, nanos);
        }
    }
}
