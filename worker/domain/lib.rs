//! Plain types and pure rules of an order. Nothing in here does I/O, reads a clock or draws a
//! random number, so the same functions serve the store's transactions, the workflow's replay and
//! the property tests.
//!
//! The story of an order is [`phase::todo`]: given an [`order::Order`] it says what happens next.
//! What happened is an [`event::Event`]; [`apply`] folds events into the order. The order that the
//! store keeps and the order that the workflow keeps are the same fold of the same events.

pub mod address;
mod apply;
pub mod attention;
pub mod command;
pub mod currency;
pub mod effect;
pub mod event;
pub mod explain;
pub mod later;
pub mod message;
pub mod milestone;
pub mod money;
pub mod movement;
mod named;
pub mod operate;
pub mod order;
pub mod payment_method;
pub mod phase;
pub mod place;
pub mod policy;
pub mod received;
pub mod rfc3339;
pub mod state;
pub mod step;
pub mod text;
pub mod visible;

/// A hash of some texts, to tell apart two requests that bring the same id: 64 hexadecimal digits.
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        // The length in front keeps ("ab", "c") and ("a", "bc") apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod property_tests;
