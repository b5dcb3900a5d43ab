//! Replenishment: what orders take below the reorder point comes back, whatever becomes of them.

use orders::v1::{ListSupplierOrdersRequest, OrderState, SupplierOrderState};
use orders_test_support::{
    Client, Placing, Refused, ServerOptions, TestServer, TestTemporal, TimeSkipping, eventually,
    process::Process, shared, sku, temporal, unique,
};
use std::{process::Command, time::Duration};
use tonic::Code;

/// Places an order for `quantity` pieces that is done when it is shipped.
async fn buy(client: &Client, sku: &str, quantity: i64) -> String {
    let placing = Placing::new("stock", sku).quantity(quantity);
    let id = placing.id();
    client.place(placing).await;
    id
}

async fn bought(client: &Client, sku: &str, quantity: i64) -> orders::v1::Order {
    let id = buy(client, sku, quantity).await;
    client.until(&id, OrderState::Completed).await
}

async fn with_lead_time(lead_time: &str) -> TestServer {
    let options = ServerOptions::default();
    TestServer::start(options.arg("--supplier-lead-time").arg(lead_time)).await
}

/// Waits until the process of a sku has ordered from the supplier.
async fn until_waiting(server: &TestServer, sku: &str) {
    let placed = "SELECT count(*) FROM supplier_orders
                  WHERE sku = $1 AND state = 'OPEN' AND due_time IS NOT NULL";
    eventually("the process to wait", async || {
        (server.count(placed, sku).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nine_hundred_and_ninety_nine_of_a_thousand_end_at_ten_thousand() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 1_000, 5_000, 10_000).await;
    bought(&client, &sku, 999).await;
    let delivered = client.until_delivered(&sku, 1).await;
    assert_eq!(delivered[0].quantity, 9_999);
    assert_eq!(delivered[0].state(), SupplierOrderState::Delivered);
    assert_eq!(delivered[0].sku, sku);
    let item = client.stock_item(&sku).await;
    assert_eq!(
        (item.on_hand(), item.reserved, item.available),
        (10_000, 0, 10_000)
    );
    assert_eq!(
        (item.reorder_point(), item.reorder_level()),
        (5_000, 10_000)
    );
    let events = eventually("the end of the process", async || {
        let workflow_id = format!("replenishment/{sku}");
        let events = temporal::history_of(&server.temporal_address(), &workflow_id).await;
        let last = events.last();
        last.is_some_and(|last| last == "WORKFLOW_EXECUTION_COMPLETED")
            .then_some(events)
    })
    .await;
    println!("a replenishment costs {} history events", events.len());
    assert!(events.len() <= 12, "{events:#?}");
}

#[tokio::test]
async fn twenty_orders_at_once_open_one_supplier_order() {
    let client = shared().await.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 1_000, 1_000, 2_000).await;
    let orders = (0..20).map(|_| bought(&client, &sku, 1));
    futures::future::join_all(orders).await;
    client.until_delivered(&sku, 1).await;
    let item = client.stock_item(&sku).await;
    assert_eq!(item.on_hand(), 1_000 - 20 + 1_001);
}

#[tokio::test]
async fn an_order_of_two_skus_opens_one_supplier_order_for_each() {
    let client = shared().await.client().await;
    let (one, other) = (sku(), sku());
    client.reordered_stock(&one, 100, 100, 100).await;
    client.reordered_stock(&other, 50, 50, 50).await;
    let mut placing = Placing::new("stock", &one).quantity(3);
    let line = placing.0.line_items[0].clone();
    let lines = [&one, &other].map(|sku| orders::v1::LineItem {
        sku: sku.clone(),
        ..line.clone()
    });
    placing.0.line_items.extend(lines);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::Completed).await;
    assert_eq!(client.until_delivered(&one, 1).await[0].quantity, 6);
    assert_eq!(client.until_delivered(&other, 1).await[0].quantity, 3);
}

#[tokio::test]
async fn the_customer_does_not_wait_and_what_is_still_low_is_ordered_again() {
    let server = with_lead_time("3s").await;
    let client = server.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 100, 50, 60).await;
    let order = bought(&client, &sku, 60).await;
    bought(&client, &sku, 30).await;
    let open = client.supplier_orders(&sku).await;
    assert_eq!(open.len(), 1, "one is open: {open:#?}");
    assert_eq!(
        (open[0].quantity, open[0].state()),
        (20, SupplierOrderState::Open)
    );
    assert_eq!(client.stock_item(&sku).await.on_hand(), 10);

    // The 20 pieces bring it to 30, which is low again.
    let delivered = client.until_delivered(&sku, 2).await;
    let quantities: Vec<i64> = delivered.iter().map(|order| order.quantity).collect();
    assert_eq!(quantities, [30, 20], "newest first");
    assert_eq!(client.stock_item(&sku).await.available, 60);
    let micros =
        |time: &prost_types::Timestamp| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000;
    for order in &delivered {
        let (opened, came) = (order.open_time.unwrap(), order.deliver_time.unwrap());
        assert!(micros(&came) - micros(&opened) >= 3_000_000, "{order:#?}");
    }
    let came = delivered[1].deliver_time.unwrap();
    assert!(micros(&order.close_time.unwrap()) < micros(&came));
}

