//! Aborted right after the commit of each step, before Temporal hears of it, and cancelled before
//! the restart: what the journal holds is undone, and nothing is forgotten.

use orders::v1::{CompensationOutcome, OrderState, ReviewDecision};
use orders_test_support::{Placing, ServerOptions, TestServer, TestTemporal, sku, temporal};

/// The steps after whose commit the process dies, the policy that has them, and whether the order
/// can still be cancelled then.
const STEPS: &[(&str, &str, bool)] = &[
    ("screen_order", "by-hand", true),
    ("reserve_inventory", "by-hand", true),
    ("authorize_payment", "by-hand", true),
    ("capture_payment", "by-hand", true),
    ("charge_payment", "one-attempt", true),
    ("request_pickup", "by-hand", true),
    ("dispatch_shipment", "one-attempt", false),
    ("commit_reservation", "by-hand", false),
];

#[tokio::test]
async fn after_each_step_a_cancel_undoes_what_the_journal_holds() {
    let temporal = TestTemporal::start().await;
    for (step, policy, cancellable) in STEPS {
        one_step(&temporal, step, policy, *cancellable).await;
    }
}

async fn one_step(temporal: &TestTemporal, step: &str, policy: &str, cancellable: bool) {
    let folder = tempfile::tempdir().unwrap();
    let policies = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/support/policies.toml"
    );
    let options = ServerOptions::with_temporal(&temporal.address)
        .data_dir(folder.path())
        .arg("--task-queue")
        .arg(step)
        .arg("--policies")
        .arg(policies);
    // Each provider asks for a moment: so each step is committed for itself.
    let options = options.arg("--simulate").arg("all:latency=1ms");
    let doomed = options.clone().env("ORDERS_TEST_ABORT_AFTER", step);
    let mut server = TestServer::start(doomed).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new(policy, &sku);
    let id = placing.id();
    // The server may die before it answers.
    let _ = client.try_place_unchecked(placing).await;
    drive(&server, &id).await;
    assert_eq!(server.ended().await, None, "{step}: aborted, not ended");

    // Nobody runs orders now; the cancel waits in Temporal, ahead of the step's outcome.
    let handle = temporal::connect(&temporal.address).await;
    let handle =
        handle.get_workflow_handle::<temporalio_client::UntypedWorkflow>(format!("order/{id}"));
    handle.cancel(Default::default()).await.unwrap();

    let server = TestServer::start(options).await;
    let client = server.client().await;
    if cancellable {
        let order = client.until(&id, OrderState::Cancelled).await;
        for compensation in &order.compensations {
            assert_eq!(
                compensation.outcome(),
                CompensationOutcome::Done,
                "{step}: {order:#?}"
            );
        }
        let stock = client.stock_item(&sku).await;
        assert_eq!((stock.on_hand(), stock.reserved), (1, 0), "{step}");
        let held = "SELECT captured - refunded + CASE WHEN captured = 0 AND voided = 0 THEN authorized ELSE 0 END
                    FROM payments WHERE order_id = $1";
        assert_eq!(server.count(held, &id).await, 0, "{step}: money is owed");
    } else {
        client.confirm_delivery(&id).await.unwrap();
        client.until(&id, OrderState::Completed).await;
        let stock = client.stock_item(&sku).await;
        assert_eq!((stock.on_hand(), stock.reserved), (0, 0), "{step}");
        let captured = "SELECT captured FROM payments WHERE order_id = $1";
        assert_eq!(server.count(captured, &id).await, 1999, "{step}");
    }
    let gaps = "SELECT max(revision) - count(*) FROM order_events WHERE order_id = $1";
    assert_eq!(server.count(gaps, &id).await, 0, "{step}: the log has gaps");
    println!("{step}: aborted after its commit, the order ended right");
}

/// Moves the order along until the server dies on it.
async fn drive(server: &TestServer, id: &str) {
    let Ok(client) = orders_test_support::Client::try_connect(&server.address).await else {
        return;
    };
    for _ in 0..2_000 {
        let Ok(order) = client.try_get(id).await else {
            return;
        };
        let done = match order.state() {
            OrderState::AwaitingApproval => {
                client.review_unchecked(id, ReviewDecision::Approve).await
            }
            OrderState::InFulfillment
                // Not before the carrier was asked: else it would be under way when that step's turn comes.
                if order
                    .shipment
                    .as_ref()
                    .is_some_and(|s| s.state() == orders::v1::ShipmentState::Requested) =>
            {
                client.confirm_pickup_unchecked(id).await
            }
            _ => Ok(()),
        };
        // A refusal is fine (the order has moved), a lost connection is what we wait for.
        if done.is_err_and(|code| code == tonic::Code::Unavailable || code == tonic::Code::Unknown)
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_command_that_was_committed_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default().data_dir(&folder.path().join("data"));
    let doomed = options
        .clone()
        .env("ORDERS_TEST_ABORT_AFTER", "record_command");
    let mut server = TestServer::start(doomed).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let request = orders::v1::StartFulfillmentRequest {
        order_id: id.clone(),
        request_id: orders_test_support::unique("start"),
        ..Default::default()
    };
    // The server, and Temporal with it, die before Temporal has heard of the command.
    let _ = client.orders.clone().start_fulfillment(request).await;
    assert_eq!(server.ended().await, None);

    let server = TestServer::start(options).await;
    let client = server.client().await;
    assert_eq!(client.get(&id).await.state(), OrderState::InFulfillment);
    // Nobody asks again, and the order goes on all the same.
    client
        .until_that(&id, "the pickup to be requested", |order| {
            let shipment = order.shipment.as_ref().unwrap();
            shipment.state() == orders::v1::ShipmentState::Requested
        })
        .await;
    client.confirm_pickup(&id).await.unwrap();
    client.confirm_delivery(&id).await.unwrap();
    client.until(&id, OrderState::Completed).await;
}

#[tokio::test]
async fn a_command_that_closed_the_order_ends_its_workflow_too() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default().data_dir(&folder.path().join("data"));
    let doomed = options
        .clone()
        .env("ORDERS_TEST_ABORT_AFTER", "record_command");
    let mut server = TestServer::start(doomed).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::InTransit).await;
    let request = orders::v1::ConfirmDeliveryRequest {
        order_id: id.clone(),
        request_id: orders_test_support::unique("delivery"),
        ..Default::default()
    };
    let _ = client.orders.clone().confirm_delivery(request).await;
    assert_eq!(server.ended().await, None);

    let server = TestServer::start(options).await;
    let client = server.client().await;
    assert_eq!(client.get(&id).await.state(), OrderState::Completed);
    orders_test_support::eventually("the workflow's end", async || {
        let events = temporal::history(&server.temporal_address(), &id).await;
        let last = events.last()?;
        (last == "WORKFLOW_EXECUTION_COMPLETED").then_some(())
    })
    .await;
}
