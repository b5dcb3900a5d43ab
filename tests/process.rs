//! Tests of the order process: policies, money, parcels, stock and messages.

mod approval;
mod defects;
mod external_payment;
mod notifications;
mod outside_payment;
mod payment_tokens;
mod pickup;
mod pre_order;
mod replenishment;
pub(crate) mod scenarios;
mod shipping_lane;
mod standard;
mod time;
