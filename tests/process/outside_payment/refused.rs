//! A provider that refuses to give money back: a person is asked for at once, and settles it.

use super::{kept, options};
use crate::operations::verify;
use orders::v1::{
    AttentionReasonType as Reason, Command, CompensationOutcome, ExplainOrderResponse, Order,
    OrderState, PaymentState, Step, VouchState, WaitsFor,
};
use orders_store::verify::Check;
use orders_test_support::{
    Client, Manner, PaymentProvider, Placing, TestServer, TestTemporal, sku,
};
use std::time::{Duration, SystemTime};

/// Cancels an order whose money the provider does not give back, and waits until that asks for a person.
async fn refused(client: &Client, id: &str, step: Step) -> ExplainOrderResponse {
    client.cancel(id).await.unwrap();
    let refused = |told: &ExplainOrderResponse| {
        let mut reasons = told.reasons.iter();
        reasons.any(|reason| reason.r#type() == Reason::RefundByHand)
    };
    let told = client
        .until_explained(id, "a refused refund", refused)
        .await;
    assert_eq!((told.waits_for(), told.step()), (WaitsFor::Operator, step));
    assert_eq!(told.failed_attempts, 1);
    assert!(told.last_error.contains("already refunded"), "{told:?}");
    assert!(told.unblocked_by.contains("ResolvePayment"), "{told:?}");
    let mut allowed = told.allowed_commands();
    assert!(allowed.any(|kind| kind == Command::ResolvePayment));
    assert_eq!(told.unknown_payments().collect::<Vec<_>>(), [step]);
    // It is tried again, but not hot.
    let next = SystemTime::try_from(told.next_retry_time.unwrap()).unwrap();
    assert!(next > SystemTime::now() + Duration::from_secs(30 * 60));
    assert_eq!(client.reasons(id).await, [Reason::RefundByHand]);
    told
}

fn by_hand(order: &Order, transaction_id: &str) {
    let payment = order.payment.as_ref().unwrap();
    let [vouched] = payment.vouched.as_slice() else {
        panic!("{payment:?}")
    };
    assert_eq!(vouched.state(), VouchState::ByHand);
    assert_eq!(
        (vouched.actor.as_str(), vouched.transaction_id.as_str()),
        ("grace", transaction_id)
    );
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_is_settled_by_a_person() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-by-hand")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 9).await;
    provider.decline_for("already refunded");
    provider.always("REFUND", Manner::Declined);
    provider.always("VOID", Manner::Declined);
    let hold = async || {
        let placing = Placing::pre_order(&sku, 30).policy("quick-hold");
        let id = client.place(placing).await.order_id;
        client.until(&id, OrderState::AwaitingRelease).await;
        id
    };

    // Given back by other means.
    let id = hold().await;
    refused(&client, &id, Step::RefundPayment).await;
    assert_eq!(provider.calls("REFUND", &format!("{id}/refund_payment")), 1);
    client
        .resolve(&id, Step::RefundPayment, "chargeback-7")
        .await
        .unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    let payment = order.payment.as_ref().unwrap();
    assert_eq!(payment.state(), PaymentState::Refunded);
    assert_eq!(payment.refunded_amount, payment.captured_amount);
    assert_eq!(order.compensations[1].outcome(), CompensationOutcome::Done);
    by_hand(&order, "chargeback-7");
    assert_eq!(client.reasons(&id).await, []);
    assert_eq!(client.stock_item(&sku).await.reserved, 0);
    let ran = verify::verify(&server.data_dir, &["--json", "--no-temporal"]);
    let shown = (Check::RefundByHand.as_str().to_owned(), id.clone());
    assert!(verify::found(&ran).iter().eq([&shown]), "{ran:?}");
    assert_eq!(ran.code, Some(0), "a warning is no finding: {ran:?}");

    // It was not given back: asked for anew, under another key, since the first one is refused for good.
    let id = hold().await;
    refused(&client, &id, Step::RefundPayment).await;
    provider.always("REFUND", Manner::Good);
    client.resolve(&id, Step::RefundPayment, "").await.unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    let payment = order.payment.as_ref().unwrap();
    assert_eq!(payment.state(), PaymentState::Refunded);
    assert!(payment.vouched.is_empty());
    let second = format!("{id}/refund_payment/2");
    assert_eq!(provider.moved(&second).unwrap().amount, 1999);
    assert_eq!(kept(&provider, &payment.payment_id), (0, 0));

    // An authorization that the provider does not take back.
    let placing = Placing::new("by-hand", &sku);
    let id = client.place(placing).await.order_id;
    client.until(&id, OrderState::AwaitingApproval).await;
    refused(&client, &id, Step::VoidAuthorization).await;
    client
        .resolve(&id, Step::VoidAuthorization, "chargeback-8")
        .await
        .unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(
        order.payment.as_ref().unwrap().state(),
        PaymentState::Voided
    );
    by_hand(&order, "chargeback-8");
    assert_eq!(server.stop().await, Some(0));
}
