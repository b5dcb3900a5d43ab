//! Money that is not of the provider: it is never asked to give back what a caller confirmed, and a caller's text
//! never names a transaction of somebody else.

use super::{options, to_the_end};
use orders::v1::{AttentionReasonType as Reason, OrderState, PaymentState};
use orders_test_support::{
    Client, PaymentProvider, Placing, ServerOptions, TestServer, TestTemporal, eventually,
    order::dollars, sku,
};
use tonic::Code;

/// One piece for 19.99 dollars, paid from outside. It may be cancelled until its payment is complete, and then until
/// it is dispatched, which `shipping:error=1` puts off.
async fn unpaid(client: &Client, sku: &str) -> String {
    let mut placing = Placing::new("external-payment", sku);
    placing.0.payment_method = None;
    placing.0.customer_id = "mallory".to_owned();
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    id
}

async fn start(temporal: &TestTemporal, provider: &PaymentProvider, queue: &str) -> TestServer {
    let options: ServerOptions = options(temporal, provider, queue);
    TestServer::start(options.arg("--simulate").arg("shipping:error=1")).await
}

/// M1: a charge of one customer was named as the payment of two orders of another one, and refunded twice.
#[tokio::test]
async fn the_charge_of_somebody_else_neither_pays_nor_is_refunded() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = start(&temporal, &provider, "strangers").await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 9).await;
    let victim = client.held(&sku).await;
    let charge = format!("outside-{victim}/charge_payment");
    let shown = client.get(&victim).await.payment.unwrap();
    assert_eq!(shown.transaction_id, charge);
    let total = || dollars(19, 990_000_000);
    for _ in 0..2 {
        let stolen = unpaid(&client, &sku).await;
        let refused = client.confirm_payment_as(&stolen, &charge, total()).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, Code::AlreadyExists);
        assert_eq!(refused.reason, "TRANSACTION_ID_EXISTS");
        let details = format!("{:?}", refused.details);
        // It is part of the id that the caller gave, and nowhere else.
        assert!(!details.replace(&charge, "").contains(&victim), "{details}");
        assert_eq!(client.count_events(&stolen, "PAYMENT_REFUSED").await, 1);
        assert_eq!(client.reasons(&stolen).await, [Reason::PaymentUnmatched]);
        // The same by signal, which nobody can refuse.
        client
            .signal_payment(&stolen, &charge, total())
            .await
            .unwrap();
        client.cancel(&stolen).await.unwrap();
        let order = client.until(&stolen, OrderState::Cancelled).await;
        assert!(order.payment.unwrap().captured_amount.is_none());
        assert_eq!(
            provider.calls("REFUND", &format!("{stolen}/refund_payment")),
            0
        );
    }
    let payment_id = client.get(&victim).await.payment.unwrap().payment_id;
    assert_eq!(provider.sum(&payment_id, "REFUND"), (0, 0));
    assert_eq!(
        client.get(&victim).await.payment.unwrap().state(),
        PaymentState::Captured
    );
    assert_eq!(server.stop().await, Some(0));
}

/// What a caller confirmed as its own is not sent as a capture, either: a person gives it back.
#[tokio::test]
async fn money_from_outside_is_given_back_by_hand() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = start(&temporal, &provider, "by-hand").await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 9).await;
    let id = unpaid(&client, &sku).await;
    let part = client
        .confirm_payment_as(&id, "bank-of-mallory", dollars(5, 0))
        .await;
    assert_eq!(part.unwrap().state(), OrderState::AwaitingPayment);
    client.cancel(&id).await.unwrap();
    let failed = eventually("the refund to be refused", async || {
        let events = client.events(&id).await;
        events
            .into_iter()
            .find(|event| event.error.contains("by hand"))
    })
    .await;
    assert_eq!(failed.step(), orders::v1::Step::RefundPayment);
    assert_eq!(client.get(&id).await.state(), OrderState::Cancelling);
    assert_eq!(provider.calls("REFUND", &format!("{id}/refund_payment")), 0);
    assert_eq!(server.stop().await, Some(0));
}

/// A caller takes the name of a charge before the provider gives it: the provider's answer is recorded, and both
/// orders are named.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_cannot_be_taken_in_advance() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = start(&temporal, &provider, "in-advance").await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 9).await;
    let thief = unpaid(&client, &sku).await;
    let placing = Placing::pre_order(&sku, 30);
    let victim = placing.id();
    let charge = format!("outside-{victim}/charge_payment");
    let total = dollars(19, 990_000_000);
    client
        .confirm_payment_as(&thief, &charge, total)
        .await
        .unwrap();
    client.place(placing).await;
    let order = client.until(&victim, OrderState::AwaitingRelease).await;
    assert_eq!(order.payment.unwrap().state(), PaymentState::Captured);
    assert_eq!(client.count_events(&victim, "PAYMENT_DISPUTED").await, 1);
    assert_eq!(client.reasons(&victim).await, [Reason::PaymentUnmatched]);
    eventually("the other order to be told", async || {
        let told = client.count_events(&thief, "PAYMENT_DISPUTED").await;
        (told == 1).then_some(())
    })
    .await;
    assert!(
        client
            .reasons(&thief)
            .await
            .contains(&Reason::PaymentUnmatched)
    );
    let data = server.data_dir.clone();
    let expected = [("payment-disputed", thief.as_str())];
    let args = ["--no-temporal"];
    let ran = crate::operations::verify::until_found(&data, &args, &expected).await;
    assert!(ran.out.contains(&victim), "{}", ran.out);
    client.cancel(&victim).await.unwrap();
    to_the_end(&client, &victim).await;
    let refund = provider.moved(&format!("{victim}/refund_payment")).unwrap();
    assert_eq!(refund.on, charge);
    assert_eq!(server.stop().await, Some(0));
}
