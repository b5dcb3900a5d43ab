//! UpdateShippingAddress: until the carrier has the parcel.

use super::is_moving_forward;
use crate::{address::Address, event::Change, order::Order};
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
    pub(super) fn change(&self) -> Change {
        Change::ShippingAddressUpdated {
            address: self.shipping_address.clone(),
        }
    }
}
