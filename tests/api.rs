//! Tests of the calls: their answers and their refusals.

mod cli;
mod edge;
mod idempotency;
mod invalid;
mod inventory;
mod listing;
mod reads;
mod signals;
mod watch;
