//! Payments by a provider outside of the process: intents before the calls, outcomes after them, lost
//! answers asked for by their key, and deaths in between. The provider's own books are the judge.

mod aborts;
mod lost;
mod refused;
mod resolution;
mod strangers;
mod verdicts;
mod words;

use orders::v1::{CloseReason, Order, OrderState, PaymentState, ReviewDecision};
use orders_test_support::{
    Client, PaymentProvider, Placing, ServerOptions, TestServer, TestTemporal, sku,
};

/// A server that asks `provider`, with the policies of the tests.
fn options(temporal: &TestTemporal, provider: &PaymentProvider, queue: &str) -> ServerOptions {
    ServerOptions::with_temporal(&temporal.address)
        .policies()
        .arg("--payment-provider")
        .arg(&provider.url)
        .arg("--task-queue")
        .arg(queue)
}

/// Does what an order waits for, until it is closed or `wanted`.
async fn to_the_end(client: &Client, id: &str) -> Order {
    orders_test_support::eventually("the order's end", async || {
        // The server may be away for a moment.
        let order = client.try_get(id).await.ok()?;
        let _ = match order.state() {
            OrderState::Completed | OrderState::Cancelled | OrderState::Rejected => {
                return Some(order);
            }
            OrderState::AwaitingApproval => {
                client.review(id, ReviewDecision::Approve).await.map(drop)
            }
            OrderState::AwaitingRelease => client.start_fulfillment(id).await.map(drop),
            OrderState::InFulfillment => client.confirm_pickup(id).await.map(drop),
            OrderState::InTransit => client.confirm_delivery(id).await.map(drop),
            _ => Ok(()),
        };
        None
    })
    .await
}

/// What the provider has taken for an order and not given back: in all, and held besides.
fn kept(provider: &PaymentProvider, payment_id: &str) -> (i64, i64) {
    let sum = |kind| provider.sum(payment_id, kind).1;
    let taken = sum("CAPTURE") + sum("CHARGE");
    let held = sum("AUTHORIZE") - sum("CAPTURE") - sum("VOID");
    (taken - sum("REFUND"), held)
}

/// Nothing was taken twice, and exactly what the order's end says is kept.
fn assert_balanced(provider: &PaymentProvider, order: &Order, name: &str) {
    let payment_id = &order.payment.as_ref().unwrap().payment_id;
    for kind in ["AUTHORIZE", "CAPTURE", "CHARGE", "REFUND", "VOID"] {
        assert!(
            provider.sum(payment_id, kind).0 <= 1,
            "{name}: {kind} twice"
        );
    }
    let owed = match order.state() {
        OrderState::Completed => 1999,
        _ => 0,
    };
    assert_eq!(kept(provider, payment_id), (owed, 0), "{name}: {order:#?}");
}

#[tokio::test]
async fn each_policy_is_paid_outside() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 20).await;
    for policy in [
        "quick-standard",
        "quick-approval",
        "shipping-lane",
        "pre-order",
    ] {
        let placing = match policy {
            "pre-order" => Placing::pre_order(&sku, 30),
            policy => Placing::new(policy, &sku),
        };
        let id = placing.id();
        client.place(placing).await;
        let order = to_the_end(&client, &id).await;
        assert_eq!(order.close_reason(), CloseReason::Completed, "{order:#?}");
        assert_balanced(&provider, &order, policy);
        let journal = "SELECT SUM(CASE phase WHEN 'INTENT' THEN 1 ELSE 0 END)
                           - SUM(CASE phase WHEN 'SUCCEEDED' THEN 1 ELSE 0 END)
                       FROM payment_journal WHERE key LIKE $1 || '/%'";
        assert_eq!(
            server.count(journal, &id).await,
            0,
            "{policy}: intents and outcomes"
        );
        let initiated = client.count_events(&id, "PAYMENT_INITIATED").await;
        assert_eq!(initiated, if policy == "quick-standard" { 2 } else { 1 });
    }
    // What the provider is told: what the capture builds on, and the token.
    let placing = Placing::new("quick-standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    to_the_end(&client, &id).await;
    let authorized = provider.moved(&format!("{id}/authorize_payment")).unwrap();
    assert_eq!(
        (authorized.on.as_str(), authorized.amount),
        ("tok-good", 1999)
    );
    let captured = provider.moved(&format!("{id}/capture_payment")).unwrap();
    assert_eq!(captured.on, format!("outside-{id}/authorize_payment"));
}

#[tokio::test]
async fn a_refusal_outside_is_final() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-refusals")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let placing = Placing::new("quick-standard", &sku).token("tok-declined");
    let id = placing.id();
    client.place(placing).await;
    let order = to_the_end(&client, &id).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentDeclined);
    assert_eq!(order.payment.unwrap().state(), PaymentState::Declined);
    assert_eq!(
        provider.calls("AUTHORIZE", &format!("{id}/authorize_payment")),
        1
    );

    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_before_anything_starts() {
    for url in ["localhost:1", "ftp://localhost:1", "http://"] {
        let options = ServerOptions::default().arg("--payment-provider").arg(url);
        let folder = tempfile::tempdir().unwrap();
        let output = orders_test_support::server::command(&options, folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{url}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("--payment-provider"), "{said}");
        assert!(!folder.path().join("orders.db").exists());
    }
}
