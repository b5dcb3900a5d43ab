//! Postal addresses.

use super::{text, violations::Violations};
use orders::v1;
use orders_domain::address::{Address, is_country};

/// The address in the field `shipping_address`, if it is there.
pub(super) fn parse_shipping_address(
    violations: &mut Violations,
    address: Option<&v1::Address>,
) -> Option<Address> {
    violations.inside("shipping_address", |violations| {
        Some(parse_address(violations, address?))
    })
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
    if !country_code.is_empty() && !is_country(country_code) {
        let code = text::quoted(country_code);
        let description = format!("{code} is not a country of ISO 3166-1 (two upper-case letters)");
        violations.say("country_code", description);
    }
    Address {
        line1: line1.clone(),
        line2: line2.clone(),
        city: city.clone(),
        region: region.clone(),
        postal_code: postal_code.clone(),
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
    use super::{super::violations::Verdict, *};
    use orders::rules::Check;

    /// The violated fields of an address that was right until `change`.
    fn wrong(change: impl FnOnce(&mut v1::Address)) -> Vec<String> {
        let mut asked = super::super::place_order::samples::address();
        change(&mut asked);
        let mut violations = Violations::new();
        violations.inside("shipping_address", |found| asked.check(found));
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
        let request = v1::PlaceOrderRequest::default();
        let mut violations = Violations::in_request(&request);
        let parsed = parse_shipping_address(&mut violations, None);
        let mut found = violations.into_result(parsed).unwrap_err();
        found.retain(|violation| violation.field.starts_with("shipping_address"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].field, "shipping_address");
        let mut violations = Violations::new();
        let empty = v1::Address::default();
        empty.check(&mut violations);
        let parsed = parse_shipping_address(&mut violations, Some(&empty));
        assert_eq!(violations.into_result(parsed).unwrap_err().len(), 4);
    }
}
