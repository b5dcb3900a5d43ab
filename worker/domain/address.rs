//! Where a shipment goes.

use serde::{Deserialize, Serialize};

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