#[tokio::test]
async fn killed_while_a_supplier_order_is_open_it_is_delivered_once() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default()
        .data_dir(&folder.path().join("data"))
        .env("ORDERS_SUPPLIER_LEAD_TIME", "3s");
    let mut server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 1_000, 5_000, 10_000).await;
    bought(&client, &sku, 999).await;
    until_waiting(&server, &sku).await;
    server.process.kill();
    server.ended().await;

    let server = TestServer::start(options).await;
    let client = server.client().await;
    client.until_delivered(&sku, 1).await;
    let item = client.stock_item(&sku).await;
    assert_eq!((item.on_hand(), item.available), (10_000, 10_000));
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test]
async fn after_each_commit_a_crash_heals() {
    let temporal = TestTemporal::start().await;
    for point in [
        "reserve_inventory",
        "place_supplier_order",
        "receive_supplier_order",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let options = ServerOptions::with_temporal(&temporal.address)
            .data_dir(folder.path())
            .arg("--task-queue")
            .arg(point)
            // Providers that ask for a moment have each step committed for itself.
            .arg("--simulate")
            .arg("all:latency=1ms");
        let doomed = options.clone().env("ORDERS_TEST_ABORT_AFTER", point);
        let mut server = TestServer::start(doomed).await;
        let client = server.client().await;
        let sku = sku();
        client.reordered_stock(&sku, 10, 10, 10).await;
        let placing = Placing::new("stock", &sku).quantity(4);
        let id = placing.id();
        // The server may die before it answers.
        let _ = client.try_place_unchecked(placing).await;
        assert_eq!(server.ended().await, None, "{point}: aborted, not ended");

        let server = TestServer::start(options).await;
        let client = server.client().await;
        client.until(&id, OrderState::Completed).await;
        let delivered = client.until_delivered(&sku, 1).await;
        assert_eq!(delivered[0].quantity, 4, "{point}");
        assert_eq!(client.stock_item(&sku).await.on_hand(), 10, "{point}");
    }
}

#[tokio::test]
async fn ended_by_hand_the_process_is_started_again_and_a_cancel_does_not_end_it() {
    let server = with_lead_time("6s").await;
    let client = server.client().await;
    let skus = [sku(), sku()];
    for sku in &skus {
        client.reordered_stock(sku, 10, 10, 10).await;
        bought(&client, sku, 4).await;
        until_waiting(&server, sku).await;
    }
    let [cancelled, ended] = &skus;
    let address = server.temporal_address();
    let connected = temporal::connect(&address).await;
    let process = |sku| {
        let workflow_id = format!("replenishment/{sku}");
        connected.get_workflow_handle::<temporalio_client::UntypedWorkflow>(workflow_id)
    };
    process(cancelled).cancel(Default::default()).await.unwrap();
    process(ended).terminate(Default::default()).await.unwrap();
    for sku in &skus {
        client.until_delivered(sku, 1).await;
        assert_eq!(client.stock_item(sku).await.on_hand(), 10);
    }
    let events = temporal::history_of(&address, &format!("replenishment/{cancelled}")).await;
    assert!(events.contains(&"TIMER_FIRED".to_owned()), "{events:#?}");
}

#[tokio::test]
async fn a_worker_of_its_own_replenishes_what_it_reserves() {
    let temporal = TestTemporal::start().await;
    let queue = "apart";
    let options = ServerOptions::with_temporal(&temporal.address)
        .arg("--no-worker")
        .arg("--task-queue")
        .arg(queue);
    let server = TestServer::start(options).await;
    let mut worker = Command::new(env!("CARGO_BIN_EXE_orders"));
    worker
        .args(["worker", "--task-queue", queue, "--temporal-address"])
        .arg(&temporal.address)
        .arg("--data-dir")
        .arg(&server.data_dir)
        .envs(orders_test_support::server::database_env(&server.data_dir));
    let worker = Process::spawn(worker);
    let client = server.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 10, 10, 10).await;
    bought(&client, &sku, 4).await;
    client.until_delivered(&sku, 1).await;
    assert_eq!(client.stock_item(&sku).await.available, 10);
    drop(worker);
}

