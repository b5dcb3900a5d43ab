//! The currencies in which orders are priced and paid.
//!
//! One rule: the currencies of ISO 4217 List One ("current currency and funds"), as amended up to
//! amendment 180 of 2025-09-22, which was the newest one on [`AS_OF`]. What List One marks as a fund
//! (`UYI`, `CLF`, `USN` and the like), precious metals, units of account and test codes (`XAU`, `XDR`,
//! `XTS`, `XXX`) are listed there as well, but nobody pays in them: they are refused.
//!
//! A withdrawn code is refused with the name of its successor. Its minor unit stays known, so that what
//! was recorded in it can be shown and given back.
//!
//! To follow a new amendment, change the lists and [`AS_OF`] here, and the lists in the rules of
//! `line_item.proto`, `confirm_payment.proto` and `signal_order.proto`, which a test compares with these.

use std::fmt;

/// When the lists were last compared with what the maintenance agency (SIX) publishes.
pub const AS_OF: &str = "2026-11-30";

/// Currencies without a minor unit.
const NO_DIGITS: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];

/// Currencies of which one unit has a hundred minor units.
const TWO_DIGITS: [&str; 132] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD",
    "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP",
    "CRC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP",
    "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS",
    "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN",
    "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR",
    "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE",
    "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD",
    "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VED", "VES", "WST", "XCD", "XCG", "YER", "ZAR",
    "ZMW", "ZWG",
];

/// Currencies of which one unit has a thousand minor units.
const THREE_DIGITS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Currencies of which one unit has ten thousand minor units.
const FOUR_DIGITS: [&str; 1] = ["UYW"];

/// Codes that List One has for something other than money to pay with: funds, metals, units of account,
/// and codes for tests and for no currency.
const NOT_MONEY: [&str; 22] = [
    "BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "XAD", "XAG", "XAU", "XBA", "XBB",
    "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX",
];

/// A code that was moved to List Three, "historic denominations".
struct Withdrawn {
    code: &'static str,
    /// The first day on which List One lacks it.
    since: &'static str,
    successor: &'static str,
    digits: u32,
}

const fn withdrawn(
    code: &'static str,
    since: &'static str,
    successor: &'static str,
    digits: u32,
) -> Withdrawn {
    Withdrawn {
        code,
        since,
        successor,
        digits,
    }
}

/// The codes that were withdrawn since 2015.
const WITHDRAWN: [Withdrawn; 11] = [
    withdrawn("ANG", "2025-03-31", "XCG", 2),
    withdrawn("BGN", "2026-01-01", "EUR", 2),
    withdrawn("BYR", "2017-01-01", "BYN", 0),
    withdrawn("CUC", "2021-07-01", "CUP", 2),
    withdrawn("HRK", "2023-01-01", "EUR", 2),
    withdrawn("LTL", "2015-01-01", "EUR", 2),
    withdrawn("MRO", "2018-01-01", "MRU", 2),
    withdrawn("SLL", "2024-01-01", "SLE", 2),
    withdrawn("STD", "2018-01-01", "STN", 2),
    withdrawn("VEF", "2018-08-20", "VES", 2),
    withdrawn("ZWL", "2024-09-01", "ZWG", 2),
];

/// Why nothing can be paid in a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPayable {
    /// It has been replaced.
    Withdrawn {
        /// Its code.
        code: &'static str,
        /// Since when.
        since: &'static str,
        /// The code that replaces it.
        successor: &'static str,
    },
    /// It is a fund, a metal, a unit of account or a test code.
    NotMoney {
        /// Its code.
        code: &'static str,
    },
    /// ISO 4217 has no such code.
    Unknown,
}

impl fmt::Display for NotPayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Withdrawn {
                code,
                since,
                successor,
            } => write!(
                f,
                "{code} is not a currency of ISO 4217 since {since}: use {successor}"
            ),
            Self::NotMoney { code } => write!(
                f,
                "{code} is not a currency to pay in: ISO 4217 has it for a fund, a metal or a unit of account"
            ),
            Self::Unknown => {
                f.write_str("is not a currency of ISO 4217 (three upper-case letters)")
            }
        }
    }
}

