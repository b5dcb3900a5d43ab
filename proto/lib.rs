//! The generated API of the orders service: the messages, clients and servers of the Protobuf package `orders.v1`.
//!
//! The contract, with every meaning, unit and limit, is `proto/orders/v1/*.proto`, and `build.rs` turns it into Rust.
//! Written by hand are `redacted.rs`, which keeps payment tokens out of logs, [`endpoint`], how a client reaches a
//! server, [`pem`], how files of certificates are read, and what the generated checks of [`rules`] are made of.
//!
//! # Layout
//!
//! - [`v1`]: all messages and enums, in one module whichever file they come from.
//!   - [`v1::order_service_client`], [`v1::order_service_server`]: the order service.
//!   - [`v1::inventory_service_client`], [`v1::inventory_service_server`]: the inventory service.
//!   - [`v1::signal_order_request`]: the commands that `SignalOrder` takes.
//! - [`provider::v1`]: what the server asks of a payment provider outside of it.
//! - [`rules`]: the checks of what a request has to be in itself.
//! - [`google::type`]: [`Money`](google::type::Money) (in code `google::r#type::Money`), vendored in
//!   `proto/third_party`.
//! - [`REPLAYED`]: the one trailer of the contract.
//! - [`RETRIED`]: what may be sent again.
//! - [`FILE_DESCRIPTOR_SET`]: all of it and what it imports, encoded, for reflection.
//!
//! Times and durations are those of [`prost_types`]. In a message an enum's field is an `i32`; prost makes a getter
//! of the field's name that answers the enum.

// The generated code refers to other packages by `super::super`, so each package is a path of its own from the root.
mod orders {
    pub mod v1 {
        //! Package `orders.v1`: the contract of the orders service.
        tonic::include_proto!("orders.v1");
    }
    /// Contracts of those whom the server asks.
    pub mod provider {
        pub mod v1 {
            //! Package `orders.provider.v1`: what the server asks of a payment provider.
            tonic::include_proto!("orders.provider.v1");
        }
    }
}

pub use orders::{provider, v1};

pub mod endpoint;
pub mod pem;
mod redacted;
pub mod rules;

/// Packages of Google APIs that the contract uses.
pub mod google {
    /// Package `google.type`: common types.
    pub mod r#type {
        tonic::include_proto!("google.r#type");
    }
}

/// The trailer of an answer to a request that was answered before.
pub const REPLAYED: &str = "orders-replayed";

/// The statuses after which the same request may be sent again: nothing was done, or it is done once for its
/// request id. The published service config has the same.
pub const RETRIED: [tonic::Code; 2] = [tonic::Code::Unavailable, tonic::Code::ResourceExhausted];

/// The encoded `google.protobuf.FileDescriptorSet` of the contract with all its imports, comments and custom options.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/orders_descriptor_set.bin"));
