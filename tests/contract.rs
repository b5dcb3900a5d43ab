//! Tests that hold the contract: schema, validation, status codes, recorded histories.

mod replay;
mod schema;
mod status_codes;
mod validation;
