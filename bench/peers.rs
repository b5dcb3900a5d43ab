//! The described systems: their command sequences on the Python SDK, on the same Temporal.

use crate::load::Rate;
use serde::Deserialize;
use std::path::PathBuf;
use tokio::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/peers");
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/venv/bin/python");

#[derive(Deserialize)]
struct Told {
    per_second: f64,
    p50: f64,
    p99: f64,
    events: usize,
}

/// Runs one; gives its rate and the history events of one order.
pub async fn run(address: &str, peer: &str, count: usize, at_once: usize) -> (Rate, usize) {
    let ran = Command::new(PathBuf::from(PYTHON))
        .current_dir(FOLDER)
        .arg("-B")
        .args([
            "throughput.py",
            address,
            &count.to_string(),
            &at_once.to_string(),
            peer,
        ])
        .kill_on_drop(true)
        .output();
    let ran = ran.await.expect("python of `make tools test-tools`");
    let told = serde_json::from_slice::<Told>(&ran.stdout).unwrap_or_else(|error| {
        panic!("{peer}: {error}\n{}", String::from_utf8_lossy(&ran.stderr))
    });
    let Told {
        per_second,
        p50,
        p99,
        events,
    } = told;
    (
        Rate {
            per_second,
            p50,
            p99,
        },
        events,
    )
}