/// How many decimal digits the minor unit of a currency has in which orders can be paid now.
///
/// # Errors
/// When nothing can be paid in it.
pub fn payable_digits(code: &str) -> Result<u32, NotPayable> {
    if let Some(digits) = current_digits(code) {
        return Ok(digits);
    }
    if let Some(old) = withdrawn_code(code) {
        return Err(NotPayable::Withdrawn {
            code: old.code,
            since: old.since,
            successor: old.successor,
        });
    }
    match NOT_MONEY.iter().find(|listed| **listed == code) {
        Some(code) => Err(NotPayable::NotMoney { code }),
        None => Err(NotPayable::Unknown),
    }
}

/// How many decimal digits the minor unit of a currency has (`USD` 2, `JPY` 0, `KWD` 3), withdrawn
/// ones included; `None` for a code in which no amount was ever accepted.
pub fn minor_digits(code: &str) -> Option<u32> {
    current_digits(code).or_else(|| withdrawn_code(code).map(|old| old.digits))
}

fn current_digits(code: &str) -> Option<u32> {
    let is_in = |list: &[&str]| list.binary_search(&code).is_ok();
    if is_in(&TWO_DIGITS) {
        Some(2)
    } else if is_in(&NO_DIGITS) {
        Some(0)
    } else if is_in(&THREE_DIGITS) {
        Some(3)
    } else if is_in(&FOUR_DIGITS) {
        Some(4)
    } else {
        None
    }
}

fn withdrawn_code(code: &str) -> Option<&'static Withdrawn> {
    WITHDRAWN.iter().find(|old| old.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_in_one_list_and_in_its_place() {
        let lists: [&[&str]; 5] = [
            &NO_DIGITS,
            &TWO_DIGITS,
            &THREE_DIGITS,
            &FOUR_DIGITS,
            &NOT_MONEY,
        ];
        let mut all: Vec<&str> = Vec::new();
        for list in lists {
            assert!(list.is_sorted(), "looked up by halves: {list:?}");
            all.extend(list);
        }
        all.extend(WITHDRAWN.iter().map(|old| old.code));
        for code in &all {
            let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
            assert!(is_code, "{code}");
            let count = all.iter().filter(|other| *other == code).count();
            assert_eq!(count, 1, "{code}");
        }
    }

    #[test]
    fn current_money_is_payable_with_its_minor_unit() {
        let cases = [
            ("USD", 2),
            ("EUR", 2),
            ("XCG", 2),
            ("ZWG", 2),
            ("SLE", 2),
            ("VED", 2),
            ("VES", 2),
            ("CUP", 2),
            ("MGA", 2),
            ("JPY", 0),
            ("CLP", 0),
            ("XOF", 0),
            ("KWD", 3),
            ("IQD", 3),
            ("UYW", 4),
        ];
        for (code, digits) in cases {
            assert_eq!(payable_digits(code), Ok(digits), "{code}");
            assert_eq!(minor_digits(code), Some(digits), "{code}");
        }
    }

    #[test]
    fn withdrawn_codes_name_their_successor_and_keep_their_minor_unit() {
        for old in &WITHDRAWN {
            let refused = payable_digits(old.code).unwrap_err().to_string();
            assert!(refused.contains(old.successor), "{refused}");
            assert!(refused.contains("is not a currency"), "{refused}");
            assert!(payable_digits(old.successor).is_ok(), "{}", old.successor);
            assert_eq!(minor_digits(old.code), Some(old.digits));
        }
        for code in ["HRK", "CUC", "BGN", "ZWL", "SLL", "ANG"] {
            assert!(
                matches!(payable_digits(code), Err(NotPayable::Withdrawn { .. })),
                "{code}"
            );
        }
    }

    #[test]
    fn nobody_pays_in_funds_metals_and_units_of_account() {
        for code in [
            "UYI", "XAU", "XDR", "XTS", "XXX", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "BOV",
            "XAD",
        ] {
            let refused = payable_digits(code);
            assert_eq!(refused, Err(NotPayable::NotMoney { code }), "{code}");
            assert_eq!(minor_digits(code), None, "{code}");
        }
        for code in ["", "usd", "US", "USDX", "ZZZ", "US\0", "\u{ff35}SD"] {
            assert_eq!(payable_digits(code), Err(NotPayable::Unknown), "{code}");
        }
    }
}
