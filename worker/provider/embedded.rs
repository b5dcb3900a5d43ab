//! The embedded providers: one for each port, on the tables of the store.

pub(super) mod fraud;
pub(super) mod inventory;
pub mod notification;
pub(super) mod payment;
pub(super) mod shipping;
pub(super) mod supplier;
