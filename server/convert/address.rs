//! Postal addresses.

use super::{text, violations::Violations};
use orders::v1;
use orders_domain::address::{Address, CITY_MOST, LINE_MOST, POSTAL_CODE_MOST, is_country};

/// The address in the field `shipping_address`; a missing one is a violation.
pub(super) fn parse_shipping_address(
    violations: &mut Violations,
    address: Option<&v1::Address>,
) -> Option<Address> {
    match address {
        Some(address) => violations.inside("shipping_address", |violations| {
            Some(parse_address(violations, address))
        }),
        None => {
            violations.push("shipping_address", "is required");
            None
        }
    }
}

fn parse_address(violations: &mut Violations, address: &v1::Address) -> Address {
    let v1::Address {
        line1,
        line2,
        city,
        region,
        postal_code,
        country_code,
    } = address;
    if country_code.is_empty() {
        violations.push("country_code", "is required: two letters of ISO 3166-1");
    } else if !is_country(country_code) {
        let code = text::quoted(country_code);
        let description = format!("{code} is not a country of ISO 3166-1 (two upper-case letters)");
        violations.push("country_code", description);
    }
    Address {
        line1: text::required(violations, "line1", line1, LINE_MOST),
        line2: text::optional(violations, "line2", line2, LINE_MOST),
        city: text::required(violations, "city", city, CITY_MOST),
        region: text::optional(violations, "region", region, CITY_MOST),
        postal_code: text::required(violations, "postal_code", postal_code, POSTAL_CODE_MOST),
        country_code: country_code.clone(),
    }
}

/// An address as a message.
pub(super) fn address(address: &Address) -> v1::Address {
    let Address {
        line1,
        line2,
        city,
        region,
        postal_code,
        country_code,
    } = address.clone();
    v1::Address {
        line1,
        line2,
        city,
        region,
        postal_code,
        country_code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The violated fields of an address that was right until `change`.
    fn wrong(change: impl FnOnce(&mut v1::Address)) -> Vec<String> {
        let mut asked = super::super::place_order::samples::address();
        change(&mut asked);
        let mut violations = Violations::new();
        let parsed = parse_shipping_address(&mut violations, Some(&asked));
        match violations.into_result(parsed) {
            Ok(parsed) => {
                assert_eq!(address(&parsed), asked);
                Vec::new()
            }
            Err(found) => found.into_iter().map(|v| v.field).collect(),
        }
    }

    #[test]
    fn every_field_has_its_limit() {
        let none: [&str; 0] = [];
        assert_eq!(wrong(|_| ()), none);
        assert_eq!(wrong(|a| a.line1 = "ä".repeat(200)), none);
        assert_eq!(
            wrong(|a| a.line1 = "ä".repeat(201)),
            ["shipping_address.line1"]
        );
        assert_eq!(wrong(|a| a.line1.clear()), ["shipping_address.line1"]);
        assert_eq!(wrong(|a| a.line2 = "x".repeat(200)), none);
        assert_eq!(
            wrong(|a| a.line2 = "x".repeat(201)),
            ["shipping_address.line2"]
        );
        assert_eq!(wrong(|a| a.city = "x".repeat(100)), none);
        assert_eq!(
            wrong(|a| a.city = "x".repeat(101)),
            ["shipping_address.city"]
        );
        assert_eq!(wrong(|a| a.city.clear()), ["shipping_address.city"]);
        assert_eq!(wrong(|a| a.region = "x".repeat(100)), none);
        assert_eq!(
            wrong(|a| a.region = "x".repeat(101)),
            ["shipping_address.region"]
        );
        assert_eq!(wrong(|a| a.postal_code = "x".repeat(20)), none);
        assert_eq!(
            wrong(|a| a.postal_code = "x".repeat(21)),
            ["shipping_address.postal_code"]
        );
        assert_eq!(
            wrong(|a| a.postal_code.clear()),
            ["shipping_address.postal_code"]
        );
    }

    #[test]
    fn a_country_is_one_of_iso_3166() {
        for code in ["AD", "DE", "US", "ZW"] {
            assert!(is_country(code), "{code}");
        }
        // XK, which some use for Kosovo, is not in ISO 3166-1.
        for code in [
            "", "D", "de", "XK", "DEU", "ZZ", "UK", "D ", " D", "AD AE", "Ä",
        ] {
            assert!(!is_country(code), "{code}");
            let field = ["shipping_address.country_code"];
            assert_eq!(wrong(|a| a.country_code = code.to_owned()), field, "{code}");
        }
    }

    #[test]
    fn a_missing_address_is_one_violation() {
        let mut violations = Violations::new();
        let parsed = parse_shipping_address(&mut violations, None);
        let found = violations.into_result(parsed).unwrap_err();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].field, "shipping_address");
        let mut violations = Violations::new();
        let empty = v1::Address::default();
        let parsed = parse_shipping_address(&mut violations, Some(&empty));
        assert_eq!(violations.into_result(parsed).unwrap_err().len(), 4);
    }
}
