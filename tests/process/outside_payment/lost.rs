//! Answers that do not come.

use super::{assert_balanced, options, to_the_end};
use orders::v1::{CloseReason, OrderState, PaymentState};
use orders_test_support::{
    Manner, PaymentProvider, Placing, ServerOptions, TestServer, TestTemporal, eventually, sku,
};

/// The first call of every key goes wrong, in each way; each order ends right and nothing moves twice.
#[tokio::test]
async fn no_call_that_goes_wrong_moves_anything_twice() {
    let temporal = TestTemporal::start().await;
    for manner in [Manner::Lost, Manner::Silent, Manner::Failed] {
        let provider = PaymentProvider::start().await;
        provider.first_of_each(manner);
        let queue = format!("outside-{manner:?}");
        let server = TestServer::start(options(&temporal, &provider, &queue)).await;
        let client = server.client().await;
        let sku = sku();
        client.stock(&sku, 50).await;
        for policy in [
            "quick-standard",
            "quick-approval",
            "quick-hold",
            "shipping-lane",
        ] {
            for cancel in [false, true] {
                let placing = match policy {
                    "quick-hold" => Placing::pre_order(&sku, 30).policy(policy),
                    policy => Placing::new(policy, &sku),
                };
                let name = format!("{policy} {manner:?} cancel={cancel}");
                let id = placing.id();
                client.place(placing).await;
                if cancel {
                    let _ = client.cancel(&id).await;
                }
                let order = to_the_end(&client, &id).await;
                assert_balanced(&provider, &order, &name);
                let open = "SELECT COUNT(*) FROM payment_journal j WHERE key LIKE $1 || '/%'
                    AND phase = 'INDETERMINATE' AND NOT EXISTS (SELECT 1 FROM payment_journal f
                        WHERE f.key = j.key AND f.phase IN ('SUCCEEDED', 'DECLINED', 'NOT_HAPPENED'))";
                assert_eq!(server.count(open, &id).await, 0, "{name}: never resolved");
            }
        }
        assert_eq!(server.stop().await, Some(0));
    }
}

/// A call that hangs at the provider and is done there long after the order was cancelled: it was asked
/// for by its key meanwhile, and so it is refused when it comes.
#[tokio::test]
async fn a_call_that_comes_after_the_cancellation_takes_nothing() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let options: ServerOptions = options(&temporal, &provider, "outside-late");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    provider.next("CHARGE", &[Manner::Held; 3]);
    let placing = Placing::new("quick-approval", &sku);
    let id = placing.id();
    client.place(placing).await;
    let key = format!("{id}/charge_payment");
    eventually("the call", async || {
        (provider.calls("CHARGE", &key) > 0).then_some(())
    })
    .await;
    let asked = client.get(&id).await;
    let state = asked.payment.unwrap().state();
    let waiting = [PaymentState::Pending, PaymentState::Indeterminate];
    assert!(waiting.contains(&state), "{state:?}");
    client.cancel(&id).await.unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.close_reason(), CloseReason::CustomerCancelled);
    assert!(
        provider.calls("RESOLVE", &key) > 0,
        "the key was not asked for"
    );
    provider.let_go();
    // Asked once more, as a network might: the key stays closed.
    assert_balanced(&provider, &order, "late");
    eventually("the held calls", async || {
        provider.let_go();
        (provider.moved(&key).is_none()).then_some(())
    })
    .await;
    assert_balanced(&provider, &order, "late");
}

/// The provider is away for longer than an order tries, and while one is being undone.
#[tokio::test]
async fn a_provider_that_is_away_costs_nobody_anything() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-away")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    // Three attempts, none of which is answered: given up, and asked for by the key.
    provider.next("AUTHORIZE", &[Manner::Silent; 3]);
    provider.next("RESOLVE", &[Manner::Silent; 2]);
    let placing = Placing::new("quick-standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentFailed);
    assert_balanced(&provider, &order, "silent");
    assert_eq!(client.stock_item(&sku).await.reserved, 0);
    // The same, but the last one went through.
    provider.next("AUTHORIZE", &[Manner::Silent, Manner::Silent, Manner::Lost]);
    let placing = Placing::new("quick-standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_balanced(&provider, &order, "lost");
    let payment_id = &order.payment.as_ref().unwrap().payment_id;
    assert_eq!(provider.sum(payment_id, "VOID"), (1, 1999));
}
