//! WatchOrder: every revision once, in order, to the end, whatever happens in between.

mod crowd;
mod many;
mod poll;
mod resumed;

use orders::v1::{OrderState, UpdateShippingAddressRequest};
use orders_test_support::{
    Client, Placing, Refused, ServerOptions, TestServer, TestTemporal, shared, sku, unique,
    watch::{after, next},
};
use std::time::{Duration, Instant};
use tonic::{Code, Request};

/// An order that is held, on a server with stock.
async fn held(client: &Client) -> String {
    let sku = sku();
    client.stock(&sku, 5).await;
    client.held(&sku).await
}

/// Brings a held order to its end.
async fn complete(client: &Client, id: &str) {
    client.start_fulfillment(id).await.unwrap();
    client.confirm_pickup(id).await.unwrap();
    client.confirm_delivery(id).await.unwrap();
}

#[tokio::test]
async fn an_order_is_followed_from_its_placing_to_its_end() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    client.place(placing).await;
    let (watcher, watched) = (client.clone(), id.clone());
    let watch = tokio::spawn(async move { watcher.watch_to_the_end(&watched, 0).await });
    client.until(&id, OrderState::AwaitingRelease).await;
    complete(&client, &id).await;
    let told = watch.await.unwrap();

    let events = client.events(&id).await;
    let revisions: Vec<i64> = told.iter().map(|(event, _)| event.revision).collect();
    assert_eq!(revisions, (1..=events.len() as i64).collect::<Vec<_>>());
    for ((event, order), listed) in told.iter().zip(&events) {
        assert_eq!(event, listed);
        // The order as it was right after the event, not as it is now.
        assert_eq!(order.revision, event.revision);
        assert_eq!(order.state, event.order_state);
    }
    assert_eq!(told[0].1.state(), OrderState::Placed);
    let (_, last) = told.into_iter().next_back().unwrap();
    assert_eq!(last.state(), OrderState::Completed);
    assert_eq!(last, client.get(&id).await);
}

