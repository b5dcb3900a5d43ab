//! Where a shipment goes.

use serde::{Deserialize, Serialize};

/// The longest line, in characters.
pub const LINE_MOST: usize = 200;
/// The longest city and region, in characters.
pub const CITY_MOST: usize = 100;
/// The longest postal code, in characters.
pub const POSTAL_CODE_MOST: usize = 20;

/// A postal address. Required: `line1`, `city`, `postal_code`, `country_code`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub line1: String,
    /// Flat, floor, company; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub line2: String,
    /// City or town.
    pub city: String,
    /// State or province; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Postal code as the country writes it.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2, two capital letters.
    pub country_code: String,
}

/// Returns whether a country has this code of ISO 3166-1 alpha-2.
pub fn is_country(code: &str) -> bool {
    rust_iso3166::from_alpha2(code).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_one_of_iso_3166() {
        for code in ["AD", "DE", "US", "ZW"] {
            assert!(is_country(code), "{code}");
        }
        for code in ["", "D", "de", "DEU", "ZZ", "UK", "D ", " D", "AD AE", "Ä"] {
            assert!(!is_country(code), "{code}");
        }
        let letters = || 'A'..='Z';
        let pairs =
            letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
        assert_eq!(pairs.filter(|code| is_country(code)).count(), 249);
    }
}
