//! The gate bites: a workflow that was changed on purpose does not replay what was recorded before.

use super::{
    folder,
    script::{Move, Script},
};
use orders_worker::workflow::replay::{ReplayError, replay, replay_with};
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::WorkflowReplayerOptions;

/// An order that was charged and reserved, and waits for its release.
const HELD: &str = "v1/open-order-waits-for-release-1";

/// What it did: the reservation follows in the activity of the charge.
const DONE: [Move; 3] = [
    Move::Activity("charge_payment"),
    Move::Show("AWAITING_RELEASE"),
    Move::Wait,
];

fn held() -> WorkflowHistory {
    let recorded = folder::read(&folder::histories());
    let held = recorded.iter().find(|one| one.name == HELD);
    held.expect("it was recorded").history()
}

async fn replay_script(moves: &[Move]) -> Result<(), ReplayError> {
    let script = moves.to_vec();
    let options = WorkflowReplayerOptions::new()
        .register_workflow_with_factory::<Script, _>(move || Script::new(&script))
        .unwrap()
        .build();
    replay_with(options, held()).await
}

#[tokio::test]
async fn a_changed_workflow_does_not_replay() {
    replay(held()).await.unwrap();
    replay_script(&DONE).await.unwrap();
    let [charge, show, wait] = DONE;
    let changes: [(&str, &[Move]); 8] = [
        ("in another order", &[wait, charge, show]),
        (
            "another activity",
            &[Move::Activity("authorize_payment"), show, wait],
        ),
        (
            "one activity more",
            &[Move::Activity("screen_order"), charge, show, wait],
        ),
        ("one activity less", &[show, wait]),
        ("no timer", &[charge, show]),
        ("a timer more", &[wait, charge, show, wait]),
        ("nothing shown", &[charge, wait]),
        ("nothing at all", &[]),
    ];
    for (change, moves) in changes {
        let error = replay_script(moves).await.expect_err(change);
        println!("{change}: {error}");
        assert!(
            matches!(error, ReplayError::Changed(_)),
            "{change}: {error:?}"
        );
    }
}

/// A type that this build does not have at all.
#[tokio::test]
async fn a_missing_workflow_does_not_replay() {
    use orders_worker::workflow::ReplenishmentWorkflow;
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<ReplenishmentWorkflow>()
        .unwrap()
        .build();
    let error = replay_with(options, held()).await.unwrap_err();
    println!("{error}");
}
