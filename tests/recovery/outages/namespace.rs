//! Temporal answers, but does not find its namespace for a while.

use orders::v1::OrderState;
use orders_test_support::{ServerOptions, StandIn, TestServer, TestTemporal, eventually, sku};
use tonic::Code;

/// Closed orders whose workflow is not known to have ended.
const DUE: &str = "SELECT COUNT(*) FROM orders WHERE order_id = $1 AND due_time IS NOT NULL";

/// Its orders are not taken to be lost, and not to have ended: nothing is started anew, nothing is
/// forgotten, and callers hear that Temporal is away.
#[tokio::test]
async fn a_temporal_without_its_namespace_has_lost_no_order() {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let on = |address: &str| ServerOptions::with_temporal(address).data_dir(folder.path());
    let mut server = TestServer::start(on(&temporal.address)).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let (open, closed) = (client.held(&sku).await, client.held(&sku).await);
    client.cancel(&closed).await.unwrap();
    client.until(&closed, OrderState::Cancelled).await;
    // At once, for the sweep looks after a few seconds whether the workflow has ended, too.
    server.process.kill();
    assert_eq!(server.count(DUE, &closed).await, 1);

    let stand_in = StandIn::start().await;
    stand_in.lose_namespace();
    let options = on(&stand_in.address).arg("--no-worker");
    let mut server = TestServer::start(options).await;
    let client = server.client().await;
    // A sweep that took the answer for the workflow's end would not ask again.
    eventually("a sweep to ask again", async || {
        (stand_in.calls("SignalWorkflowExecution").len() > 1).then_some(())
    })
    .await;
    let told = client.explain(&open).await;
    assert!(told.temporal_error.contains("Namespace"), "{told:?}");
    assert_eq!((told.workflow, told.reasons), (None, vec![]));
    let refused = client.cancel(&open).await.unwrap_err();
    assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
    assert_eq!(refused.reason, "TEMPORAL_UNAVAILABLE");
    assert_eq!(stand_in.calls("StartWorkflowExecution").len(), 0);
    server.process.kill();
    assert_eq!(server.count(DUE, &closed).await, 1);

    let server = TestServer::start(on(&temporal.address)).await;
    let client = server.client().await;
    client.cancel(&open).await.unwrap();
    client.until(&open, OrderState::Cancelled).await;
    eventually("the closed order's workflow to be seen", async || {
        (server.count(DUE, &closed).await == 0).then_some(())
    })
    .await;
    server.stop().await;
}
