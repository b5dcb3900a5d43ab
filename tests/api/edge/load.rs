//! More than the server can take: refused at once, with when to come back, and nothing done.

use orders::v1::{
    CancelOrderRequest, Consistency, GetOrderRequest, ListOrdersRequest, PlaceOrderResponse,
    SetStockItemRequest, StockItem, WatchOrderRequest,
};
use orders_test_support::{
    Client, Placing, Refused, ServerOptions, StandIn, TestServer, beside_shared, eventually,
    postgres, sku, unique,
};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tonic::{Code, Status};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt;

/// Calls wait for the start of their order for most of their six seconds.
async fn server(stand_in: &StandIn, most: &str) -> TestServer {
    let options = ServerOptions::with_temporal(&stand_in.address);
    let options = options.arg("--no-worker").arg("--max-call-time").arg("6s");
    let options = options.arg("--start-wait").arg("1m");
    TestServer::start(options.arg("--max-concurrent-requests").arg(most)).await
}

/// Calls that wait for a Temporal that does not answer; gives the ids of their orders.
async fn waiting(
    client: &Client,
    stand_in: &StandIn,
    count: usize,
) -> (Vec<String>, Vec<JoinHandle<PlaceOrderResponse>>) {
    let sku = sku();
    client.stock(&sku, 100).await;
    let (mut ids, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let placing = Placing::new("standard", &sku);
        ids.push(placing.id());
        let mut orders = client.orders.clone();
        calls.push(tokio::spawn(async move {
            orders.place_order(placing.0).await.unwrap().into_inner()
        }));
    }
    eventually("the calls to wait", async || {
        (stand_in.open("StartWorkflowExecution") >= count).then_some(())
    })
    .await;
    (ids, calls)
}

fn stock(sku: &str, request_id: &str) -> SetStockItemRequest {
    SetStockItemRequest {
        stock_item: Some(StockItem {
            sku: sku.to_owned(),
            on_hand: Some(7),
            ..StockItem::default()
        }),
        request_id: request_id.to_owned(),
        actor: String::new(),
        expected_revision: None,
    }
}

fn assert_says_when(status: &Status) {
    let delay = status
        .get_details_retry_info()
        .and_then(|info| info.retry_delay);
    let delay = delay.unwrap();
    let jittered = Duration::from_millis(750)..=Duration::from_millis(1250);
    assert!(jittered.contains(&delay), "{status:?}");
    let pushback = status.metadata().get("grpc-retry-pushback-ms").unwrap();
    assert_eq!(pushback, &delay.as_millis().to_string(), "{status:?}");
}

#[tokio::test]
async fn changes_that_pile_up_are_refused_and_reads_go_on() {
    let stand_in = StandIn::start().await;
    let server = server(&stand_in, "4").await;
    let client = server.client().await;
    // Three of the four slots.
    let (ids, calls) = waiting(&client, &stand_in, 3).await;

    let (sku, request_id) = (sku(), unique("stock"));
    let mut inventory = client.inventory.clone();
    let begun = Instant::now();
    let status = inventory
        .set_stock_item(stock(&sku, &request_id))
        .await
        .unwrap_err();
    let took = begun.elapsed();
    println!("refused after {took:?}");
    // Long before those that wait are done.
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_says_when(&status);
    assert_eq!(Refused::from(status).reason, "OVERLOADED");
    assert_eq!(
        server
            .count("SELECT count(*) FROM stock WHERE sku = $1", &sku)
            .await,
        0
    );

    // Reads have a slot still, one after the other.
    for id in &ids {
        assert_eq!(client.get(id).await.order_id, *id);
    }
    let listed = client
        .orders
        .clone()
        .list_orders(ListOrdersRequest::default())
        .await;
    assert_eq!(listed.unwrap().into_inner().orders.len(), 3);
    // But not those that wait for Temporal, too.
    let strong = GetOrderRequest {
        order_id: ids[0].clone(),
        consistency: Consistency::Strong.into(),
    };
    let status = client.orders.clone().get_order(strong).await.unwrap_err();
    assert_eq!(Refused::from(status).reason, "OVERLOADED");

    // When they have ended, the refused one is done as if never sent before.
    for call in calls {
        assert_eq!(call.await.unwrap().order.unwrap().run_id, "");
    }
    let done = inventory
        .set_stock_item(stock(&sku, &request_id))
        .await
        .unwrap();
    assert!(done.metadata().get("orders-replayed").is_none());
    assert_eq!(done.into_inner().stock_item.unwrap().on_hand(), 7);
}

