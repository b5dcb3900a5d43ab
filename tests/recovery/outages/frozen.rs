//! A Temporal that takes connections and answers nothing: orders are stored, and started when it goes on.

use futures::future::join_all;
use nix::sys::signal::Signal;
use orders::v1::{Consistency, GetOrderRequest, Order, OrderState};
use orders_test_support::{
    Client, Placing, Refused, ServerOptions, TestServer, TestTemporal, eventually, sku,
};
use std::time::Duration;
use tonic::{Code, Request, Status};

/// Places an order once, with the deadline that most clients have.
async fn place(client: &Client, placing: Placing) -> Result<Order, Status> {
    let mut request = Request::new(placing.0);
    request.set_timeout(Duration::from_secs(10));
    let placed = client.orders.clone().place_order(request).await;
    placed.map(|answer| answer.into_inner().order.unwrap())
}

async fn strong(client: &Client, order_id: &str) -> Result<Order, Status> {
    let request = GetOrderRequest {
        order_id: order_id.to_owned(),
        consistency: Consistency::Strong.into(),
    };
    let read = client.orders.clone().get_order(request).await;
    read.map(|answer| answer.into_inner().order.unwrap())
}

#[tokio::test]
async fn orders_are_taken_while_temporal_is_frozen_and_run_when_it_goes_on() {
    let temporal = TestTemporal::start().await;
    let server = TestServer::start(ServerOptions::with_temporal(&temporal.address)).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 100).await;
    let before = client.place(Placing::new("standard", &sku)).await;
    client.until(&before.order_id, OrderState::InTransit).await;

    temporal.process.signal(Signal::SIGSTOP);
    // In two waves: those that find out, and those that need not ask any more.
    let mut waiting = Vec::new();
    for wave in [4, 26] {
        let calls = (0..wave).map(|_| place(&client, Placing::new("standard", &sku)));
        for placed in join_all(calls).await {
            let order = placed.unwrap();
            assert_eq!(
                (order.state(), order.run_id.as_str()),
                (OrderState::Placed, "")
            );
            waiting.push(order.order_id);
        }
        eventually("the outage to be said", async || {
            server
                .process
                .line_with("orders wait until Temporal answers")
        })
        .await;
    }
    assert_eq!(
        strong(&client, &waiting[0]).await.unwrap_err().code(),
        Code::Unavailable
    );
    assert_eq!(client.get(&waiting[0]).await.state(), OrderState::Placed);

    temporal.process.signal(Signal::SIGCONT);
    for id in &waiting {
        client.until(id, OrderState::InTransit).await;
        let order = strong(&client, id).await.unwrap();
        assert_ne!(order.run_id, "");
    }
    let placed = eventually("a start that is waited for", async || {
        let placed = place(&client, Placing::new("standard", &sku))
            .await
            .unwrap();
        (!placed.run_id.is_empty()).then_some(placed)
    })
    .await;
    client.until(&placed.order_id, OrderState::InTransit).await;
}

#[tokio::test]
async fn no_more_orders_wait_than_may() {
    let temporal = TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address)
        .arg("--max-unstarted")
        .arg("3")
        .arg("--temporal-ui")
        .arg("https://temporal.example.com/ui/");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 100).await;
    temporal.process.signal(Signal::SIGSTOP);
    let first = Placing::new("standard", &sku);
    let mut waiting = vec![place(&client, first.clone()).await.unwrap()];
    for _ in 0..2 {
        waiting.push(
            place(&client, Placing::new("standard", &sku))
                .await
                .unwrap(),
        );
    }
    let one_more = Placing::new("standard", &sku);
    // The bound holds before the outage is known, while it lasts, and for many at once.
    for _ in 0..2 {
        let calls = (0..8).map(|_| place(&client, Placing::new("standard", &sku)));
        let calls = join_all(calls);
        let (refused, others) = tokio::join!(place(&client, one_more.clone()), calls);
        for refused in others.into_iter().chain([refused]) {
            let refused = Refused::from(refused.unwrap_err());
            assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
            assert_eq!(refused.reason, "TEMPORAL_UNAVAILABLE");
        }
        eventually("the outage to be said", async || {
            server
                .process
                .line_with("orders wait until Temporal answers")
        })
        .await;
    }
    let stored = "SELECT count(*) FROM orders WHERE order_id <> $1";
    assert_eq!(server.count(stored, &one_more.id()).await, 3);
    assert_eq!(
        server
            .count(
                "SELECT count(*) FROM orders WHERE order_id = $1",
                &one_more.id()
            )
            .await,
        0
    );
    // What was placed before is answered all the same, and tells where it will be seen.
    let again = place(&client, first).await.unwrap();
    let id = &waiting[0].order_id;
    assert_eq!(again.order_id, *id);
    let page = format!("https://temporal.example.com/ui/namespaces/default/workflows/order%2F{id}");
    assert_eq!(again.ui_url, page);

    temporal.process.signal(Signal::SIGCONT);
    waiting.push(client.place(one_more).await);
    for order in &waiting {
        let order = client.until(&order.order_id, OrderState::InTransit).await;
        assert!(
            order
                .ui_url
                .starts_with("https://temporal.example.com/ui/namespaces/")
        );
    }
}

/// Its answer comes after the caller's, and the order is started once all the same.
#[tokio::test]
async fn an_order_whose_start_is_not_waited_for_runs() {
    let temporal = TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address)
        .arg("--start-wait")
        .arg("0s");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 100).await;
    let placed = join_all((0..20).map(|_| client.place(Placing::new("standard", &sku)))).await;
    for order in placed {
        client.until(&order.order_id, OrderState::InTransit).await;
    }
    assert_eq!(server.process.line_with("Temporal does not answer"), None);
}
