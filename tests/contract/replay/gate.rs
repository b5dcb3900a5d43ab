//! The gate: every recorded history of every release replays.

use super::folder;
use orders_worker::workflow::replay::replay;
use std::{path::Path, time::Instant};

#[tokio::test]
async fn every_recorded_history_replays() {
    assert_replays(&folder::histories()).await;
}

/// All histories of all releases in a folder replay.
pub async fn assert_replays(histories: &Path) {
    let begin = Instant::now();
    let recorded = folder::read(histories);
    assert!(
        !recorded.is_empty(),
        "no history was found: nothing was tested"
    );
    let mut failed = Vec::new();
    for one in &recorded {
        if let Err(error) = replay(one.history()).await {
            failed.push(format!("{}: {error}", one.name));
        }
    }
    println!(
        "{} histories replayed in {:?}",
        recorded.len(),
        begin.elapsed()
    );
    assert!(
        failed.is_empty(),
        "{} of {} recorded histories do not replay: orders in flight would stall. A change of the \
         workflow needs a patch: see docs/changing-the-workflow.md.\n{}",
        failed.len(),
        recorded.len(),
        failed.join("\n")
    );
}
