//! WatchOrders: all that the filter lets pass, each event once, from any position.

use super::{change, complete, held};
use orders::v1::{OrderState, WatchOrdersResponse};
use orders_test_support::{Client, Placing, eventually, shared, sku, unique, watch::next};
use std::collections::BTreeMap;
use tonic::Streaming;

/// Reads until the order with that id is closed; gives order id, revision and position of each.
async fn until_closed(
    stream: &mut Streaming<WatchOrdersResponse>,
    id: &str,
) -> Vec<(String, i64, String)> {
    let mut told = Vec::new();
    loop {
        let answer = next(stream).await.unwrap().expect("it has no end");
        let (order, event) = (answer.order.unwrap(), answer.event.unwrap());
        assert_eq!(
            (&order.order_id, order.revision),
            (&event.order_id, event.revision)
        );
        let closed = order.close_time.is_some() && order.order_id == id;
        told.push((event.order_id, event.revision, answer.position));
        if closed {
            return told;
        }
    }
}

async fn placed_for(client: &Client, customer: &str, sku: &str) -> String {
    let mut placing = Placing::pre_order(sku, 30);
    placing.0.customer_id = customer.to_owned();
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    id
}

#[tokio::test]
async fn a_customers_orders_are_followed_each_event_once() {
    let client = shared().await.client().await;
    let (customer, sku) = (unique("customer"), sku());
    client.stock(&sku, 10).await;
    let filter = format!("customer_id = \"{customer}\"");
    let (begin, mut live) = client.watch_many(&filter, "").await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(placed_for(&client, &customer, &sku).await);
        // Somebody else's: must not be told.
        held(&client).await;
    }
    for id in &ids {
        complete(&client, id).await;
    }
    let told = until_closed(&mut live, &ids[2]).await;
    let mut revisions: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (id, revision, _) in &told {
        revisions.entry(id).or_default().push(*revision);
    }
    assert_eq!(revisions.len(), 3, "{revisions:?}");
    for id in &ids {
        let closed = client.get(id).await.revision;
        assert_eq!(revisions[id.as_str()], (1..=closed).collect::<Vec<_>>());
    }
    // From each position the rest comes again, the same, in the same order.
    for start in [0, 1, told.len() / 2, told.len() - 1] {
        let after = match start {
            0 => &begin,
            _ => &told[start - 1].2,
        };
        let (_, mut again) = client.watch_many(&filter, after).await.unwrap();
        assert_eq!(until_closed(&mut again, &ids[2]).await, told[start..]);
    }
}

#[tokio::test]
async fn what_passes_is_decided_by_the_order_as_it_was() {
    let client = shared().await.client().await;
    let (customer, sku) = (unique("customer"), sku());
    client.stock(&sku, 10).await;
    let filter = format!(
        "customer_id = {customer} AND state = ORDER_STATE_AWAITING_RELEASE AND policy = pre-order"
    );
    let (begin, _live) = client.watch_many(&filter, "").await.unwrap();
    let id = placed_for(&client, &customer, &sku).await;
    let moved = change(&client, &id, 1).await;
    complete(&client, &id).await;
    client.until(&id, OrderState::Completed).await;
    let (_, mut late) = client.watch_many(&filter, &begin).await.unwrap();
    let held = next(&mut late).await.unwrap().unwrap();
    assert_eq!(held.event.unwrap().revision, moved - 1);
    assert_eq!(held.order.unwrap().state(), OrderState::AwaitingRelease);
    let changed = next(&mut late).await.unwrap().unwrap();
    assert_eq!(changed.event.unwrap().revision, moved);
}

#[tokio::test]
async fn positions_and_filters_that_cannot_be_right_are_refused() {
    let client = shared().await.client().await;
    let (begin, _live) = client.watch_many("", "").await.unwrap();
    let refused = client
        .watch_many("state = X", "elsewhere")
        .await
        .unwrap_err();
    assert_eq!(refused.fields(), ["after", "filter"]);
    // A page token is no position.
    let listed = client
        .orders
        .clone()
        .list_orders(orders::v1::ListOrdersRequest {
            page_size: 1,
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    if !listed.next_page_token.is_empty() {
        let refused = client.watch_many("", &listed.next_page_token).await;
        assert_eq!(refused.unwrap_err().fields(), ["after"]);
    }
    client.watch_many("policy = stock", &begin).await.unwrap();
}

#[tokio::test]
async fn one_who_comes_late_catches_up_with_what_happens_meanwhile() {
    let client = shared().await.client().await;
    let id = held(&client).await;
    let first = client.get(&id).await.revision + 1;
    let filter = "customer_id = customer-1";
    let (begin, _) = client.watch_many(filter, "").await.unwrap();
    for number in 0..150 {
        change(&client, &id, number).await;
    }
    // While it reads those, more are made.
    let (_, mut late) = client.watch_many(filter, &begin).await.unwrap();
    let (changer, changed) = (client.clone(), id.clone());
    let changing = tokio::spawn(async move {
        for number in 150..200 {
            change(&changer, &changed, number).await;
        }
        changer.cancel(&changed).await.unwrap();
    });
    let told = until_closed(&mut late, &id).await;
    changing.await.unwrap();
    let closed = eventually("the end", async || {
        let order = client.get(&id).await;
        order.close_time.is_some().then_some(order.revision)
    });
    let closed = closed.await;
    let own = told.iter().filter(|(order_id, _, _)| *order_id == id);
    let own: Vec<i64> = own.map(|(_, revision, _)| *revision).collect();
    assert_eq!(own, (first..=closed).collect::<Vec<_>>());
    assert!(own.len() > 200, "{}", own.len());
}