#[tokio::test]
async fn it_goes_on_after_any_revision_and_ends_at_once_after_the_last() {
    let client = shared().await.client().await;
    let id = held(&client).await;
    let before = client.get(&id).await.revision;
    let mut live = client.watch(&id, before).await.unwrap();
    complete(&client, &id).await;
    let first = next(&mut live).await.unwrap().unwrap();
    assert_eq!(first.event.unwrap().revision, before + 1);
    let closed = client.until(&id, OrderState::Completed).await.revision;
    for revision in [0, 1, before, closed - 1, closed] {
        let told = client.watch_to_the_end(&id, revision).await;
        let told: Vec<i64> = told.iter().map(|(event, _)| event.revision).collect();
        assert_eq!(told, (revision + 1..=closed).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() {
    let client = shared().await.client().await;
    let id = held(&client).await;
    let nobody = client.watch(&unique("nobody"), 0).await.unwrap_err();
    assert_eq!(nobody.code, Code::NotFound);
    assert_eq!(nobody.reason, "ORDER_NOT_FOUND");
    let revision = client.get(&id).await.revision;
    let ahead = client.watch(&id, revision + 1).await.unwrap_err();
    assert_eq!(ahead.code, Code::InvalidArgument);
    assert_eq!(ahead.fields(), ["after_revision"]);
    let wrong = client.watch("a b", -1).await.unwrap_err();
    assert_eq!(wrong.fields(), ["after_revision", "order_id"]);
}

#[tokio::test]
async fn what_another_process_does_is_followed() {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address).data_dir(folder.path());
    let busy = TestServer::start(options.clone()).await;
    let quiet = TestServer::start(options.arg("--no-worker")).await;
    let (client, watcher) = (busy.client().await, quiet.client().await);
    let id = held(&client).await;
    let mut live = watcher.watch(&id, 0).await.unwrap();
    let (_, mut all) = watcher.watch_many("", "").await.unwrap();
    let held = client.get(&id).await.revision;
    for revision in 1..=held {
        let event = next(&mut live).await.unwrap().unwrap().event.unwrap();
        assert_eq!(event.revision, revision);
    }
    let begun = Instant::now();
    complete(&client, &id).await;
    let mut revision = held;
    while let Some(answer) = next(&mut live).await.unwrap() {
        revision += 1;
        assert_eq!(answer.event.unwrap().revision, revision);
        let same = next(&mut all).await.unwrap().unwrap();
        assert_eq!(same.event.unwrap().revision, revision);
        assert_eq!(same.order, answer.order);
    }
    assert_eq!(revision, client.get(&id).await.revision);
    println!("told across processes within {:?}", begun.elapsed());
}

#[tokio::test]
async fn one_who_does_not_read_holds_up_nobody_and_misses_nothing() {
    let client = shared().await.client().await;
    let id = held(&client).await;
    // The smallest window: the server can send a little and must then wait for the reader.
    let endpoint =
        tonic::transport::Endpoint::from_shared(format!("http://{}", shared().await.address));
    let endpoint = endpoint.unwrap().initial_stream_window_size(1024);
    let channel = endpoint.connect().await.unwrap();
    let mut lazy = orders::v1::order_service_client::OrderServiceClient::new(channel);
    let mut unread = lazy.watch_order(after(&id, 0)).await.unwrap().into_inner();
    let mut live = client.watch(&id, 0).await.unwrap();
    for number in 0..60 {
        client
            .move_to(&id, &format!("{number} Slow St"))
            .await
            .unwrap();
    }
    complete(&client, &id).await;
    let mut newest = 0;
    while let Some(answer) = next(&mut live).await.unwrap() {
        newest = answer.event.unwrap().revision;
    }
    // Only now does the other one begin to read.
    let mut revision = 0;
    while let Some(answer) = next(&mut unread).await.unwrap() {
        revision += 1;
        assert_eq!(answer.event.unwrap().revision, revision);
        assert_eq!(answer.order.unwrap().revision, revision);
    }
    assert_eq!(revision, newest);
    assert!(newest > 60);
}

#[tokio::test]
async fn the_callers_deadline_ends_it_and_says_where_to_go_on() {
    let client = shared().await.client().await;
    let id = held(&client).await;
    let revision = client.get(&id).await.revision;
    let mut request = Request::new(after(&id, 0));
    // By hand: with set_timeout the client would not wait for the server's word.
    let metadata = request.metadata_mut();
    metadata.insert("grpc-timeout", "400m".parse().unwrap());
    let begun = Instant::now();
    let opened = client.orders.clone().watch_order(request).await;
    let mut stream = opened.unwrap().into_inner();
    let mut seen = 0;
    let status = loop {
        match next(&mut stream).await {
            Ok(answer) => seen = answer.unwrap().event.unwrap().revision,
            Err(status) => break status,
        }
    };
    assert_eq!(seen, revision);
    assert!(
        status
            .message()
            .contains(&format!("after_revision {revision}"))
    );
    let refused = Refused::from(status);
    assert_eq!(refused.code, Code::DeadlineExceeded);
    assert_eq!(refused.reason, "DEADLINE_EXCEEDED");
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn a_server_that_stops_ends_its_watches_and_the_next_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default().data_dir(&folder.path().join("data"));
    let server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let id = held(&client).await;
    let revision = client.get(&id).await.revision;
    let mut one = client.watch(&id, revision).await.unwrap();
    let (position, mut many) = client.watch_many("", "").await.unwrap();
    let begun = Instant::now();
    assert_eq!(server.stop().await, Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    for status in [
        next(&mut one).await.unwrap_err(),
        next(&mut many).await.unwrap_err(),
    ] {
        let refused = Refused::from(status);
        assert_eq!(refused.code, Code::Unavailable);
        assert_eq!(refused.reason, "SERVER_STOPPING");
        assert!(refused.details.retry_info().is_some());
    }

    let server = TestServer::start(options).await;
    let client = server.client().await;
    let mut one = client.watch(&id, revision).await.unwrap();
    let (_, mut many) = client.watch_many("", &position).await.unwrap();
    client.cancel(&id).await.unwrap();
    let event = next(&mut one).await.unwrap().unwrap().event.unwrap();
    assert_eq!(event.revision, revision + 1);
    assert_eq!(next(&mut many).await.unwrap().unwrap().event, Some(event));
}

#[tokio::test]
async fn there_are_as_many_watches_as_the_settings_allow() {
    let server = TestServer::start(ServerOptions::default().arg("--max-watches").arg("2")).await;
    let client = server.client().await;
    let id = held(&client).await;
    let first = client.watch(&id, 0).await.unwrap();
    let _second = client.watch_many("", "").await.unwrap();
    let refused = client.watch(&id, 0).await.unwrap_err();
    assert_eq!(refused.code, Code::ResourceExhausted);
    assert_eq!(refused.reason, "TOO_MANY_WATCHES");
    assert!(refused.details.retry_info().is_some());
    // Reads are not watches.
    client.get(&id).await;
    drop(first);
    let what = "a watch to be possible again";
    orders_test_support::eventually(what, async || client.watch(&id, 0).await.ok()).await;
}

/// Changes the address, as often as a test wants revisions.
pub(crate) async fn change(client: &Client, id: &str, number: usize) -> i64 {
    let request = UpdateShippingAddressRequest {
        order_id: id.to_owned(),
        request_id: unique("change"),
        shipping_address: Some(orders_test_support::order::address(&format!(
            "{number} Main St"
        ))),
        ..UpdateShippingAddressRequest::default()
    };
    let changed = client.orders.clone().update_shipping_address(request).await;
    changed.unwrap().into_inner().order.unwrap().revision
}
