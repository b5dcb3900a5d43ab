//! ConfirmDelivery: the parcel arrived.

use crate::{
    event::Change,
    order::Order,
    state::{OrderState, ShipmentState},
};

pub(super) fn is_allowed(order: &Order) -> bool {
    order.state == OrderState::InTransit && order.shipment.state != ShipmentState::Delivered
}

pub(super) fn change() -> Change {
    Change::Delivered
}
