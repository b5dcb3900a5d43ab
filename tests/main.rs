//! The service as its users meet it: a real server, a real Temporal, a real database, through the
//! wire. One binary, so that tests share what is slow to start; each test brings its own ids.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should stop, with the line that says where"
)]

mod api;
mod contract;
mod operations;
mod process;
mod recovery;
mod tooling;
