//! `make demo`, run as it stands, with the binary under test.

use orders_test_support::temporal;
use std::process::Command;

#[tokio::test]
async fn the_demo_tells_of_failures_and_ends_every_order() {
    let tools = temporal::tool("temporal").expect("run `make tools`");
    let path = std::env::var("PATH").unwrap_or_default();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tooling/demo");
    let run = move || {
        Command::new("sh")
            .arg(script)
            .env("ORDERS", env!("CARGO_BIN_EXE_orders"))
            .env(
                "PATH",
                format!("{}:{path}", tools.parent().unwrap().display()),
            )
            .env("TZ", "UTC")
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    for part in [
        "SIMULATION: all:error=0.3,hang=0.15,lost=0.15",
        "attempt 1 failed: simulated:",
        "no answer within 250ms",
        "the answer to capture_payment was lost",
        "undone: release_reservation",
        "undone: refund_payment",
        "payment declined (simulated: payments above 10000 are declined)",
        "package prepared",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    // Once the parcel was picked up, the carrier is asked for nothing more: no second van.
    let pre_order = text.split("=== pre-order").nth(1).unwrap();
    let pre_order = pre_order.split("\n=== ").next().unwrap();
    let (before, after) = pre_order.split_once("picked up").expect(pre_order);
    assert!(before.contains("request_pickup") || before.contains("pickup requested"));
    assert!(!after.contains("request_pickup"), "{pre_order}");
    assert!(!after.contains("pickup requested"), "{pre_order}");
    let list = text.split("=== in the end").nth(1).unwrap();
    for (order, state) in [
        ("demo-standard", "COMPLETED"),
        ("demo-pre-order", "COMPLETED"),
        ("demo-external", "COMPLETED"),
        ("demo-stock", "COMPLETED"),
        ("demo-lane", "COMPLETED"),
        ("demo-approval", "COMPLETED"),
        ("demo-cancelled", "CANCELLED"),
        ("demo-declined", "REJECTED"),
    ] {
        let row = |line: &&str| line.starts_with(&format!("{order} "));
        let row = list.lines().find(row).expect(order);
        assert!(row.contains(state), "{row}");
    }
    // 999 of 1,000 were sold and 10,000 are there; of 100 consoles 14 were sold, none is held.
    let stock: Vec<Vec<&str>> = list
        .lines()
        // Without the revision at the end.
        .map(|line| line.split_whitespace().take(6).collect())
        .collect();
    assert!(stock.contains(&vec!["123456", "10000", "0", "10000", "5000", "10000"]));
    assert!(stock.contains(&vec!["console", "86", "0", "86", "0", "0"]));
}
