//! Healing: a build with a bug in a step holds its orders up and loses none of them. The fixed build
//! takes over, and every order goes on and succeeds.
//!
//! The builds with a bug are this one, with a switch that makes an activity panic after its provider
//! has done its work: see worker/activities/fault.rs.

use futures::future::join_all;
use orders::v1::{
    Consistency, GetOrderRequest, Order, OrderState, PaymentState, UpdateShippingAddressRequest,
};
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, TestTemporal, again::until_done, eventually, sku,
    temporal, unique,
};
use std::path::Path;

/// Of each policy so many.
const EACH: usize = 3;

/// A build whose steps `broken` have a bug.
async fn build(temporal: &TestTemporal, data: &Path, broken: &str) -> (TestServer, Client) {
    let options = ServerOptions::with_temporal(&temporal.address)
        .data_dir(data)
        .env("ORDERS_TEST_BROKEN_STEP", broken);
    let server = TestServer::start(options).await;
    let client = server.client().await;
    (server, client)
}

async fn place(client: &Client, policy: &str, sku: &str) -> Vec<String> {
    let placings = (0..EACH).map(|_| match policy {
        "pre-order" => Placing::pre_order(sku, 30),
        _ => Placing::new(policy, sku),
    });
    join_all(placings.map(async |placing| client.place(placing).await.order_id)).await
}

/// Waits until an order has met the bug in `step` twice, the second time by Temporal's own retry;
/// and shows that nothing of the attempts is left, and that its workflow lives on.
async fn until_held_up(server: &TestServer, client: &Client, order_id: &str, step: &str) {
    let address = server.temporal_address();
    let workflows = match client.get(order_id).await.policy.as_str() {
        "shipping-lane" => vec![format!("order/{order_id}"), format!("shipping/{order_id}")],
        _ => vec![format!("order/{order_id}")],
    };
    eventually(&format!("{order_id} to be held up by {step}"), async || {
        for workflow in &workflows {
            let failing = temporal::failing_activities(&address, workflow).await;
            if failing
                .iter()
                .any(|(name, tries)| name == step && *tries > 1)
            {
                return Some(());
            }
        }
        None
    })
    .await;
    let line = format!("ORDERS_TEST_BROKEN_STEP={step}: panicking");
    let output = server.process.output();
    let mut lines = output.lines().filter(|text| text.contains(&line));
    assert!(lines.any(|text| text.contains(order_id)), "not in the log");
    // A bug of ours is no attempt of a provider.
    let types = client.event_types(order_id).await;
    assert!(!types.contains(&"ATTEMPT_FAILED".to_owned()), "{types:?}");
    let recorded = match step {
        "charge_payment" => "SELECT count(*) FROM payment_entries WHERE key LIKE $1 || '/charge%'",
        "capture_payment" => {
            "SELECT count(*) FROM payment_entries WHERE key LIKE $1 || '/capture%'"
        }
        "refund_payment" => "SELECT count(*) FROM payment_entries WHERE key LIKE $1 || '/refund%'",
        _ => "SELECT count(*) FROM shipments WHERE order_id = $1 AND state = 'DISPATCHED'",
    };
    assert_eq!(server.count(recorded, order_id).await, 0, "{step} was kept");
    // Its workflow answers.
    let request = GetOrderRequest {
        order_id: order_id.to_owned(),
        consistency: Consistency::Strong.into(),
    };
    until_done(request, |request| async {
        client.orders.clone().get_order(request).await
    })
    .await;
}

async fn confirm_payment(client: &Client, order_id: &str) {
    let order = client.until(order_id, OrderState::AwaitingPayment).await;
    let total = order.total.unwrap();
    client.confirm_payment(order_id, total).await.unwrap();
}

/// Takes a shipped order to its end.
async fn deliver(client: &Client, order_id: &str) {
    client.until(order_id, OrderState::InTransit).await;
    client.confirm_delivery(order_id).await.unwrap();
    client.until(order_id, OrderState::Completed).await;
}

/// Takes a held pre-order to its end.
async fn release(client: &Client, order_id: &str) {
    client.until(order_id, OrderState::AwaitingRelease).await;
    client.start_fulfillment(order_id).await.unwrap();
    client.until_pickup_requested(order_id).await;
    client.confirm_pickup(order_id).await.unwrap();
    deliver(client, order_id).await;
}

/// The order took its money once, and has given it back where it was cancelled.
async fn assert_settled(server: &TestServer, order: &Order) {
    let payment = order.payment.as_ref().unwrap();
    let charges = "SELECT count(*) FROM payment_journal
                   WHERE payment_id = $1 AND kind IN ('CHARGE', 'CAPTURE', 'CONFIRM')
                       AND phase = 'SUCCEEDED'";
    let refunds = "SELECT count(*) FROM payment_entries WHERE payment_id = $1 AND kind = 'REFUND'";
    let cancelled = order.state() == OrderState::Cancelled;
    let taken = server.count(charges, &payment.payment_id).await;
    let refunded = server.count(refunds, &payment.payment_id).await;
    match payment.state() {
        PaymentState::None => assert_eq!((taken, refunded, cancelled), (0, 0, true)),
        PaymentState::Refunded => assert_eq!((taken, refunded, cancelled), (1, 1, true)),
        _ => assert_eq!((taken, refunded, cancelled), (1, 0, false), "{order:#?}"),
    }
}