#[tokio::test]
async fn health_and_reflection_answer_a_server_that_is_full() {
    let stand_in = StandIn::start().await;
    let server = server(&stand_in, "1").await;
    let client = server.client().await;
    let (ids, calls) = waiting(&client, &stand_in, 1).await;
    let get = GetOrderRequest {
        order_id: ids[0].clone(),
        consistency: 0,
    };
    let status = client.orders.clone().get_order(get).await.unwrap_err();
    assert_says_when(&status);
    assert_eq!(Refused::from(status).reason, "OVERLOADED");

    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address));
    let mut health = HealthClient::new(endpoint.unwrap().connect().await.unwrap());
    let checked = health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(checked.into_inner().status, 1);
    if let Some(grpcurl) = orders_test_support::temporal::grpcurl() {
        let listed = tokio::process::Command::new(grpcurl)
            .args(["-plaintext", &server.address, "list"])
            .output();
        assert!(listed.await.unwrap().status.success());
    }
    for call in calls {
        call.await.unwrap();
    }
    // Open watches have no slot either.
    let mut watches = Vec::new();
    for _ in 0..3 {
        let watch = WatchOrderRequest {
            order_id: ids[0].clone(),
            after_revision: 0,
        };
        let watch = client.orders.clone().watch_order(watch).await.unwrap();
        let mut watch = watch.into_inner();
        assert!(watch.message().await.unwrap().is_some());
        watches.push(watch);
    }
    assert_eq!(client.get(&ids[0]).await.order_id, ids[0]);
}

#[tokio::test]
async fn a_database_that_is_busy_is_unavailable_and_never_internal() {
    if postgres::chosen() {
        return; // It holds the lock of the SQLite file.
    }
    let server = beside_shared(ServerOptions::default()).await;
    let client = server.client().await;
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(server.data_dir.join("orders.db"));
    let mut other: sqlx::SqliteConnection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    // The first waits for the other process's lock, those behind it for the one writer.
    let sku = sku();
    let sets = (0..6).map(|_| {
        let mut inventory = client.inventory.clone();
        let request = stock(&sku, &unique("stock"));
        async move { inventory.set_stock_item(request).await.unwrap_err() }
    });
    for status in futures::future::join_all(sets).await {
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert_says_when(&status);
        assert_eq!(Refused::from(status).reason, "DATABASE_UNAVAILABLE");
    }
    // Reads do not wait for it.
    let listed = client
        .orders
        .clone()
        .list_orders(ListOrdersRequest::default())
        .await;
    listed.unwrap();
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(client.stock(&sku, 3).await.on_hand(), 3);
}

#[tokio::test]
async fn a_temporal_that_has_too_much_to_do_is_told_with_when_to_come_back() {
    let stand_in = StandIn::start().await;
    let server = server(&stand_in, "64").await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    stand_in.be_busy(1_000);
    // The order is stored, and waits for its start; a command cannot wait.
    let order_id = client.place(Placing::new("standard", &sku)).await.order_id;
    let cancel = CancelOrderRequest {
        order_id,
        request_id: unique("cancel"),
        ..CancelOrderRequest::default()
    };
    let status = client
        .orders
        .clone()
        .cancel_order(cancel)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(
        !status.message().contains("namespace"),
        "forwarded: {status:?}"
    );
    assert_says_when(&status);
    assert_eq!(Refused::from(status).reason, "TEMPORAL_UNAVAILABLE");
}
