//! The described systems: their command sequences on the Python SDK, on the same Temporal.

use crate::load::Rate;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};
use tokio::process::Command;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/peers");
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/venv/bin/python");

/// Longer than the slowest of them takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(300);

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
    let ran = tokio::time::timeout(PATIENCE, ran).await;
    let ran = ran.unwrap_or_else(|_| panic!("{peer}: not done within {PATIENCE:?}"));
    let ran = ran.expect("python of `make bench-tools`");
    let said = String::from_utf8_lossy(&ran.stdout);
    // The SDK of the peer writes its warnings to the same output.
    let last = said.lines().next_back().unwrap_or_default();
    let told = serde_json::from_str::<Told>(last).unwrap_or_else(|error| {
        let complaints = String::from_utf8_lossy(&ran.stderr);
        panic!("{peer}: {}: {error}\n{said}{complaints}", ran.status)
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