#[tokio::test]
async fn setting_stock_never_opens_a_supplier_order_and_keeps_an_open_one() {
    let server = with_lead_time("5s").await;
    let client = server.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 0, 5_000, 10_000).await;
    client.reordered_stock(&sku, 100, 5_000, 10_000).await;
    assert!(client.supplier_orders(&sku).await.is_empty());
    bought(&client, &sku, 1).await;
    let open = client.supplier_orders(&sku).await;
    assert_eq!(open[0].quantity, 9_901);

    // Counted anew, with other numbers: what was ordered stays ordered.
    let item = client.reordered_stock(&sku, 40, 50, 60).await;
    assert_eq!((item.on_hand(), item.available), (40, 40));
    assert_eq!((item.reorder_point(), item.reorder_level()), (50, 60));
    assert_eq!(client.supplier_orders(&sku).await, open);
    client.until_delivered(&sku, 1).await;
    assert_eq!(client.stock_item(&sku).await.on_hand(), 40 + 9_901);
    // Low by a count, not by an order.
    client.reordered_stock(&sku, 10, 50, 60).await;
    assert_eq!(client.supplier_orders(&sku).await.len(), 1);
}

#[tokio::test]
async fn without_a_level_nothing_is_reordered() {
    let client = shared().await.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 10, 10, 0).await;
    bought(&client, &sku, 9).await;
    assert!(client.supplier_orders(&sku).await.is_empty());
    assert_eq!(client.stock_item(&sku).await.available, 1);
}

#[tokio::test]
async fn what_was_ordered_comes_though_the_order_is_cancelled() {
    let client = shared().await.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 10, 10, 20).await;
    let id = client.held(&sku).await;
    client.cancel(&id).await.unwrap();
    client.until(&id, OrderState::Cancelled).await;
    let delivered = client.until_delivered(&sku, 1).await;
    assert_eq!(delivered[0].quantity, 11);
    let item = client.stock_item(&sku).await;
    assert_eq!((item.on_hand(), item.available), (21, 21));
}

#[tokio::test]
async fn supplier_orders_are_listed_newest_first_page_by_page() {
    let client = shared().await.client().await;
    let (sku, other) = (sku(), sku());
    for sku in [&sku, &other] {
        client.reordered_stock(sku, 100, 100, 100).await;
    }
    for count in 1..=5 {
        bought(&client, &sku, count).await;
        client.until_delivered(&sku, count as usize).await;
    }
    bought(&client, &other, 7).await;
    client.until_delivered(&other, 1).await;

    let (mut found, mut token) = client.supplier_orders_page(&sku, 2, "").await;
    let first_token = token.clone();
    while !token.is_empty() {
        // One that comes between two pages does not move them.
        bought(&client, &other, 1).await;
        let (more, next) = client.supplier_orders_page(&sku, 2, &token).await;
        assert!(more.len() <= 2);
        found.extend(more);
        token = next;
    }
    let quantities: Vec<i64> = found.iter().map(|order| order.quantity).collect();
    assert_eq!(quantities, [5, 4, 3, 2, 1]);
    assert!(found.iter().all(|order| order.sku == sku));
    let ids: std::collections::BTreeSet<_> = found.iter().map(|o| &o.supplier_order_id).collect();
    assert_eq!(ids.len(), 5);
    let all = client.supplier_orders("").await;
    assert!(all.iter().any(|order| order.sku == other));
    assert!(all.iter().any(|order| order.sku == sku));
    assert!(client.supplier_orders(&unique("nothing")).await.is_empty());

    let wrong = ListSupplierOrdersRequest {
        sku: other,
        page_size: -1,
        page_token: first_token,
    };
    let refused = client.inventory.clone().list_supplier_orders(wrong).await;
    let refused = Refused::from(refused.unwrap_err());
    assert_eq!(refused.code, Code::InvalidArgument);
    assert_eq!(refused.fields(), ["page_size", "page_token"]);
}

#[tokio::test]
async fn a_delivery_may_take_a_month() {
    let temporal = TimeSkipping::start().await;
    let options = ServerOptions::with_temporal(&temporal.address)
        .arg("--supplier-lead-time")
        .arg("30days");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.reordered_stock(&sku, 10, 10, 20).await;
    bought(&client, &sku, 1).await;
    until_waiting(&server, &sku).await;
    temporal.pass(Duration::from_secs(29 * 86_400)).await;
    let open = client.supplier_orders(&sku).await;
    assert_eq!(open[0].state(), SupplierOrderState::Open);
    temporal.pass(Duration::from_secs(2 * 86_400)).await;
    let delivered = client.until_delivered(&sku, 1).await;
    let days = (delivered[0].deliver_time.unwrap().seconds
        - delivered[0].open_time.unwrap().seconds)
        / 86_400;
    assert_eq!(days, 30);
}
