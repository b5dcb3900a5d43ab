//! The options of an address.

use clap::Args;
use orders::v1::Address;

/// A postal address.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Shipping address")]
pub struct AddressOptions {
    /// First line: street and number.
    #[arg(long, value_name = "TEXT")]
    line1: Option<String>,
    /// Second line.
    #[arg(long, value_name = "TEXT")]
    line2: Option<String>,
    /// City.
    #[arg(long, value_name = "TEXT")]
    city: Option<String>,
    /// State, province or region.
    #[arg(long, value_name = "TEXT")]
    region: Option<String>,
    /// Postal code.
    #[arg(long, value_name = "TEXT")]
    postal_code: Option<String>,
    /// Country: two letters of ISO 3166-1, as DE.
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
}

impl AddressOptions {
    /// The address; none when no part of it was given.
    pub fn address(self) -> Option<Address> {
        let Self {
            line1,
            line2,
            city,
            region,
            postal_code,
            country,
        } = self;
        let address = Address {
            line1: line1.unwrap_or_default(),
            line2: line2.unwrap_or_default(),
            city: city.unwrap_or_default(),
            region: region.unwrap_or_default(),
            postal_code: postal_code.unwrap_or_default(),
            country_code: country.unwrap_or_default(),
        };
        (address != Address::default()).then_some(address)
    }
}

/// An address in one line.
pub fn text(address: &Address) -> String {
    let Address {
        line1,
        line2,
        city,
        region,
        postal_code,
        country_code,
    } = address;
    let region = format!("{region} {postal_code}");
    let parts = [line1, line2, city, region.trim(), country_code];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}
