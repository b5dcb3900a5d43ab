//! The binary under test.

use std::path::PathBuf;

/// Returns the path of the binary `orders` that cargo has built with the running test or benchmark.
///
/// # Panics
/// When it is not there: only targets of the package `orders-server` have it built.
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("CARGO_BIN_EXE_orders") {
        return path.into();
    }
    // Run without cargo: the test is target/PROFILE/deps/NAME, and the binary target/PROFILE/orders.
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("orders");
    assert!(path.is_file(), "{} is not built", path.display());
    path
}
