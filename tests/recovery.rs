//! Tests of crashes, outages and bugs: nothing is lost, and nothing is done twice.

mod crash;
mod healing;
mod outages;
pub(crate) mod soak;
mod torture;
