//! The rules of the contract, as checks in Rust: what a request has to be in itself.
//!
//! The build script generates [`Check`] for every message of a request from its rules of `buf.validate`, so that
//! protovalidate in any language and this give the same verdict. Rules in CEL that compare several fields are not
//! among them; the server says those by hand.

mod checks;
mod found;
mod generated;

pub use found::{Broken, Found};

/// A message whose rules can be checked.
pub trait Check {
    /// Notes every rule that the message breaks.
    fn check(&self, found: &mut Found);
}
