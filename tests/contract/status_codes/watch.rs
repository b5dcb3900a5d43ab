//! WatchOrder and WatchOrders.

use super::{
    check::{Case, Covered, check},
    stage::{MAX_WATCHES, Stage},
    table::Outcome,
};
use futures::future::join_all;
use nix::sys::signal::Signal;
use orders_server::error::Reason;
use orders_test_support::eventually;
use serde_json::{Value, json};
use tonic::Code;

/// What has nothing new to say: an order that stands still, at its last revision.
fn quiet(stage: &Stage, revision: &Value) -> [(&'static str, Value); 2] {
    let order_id = &stage.waiting["SignalOrder"];
    let one = json!({"order_id": order_id, "after_revision": revision});
    [("WatchOrder", one), ("WatchOrders", json!({}))]
}

/// What is refused while everything works.
pub fn refused(stage: &Stage) -> Vec<Case> {
    let negative = json!({"order_id": stage.closed, "after_revision": -1});
    let nobody = json!({"order_id": "no-such-order"});
    vec![
        Case::refused("WatchOrder", negative, Reason::InvalidRequest),
        Case::refused("WatchOrder", nobody, Reason::OrderNotFound),
        Case::refused(
            "WatchOrders",
            json!({"filter": "x = y"}),
            Reason::InvalidRequest,
        ),
        Case::refused(
            "WatchOrders",
            json!({"after": "nonsense"}),
            Reason::InvalidRequest,
        ),
    ]
}

/// As many as there may be are open.
pub async fn too_many(stage: &Stage, covered: &mut Covered) {
    let client = stage.server.client().await;
    let mut open = Vec::new();
    for _ in 0..MAX_WATCHES {
        open.push(
            client
                .watch(&stage.waiting["SignalOrder"], 0)
                .await
                .unwrap(),
        );
    }
    for (rpc, request) in quiet(stage, &json!(0)) {
        let case = Case::refused(rpc, request, Reason::TooManyWatches);
        covered.run(&stage.wire, case).await;
    }
    drop(open);
    eventually("the watches to be gone", async || {
        let id = &stage.waiting["SignalOrder"];
        let all = (0..MAX_WATCHES).map(|_| client.watch(id, 0));
        join_all(all)
            .await
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .ok()
    })
    .await;
}

/// What is answered, and a watch whose caller has no more time.
pub async fn done(stage: &Stage, covered: &mut Covered) {
    let from_start = json!({"order_id": stage.closed});
    covered
        .run(&stage.wire, Case::done("WatchOrder", from_start))
        .await;
    // It tells only what happens from now on, so something must.
    let wire = stage.wire.clone();
    let watching = tokio::spawn(async move { wire.call("WatchOrders", &json!({}), None).await });
    let client = stage.server.client().await;
    while !watching.is_finished() {
        client
            .move_to(&stage.ready["UpdateShippingAddress"], "3 New St")
            .await
            .unwrap();
    }
    let answer = watching.await.unwrap().unwrap();
    assert!(answer.body["position"].is_string(), "{answer:?}");
    covered.note("WatchOrders", Outcome::Ok);

    stage.rested().await;
    for (rpc, request) in quiet(stage, &revision(stage).await) {
        let case = Case::refused(rpc, request, Reason::DeadlineExceeded).timeout("400m");
        covered.run(&stage.wire, case).await;
    }
}

/// The server is asked to stop while it is watched.
pub async fn stopping(stage: Stage, covered: &mut Covered) {
    let asked = quiet(&stage, &revision(&stage).await);
    let watches = asked.clone().map(|(rpc, request)| {
        let wire = stage.wire.clone();
        tokio::spawn(async move { wire.call(rpc, &request, None).await })
    });
    // On the same connection: when this is answered, the watches are there.
    stage.until_readable().await;
    stage.server.process.signal(Signal::SIGTERM);
    for ((rpc, request), watch) in asked.into_iter().zip(watches) {
        let status = watch.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{rpc}: {status:?}");
        covered.note(rpc, Outcome::Refused(check(rpc, &request, status)));
    }
}

async fn revision(stage: &Stage) -> Value {
    let request = json!({"order_id": stage.waiting["SignalOrder"]});
    let answer = stage.wire.call("GetOrder", &request, None).await.unwrap();
    answer.body["order"]["revision"].clone()
}