#[tokio::test]
async fn the_fixed_build_takes_over_and_every_order_succeeds() {
    let temporal = TestTemporal::start().await;
    let data = tempfile::tempdir().unwrap();
    let sku = sku();

    // The first build cannot charge.
    let (mut server, client) = build(&temporal, data.path(), "charge_payment").await;
    client.stock(&sku, 100).await;
    let pre_orders = place(&client, "pre-order", &sku).await;
    let approvals = place(&client, "approval", &sku).await;
    let stocks = place(&client, "stock", &sku).await;
    let lanes = place(&client, "shipping-lane", &sku).await;
    let given_up = place(&client, "pre-order", &sku).await;
    let uncharged = [&pre_orders, &approvals, &stocks, &lanes, &given_up];
    let uncharged = uncharged.into_iter().flatten();
    let step = "charge_payment";
    join_all(uncharged.map(|id| until_held_up(&server, &client, id, step))).await;
    // Who does not need the broken step is not held up, and who has had enough can go.
    let standards = place(&client, "standard", &sku).await;
    let externals = place(&client, "external-payment", &sku).await;
    join_all(standards.iter().map(|id| deliver(&client, id))).await;
    join_all(externals.iter().map(async |id| {
        confirm_payment(&client, id).await;
        deliver(&client, id).await;
    }))
    .await;
    join_all(given_up.iter().map(async |id| {
        client.cancel(id).await.unwrap();
        client.until(id, OrderState::Cancelled).await;
    }))
    .await;
    let moved = &approvals[0];
    move_to(&client, moved, "2 New St").await;
    for id in [&pre_orders, &approvals, &stocks, &lanes]
        .into_iter()
        .flatten()
    {
        assert_eq!(client.get(id).await.state(), OrderState::Placed, "{id}");
    }
    assert!(server.process.ended().is_none(), "a panic ended the server");
    server.process.kill();

    // The second build can, but has three other bugs.
    let bugs = "dispatch_shipment,capture_payment,refund_payment";
    let (mut server, client) = build(&temporal, data.path(), bugs).await;
    let undispatched = place(&client, "external-payment", &sku).await;
    join_all(undispatched.iter().map(|id| confirm_payment(&client, id))).await;
    let uncaptured = place(&client, "standard", &sku).await;
    let regretted = place(&client, "pre-order", &sku).await;
    join_all(regretted.iter().map(async |id| {
        client.until(id, OrderState::AwaitingRelease).await;
        client.cancel(id).await.unwrap();
    }))
    .await;
    let held_up = async |ids: &[String], step: &str| {
        join_all(
            ids.iter()
                .map(|id| until_held_up(&server, &client, id, step)),
        )
        .await;
    };
    held_up(&undispatched, "dispatch_shipment").await;
    held_up(&approvals, "dispatch_shipment").await;
    held_up(&stocks, "dispatch_shipment").await;
    held_up(&lanes, "dispatch_shipment").await;
    held_up(&uncaptured, "capture_payment").await;
    held_up(&regretted, "refund_payment").await;
    for id in &regretted {
        assert_eq!(client.get(id).await.state(), OrderState::Cancelling, "{id}");
    }
    // The fix of the first bug has healed these, which need none of the broken steps.
    join_all(pre_orders.iter().map(|id| release(&client, id))).await;
    assert!(server.process.ended().is_none(), "a panic ended the server");
    assert_eq!(
        server.stop().await,
        Some(0),
        "it stops cleanly all the same"
    );

    // The third build has none.
    let (server, client) = build(&temporal, data.path(), "").await;
    let shipped = [&undispatched, &approvals, &uncaptured];
    join_all(shipped.into_iter().flatten().map(|id| deliver(&client, id))).await;
    for id in [&stocks, &lanes].into_iter().flatten() {
        client.until(id, OrderState::Completed).await;
    }
    for id in &regretted {
        client.until(id, OrderState::Cancelled).await;
    }
    let told = "SELECT count(*) FROM shipments WHERE order_id = $1 AND address LIKE '%2 New St%'";
    assert_eq!(
        server.count(told, moved).await,
        1,
        "a command was forgotten"
    );

    let cancelled = [&given_up, &regretted];
    let completed = [
        &pre_orders,
        &approvals,
        &stocks,
        &lanes,
        &standards,
        &externals,
        &undispatched,
        &uncaptured,
    ];
    let orders = (cancelled.len() + completed.len()) * EACH;
    for id in completed.into_iter().chain(cancelled).flatten() {
        assert_settled(&server, &client.get(id).await).await;
        let address = &temporal.address;
        eventually("the workflow's end", async || {
            let events = temporal::history(address, id).await;
            (events.last()? == "WORKFLOW_EXECUTION_COMPLETED").then_some(())
        })
        .await;
        let mut failed = temporal::failed_tasks(address, &format!("order/{id}")).await;
        // A signal in the very moment of the end (the sweep's, say) makes Temporal ask again: no fault.
        failed.retain(|(cause, _)| cause != "WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND");
        assert_eq!(failed, [], "{id}: a workflow task was wedged");
    }
    let stock = client.stock_item(&sku).await;
    assert_eq!(stock.reserved, 0);
    // No lane keeps stock.
    let kept = 100 - ((completed.len() - 1) * EACH) as i64;
    assert_eq!(stock.on_hand(), kept);
    eventually("the count of all ends", async || {
        let query = "ExecutionStatus = 'Completed'";
        let ended = temporal::count(&temporal.address, query).await;
        (ended == orders + EACH).then_some(())
    })
    .await;
    assert_eq!(
        temporal::count(&temporal.address, temporal::BAD_END).await,
        0
    );
    println!("{orders} orders met four bugs in two builds: all ended as they should, none failed");
}

async fn move_to(client: &Client, order_id: &str, line1: &str) {
    let request = UpdateShippingAddressRequest {
        order_id: order_id.to_owned(),
        request_id: unique("move"),
        shipping_address: Some(orders_test_support::order::address(line1)),
        ..UpdateShippingAddressRequest::default()
    };
    let done = client.orders.clone().update_shipping_address(request).await;
    done.unwrap();
}
