//! Pages while orders are placed, and tokens that are not what the server gave out.

use orders::v1::{ListOrdersRequest, ListOrdersResponse};
use orders_test_support::{Client, Placing, Refused, shared, sku, unique};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tonic::{Code, Status};

async fn place(client: &Client, sku: &str, customer: &str) -> String {
    // It waits for its payment, so there is little to do for it.
    let mut placing = Placing::new("external-payment", sku);
    placing.0.customer_id = customer.to_owned();
    client.place(placing).await.order_id
}

async fn list(
    client: &Client,
    customer: &str,
    order_by: &str,
    token: &str,
) -> Result<ListOrdersResponse, Status> {
    let request = ListOrdersRequest {
        filter: format!("customer_id = \"{customer}\""),
        order_by: order_by.to_owned(),
        page_size: 3,
        page_token: token.to_owned(),
    };
    let answer = client.orders.clone().list_orders(request).await;
    answer.map(tonic::Response::into_inner)
}

/// All pages; `between` comes between each two.
async fn all(
    client: &Client,
    customer: &str,
    order_by: &str,
    between: impl AsyncFn(),
) -> Vec<String> {
    let mut ids = Vec::new();
    let mut token = String::new();
    loop {
        let page = list(client, customer, order_by, &token).await.unwrap();
        assert!(page.orders.len() <= 3);
        ids.extend(page.orders.into_iter().map(|order| order.order_id));
        token = page.next_page_token;
        if token.is_empty() {
            return ids;
        }
        between().await;
    }
}

#[tokio::test]
async fn each_order_comes_once_while_others_of_the_same_customer_are_placed() {
    const BEFORE: usize = 20;
    let client = shared().await.client().await;
    let (sku, customer) = (sku(), unique("customer"));
    client.stock(&sku, 10_000).await;
    let mut placed = Vec::new();
    for _ in 0..BEFORE {
        placed.push(place(&client, &sku, &customer).await);
    }
    let stop = AtomicBool::new(false);
    let more = AtomicUsize::new(0);
    // Each page is read after two more orders, at least.
    let two_more = async || {
        let before = more.load(Ordering::SeqCst);
        orders_test_support::eventually("two more orders", async || {
            (more.load(Ordering::SeqCst) >= before + 2).then_some(())
        })
        .await;
    };
    let placing = async {
        while !stop.load(Ordering::SeqCst) {
            place(&client, &sku, &customer).await;
            more.fetch_add(1, Ordering::SeqCst);
        }
    };
    let reading = async {
        // Backwards there is nothing new: what is placed meanwhile is newer than where it began.
        let newest = all(&client, &customer, "place_time desc", two_more).await;
        let known = newest.iter().filter(|id| placed.contains(id));
        assert!(known.eq(placed.iter().rev()), "{newest:?}");
        // Forwards the new ones follow, so it ends when no more are placed.
        let pages = AtomicUsize::new(0);
        let until_enough = async || match pages.fetch_add(1, Ordering::SeqCst) {
            0..9 => two_more().await,
            _ => stop.store(true, Ordering::SeqCst),
        };
        let oldest = all(&client, &customer, "place_time", until_enough).await;
        assert_eq!(oldest[..BEFORE], placed);
        let mut once = oldest.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), oldest.len(), "an order came twice: {oldest:?}");
        assert!(oldest.len() > BEFORE, "none was placed meanwhile");
        stop.store(true, Ordering::SeqCst);
    };
    tokio::join!(placing, reading);
    println!(
        "{BEFORE} orders read twice while {} were placed",
        more.into_inner()
    );
}

#[tokio::test]
async fn a_token_that_is_not_the_one_of_this_request_is_refused() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let client = shared().await.client().await;
    let (sku, customer) = (sku(), unique("customer"));
    client.stock(&sku, 10).await;
    for _ in 0..4 {
        place(&client, &sku, &customer).await;
    }
    let page = list(&client, &customer, "", "").await.unwrap();
    let token = page.next_page_token;
    let last = list(&client, &customer, "", &token).await.unwrap();
    assert_eq!(last.orders.len(), 1);

    let refused = async |customer: &str, order_by: &str, token: &str| {
        let status = list(&client, customer, order_by, token).await.unwrap_err();
        let refused = Refused::from(status);
        assert_eq!(refused.code, Code::InvalidArgument, "{token}");
        assert_eq!(refused.fields(), ["page_token"], "{token}");
    };
    refused(&unique("somebody-else"), "", &token).await;
    refused(&customer, "place_time", &token).await;
    let json = String::from_utf8(URL_SAFE_NO_PAD.decode(&token).unwrap()).unwrap();
    assert!(json.contains("\"v\":1"), "{json}");
    for tampered in [
        json.replace("\"v\":1", "\"v\":2"),
        json.replace("\"after\"", "\"before\""),
        json.replace("\"after\":[", "\"after\":[1,"),
        json.replace('}', ",\"x\":1}"),
    ] {
        assert_ne!(tampered, json);
        refused(&customer, "", &URL_SAFE_NO_PAD.encode(tampered)).await;
    }
    refused(&customer, "", &token[1..]).await;
    refused(&customer, "", &format!("{token}A")).await;
    // It was not used up.
    let again = list(&client, &customer, "", &token).await.unwrap();
    assert_eq!(again.orders[0].order_id, last.orders[0].order_id);
}
