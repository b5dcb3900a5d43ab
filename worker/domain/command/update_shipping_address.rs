//! UpdateShippingAddress: until the carrier has the parcel.

use super::{Refusal, content, is_moving_forward};
use crate::{
    address::{Address, CITY_MOST, LINE_MOST, POSTAL_CODE_MOST, is_country},
    event::Change,
    order::Order,
};
use serde::{Deserialize, Serialize};

/// Where it goes instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateShippingAddress {
    /// The new address.
    pub shipping_address: Address,
}

pub(super) fn is_allowed(order: &Order) -> bool {
    is_moving_forward(order) && !order.may_be_dispatched()
}

impl UpdateShippingAddress {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let Address {
            line1,
            line2,
            city,
            region,
            postal_code,
            country_code,
        } = &self.shipping_address;
        content::required_words("shipping_address.line1", line1, LINE_MOST)?;
        content::words("shipping_address.line2", line2, LINE_MOST)?;
        content::required_words("shipping_address.city", city, CITY_MOST)?;
        content::words("shipping_address.region", region, CITY_MOST)?;
        let field = "shipping_address.postal_code";
        content::required_words(field, postal_code, POSTAL_CODE_MOST)?;
        if is_country(country_code) {
            return Ok(());
        }
        let description = "must be a country of ISO 3166-1 (two upper-case letters)";
        Err(Refusal::invalid(
            "shipping_address.country_code",
            description,
        ))
    }

    pub(super) fn change(&self) -> Change {
        Change::ShippingAddressUpdated {
            address: self.shipping_address.clone(),
        }
    }
}
