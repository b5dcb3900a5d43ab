//! Polling: what is read by position misses nothing, whatever the clocks say.

use orders::v1::{ListOrdersRequest, OrderState, WatchOrdersRequest, WatchOrdersResponse};
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, TestTemporal, shared, sku, unique,
};
use std::collections::BTreeSet;

/// The orders that were placed, of what a poll told.
fn placed(told: &[WatchOrdersResponse]) -> Vec<String> {
    let events = told.iter().filter_map(|answer| answer.event.as_ref());
    let placed = events.filter(|event| event.revision == 1);
    placed.map(|event| event.order_id.clone()).collect()
}

/// As a caller polls who trusts the clocks: all orders that were placed at or after the newest one seen.
async fn by_place_time(client: &Client, since: &mut String, seen: &mut BTreeSet<String>) {
    let mut request = ListOrdersRequest {
        filter: match since.as_str() {
            "" => String::new(),
            since => format!("place_time >= \"{since}\""),
        },
        order_by: "place_time".to_owned(),
        page_size: 1_000,
        page_token: String::new(),
    };
    loop {
        let page = client.orders.clone().list_orders(request.clone()).await;
        let page = page.unwrap().into_inner();
        for order in page.orders {
            let time = order.place_time.unwrap();
            let time = jiff::Timestamp::new(time.seconds, time.nanos).unwrap();
            *since = time.to_string();
            seen.insert(order.order_id);
        }
        if page.next_page_token.is_empty() {
            return;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn two_servers_with_clocks_apart_lose_nothing_for_who_polls_by_position() {
    const ORDERS: usize = 12;
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "-3600000").unwrap();
    let options = ServerOptions::with_temporal(&temporal.address).data_dir(folder.path());
    let behind = options
        .clone()
        .env("ORDERS_TEST_CLOCK", clock.to_str().unwrap());
    let right = TestServer::start(options).await;
    let behind = TestServer::start(behind.arg("--no-worker")).await;
    let clients = [right.client().await, behind.client().await];
    let reader = &clients[0];
    let sku = sku();
    reader.stock(&sku, 100).await;

    let (_, mut position) = reader.poll("", "").await;
    let (mut since, mut by_time) = (String::new(), BTreeSet::new());
    let (mut by_position, mut ids) = (Vec::new(), BTreeSet::new());
    for number in 0..ORDERS {
        let placing = Placing::pre_order(&sku, 30);
        ids.insert(placing.id());
        clients[number % 2].place(placing).await;
        // Asked of the one and of the other: a position is one of the database.
        let (told, next) = clients[number / 2 % 2].poll("", &position).await;
        by_position.extend(placed(&told));
        position = next;
        by_place_time(reader, &mut since, &mut by_time).await;
    }
    let once: BTreeSet<String> = by_position.iter().cloned().collect();
    assert_eq!(once, ids, "some are missing");
    assert_eq!(by_position.len(), ids.len(), "some came twice");
    // The trap that the contract warns of; without it this test shows nothing.
    assert!(by_time.len() < ids.len(), "no order was hidden by its time");
}

#[tokio::test]
async fn a_poll_ends_with_a_position_whatever_the_filter_lets_pass() {
    let client = shared().await.client().await;
    let (customer, sku) = (unique("poller"), sku());
    client.stock(&sku, 10).await;
    let (told, start) = client.poll("", "").await;
    assert!(told.is_empty(), "{told:?}");
    let filter = format!("customer_id = {customer}");
    let (told, unmoved) = client.poll(&filter, &start).await;
    assert!(told.is_empty(), "{told:?}");

    let mut placing = Placing::pre_order(&sku, 30);
    placing.0.customer_id = customer;
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    let events = client.events(&id).await;
    for from in [&start, &unmoved] {
        let (told, _) = client.poll(&filter, from).await;
        let revisions = told
            .iter()
            .map(|told| told.event.as_ref().unwrap().revision);
        let expected = events.iter().map(|event| event.revision);
        assert_eq!(revisions.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
    // Nothing comes twice, and what was passed over is not looked at again.
    let (_, next) = client.poll(&filter, &unmoved).await;
    let (told, last) = client.poll(&filter, &next).await;
    assert!(told.is_empty(), "{told:?}");
    let more = WatchOrdersRequest {
        filter: String::new(),
        after: last,
        until_now: false,
    };
    // A position of a poll is one of a watch, too.
    client.orders.clone().watch_orders(more).await.unwrap();
}

/// More than is read at once.
#[tokio::test]
async fn a_poll_reads_a_long_log_to_its_end() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1_000).await;
    let (_, start) = client.poll("", "").await;
    let mut ids = BTreeSet::new();
    for _ in 0..60 {
        let placing = Placing::pre_order(&sku, 30);
        ids.insert(placing.id());
        client.place(placing).await;
    }
    for id in &ids {
        client.until(id, OrderState::AwaitingRelease).await;
    }
    let (told, _) = client.poll("", &start).await;
    assert!(told.len() > 200, "{}", told.len());
    let found: BTreeSet<String> = placed(&told).into_iter().collect();
    assert!(found.is_superset(&ids));
}
