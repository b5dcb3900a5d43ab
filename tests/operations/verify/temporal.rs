//! The comparison with Temporal: each way in which the two can disagree, and its repair.

use super::{until_found, verify};
use orders::v1::OrderState;
use orders_test_support::{
    Placing, ServerOptions, TestServer, TestTemporal, eventually, sku, temporal as lookup,
};

#[tokio::test(flavor = "multi_thread")]
async fn workflows_and_processes_that_are_gone_are_found_and_repaired() {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address)
        .data_dir(folder.path())
        .arg("--supplier-lead-time")
        .arg("1h");
    let server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 10, 10, 20).await;
    let ended = client.held(&sku).await;
    let deleted = client.held(&sku).await;
    let fine = client.held(&sku).await;
    let waiting = "SELECT count(*) FROM supplier_orders WHERE sku = $1 AND due_time IS NOT NULL";
    eventually("the process of the sku", async || {
        (server.count(waiting, &sku).await == 1).then_some(())
    })
    .await;
    assert_eq!(server.stop().await, Some(0));

    lookup::terminate(&temporal.address, &format!("order/{ended}"))
        .await
        .unwrap();
    lookup::delete(&temporal.address, &format!("order/{deleted}"));
    let process = format!("replenishment/{sku}");
    lookup::terminate(&temporal.address, &process)
        .await
        .unwrap();

    let args = ["--temporal-address", &temporal.address];
    let expected = [
        ("workflow-ended", ended.as_str()),
        ("workflow-missing", deleted.as_str()),
        ("supplier-process-missing", sku.as_str()),
    ];
    until_found(folder.path(), &args, &expected).await;
    let ran =
        tokio::task::block_in_place(|| verify(folder.path(), &[args[0], args[1], "--repair"]));
    println!("{}", ran.out);
    assert!(
        ran.out.contains("0 findings, 0 warnings, 3 repaired"),
        "{ran:?}"
    );

    let server = TestServer::start(options).await;
    let client = server.client().await;
    for id in [&ended, &deleted, &fine] {
        client.start_fulfillment(id).await.unwrap();
        client.until_pickup_requested(id).await;
        let taken = "SELECT captured FROM payments WHERE order_id = $1";
        assert_eq!(server.count(taken, id).await, 1999);
    }
    until_found(folder.path(), &args, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activity_that_keeps_failing_is_a_warning() {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address).data_dir(folder.path());
    let broken = options
        .clone()
        .env("ORDERS_TEST_BROKEN_STEP", "charge_payment");
    let server = TestServer::start(broken).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    client.place(placing).await;
    // A panic in an activity is an activity that fails, which Temporal tries for ever.
    let args = ["--temporal-address", &temporal.address];
    let ran = until_found(folder.path(), &args, &[("activity-failing", &id)]).await;
    assert_eq!(ran.code, Some(0), "a warning: {ran:?}");
    drop(server);
    let server = TestServer::start(options).await;
    server
        .client()
        .await
        .until(&id, OrderState::AwaitingRelease)
        .await;
    until_found(folder.path(), &args, &[]).await;
}
