//! What a provider says is bounded before it enters an order; what cannot be an answer is none.

use super::options;
use orders::v1::{CloseReason, ExplainOrderResponse, OrderEventType, OrderState, PaymentState};
use orders_test_support::{
    Client, Manner, PaymentProvider, Placing, TestServer, TestTemporal, eventually, sku,
};

async fn ended(client: &Client, id: &str) {
    eventually("the end of its workflow", async || {
        let workflow = client.explain(id).await.workflow?;
        (workflow.status == "COMPLETED").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_reason_of_2_mb_does_not_keep_a_workflow_from_its_end() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-words")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    let reason = format!("no\u{7}\u{202e}money{}", "R".repeat(2_200_000));
    provider.decline_for(&reason);
    provider.always("CHARGE", Manner::Declined);
    let id = client
        .place(Placing::new("quick-approval", &sku))
        .await
        .order_id;
    let order = client.until(&id, OrderState::Rejected).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentDeclined);
    ended(&client, &id).await;
    let events = client.events(&id).await;
    let declined =
        |event: &&orders::v1::OrderEvent| event.r#type() == OrderEventType::PaymentDeclined;
    let reason = &events.iter().find(declined).unwrap().reason;
    assert_eq!(reason.chars().count(), 500);
    assert!(reason.starts_with("no moneyRRR"), "{reason}");
    assert!(reason.ends_with("(cut)"), "{reason}");
    let longest = "SELECT COALESCE(MAX(LENGTH(evidence)), 0) FROM payment_journal
                   WHERE key LIKE $1 || '/%'";
    assert!(server.count(longest, &id).await <= 500);

    // A refund that is refused as wordily.
    provider.always("CHARGE", Manner::Good);
    provider.always("REFUND", Manner::Declined);
    let placing = Placing::pre_order(&sku, 30).policy("quick-hold");
    let id = client.place(placing).await.order_id;
    client.until(&id, OrderState::AwaitingRelease).await;
    client.cancel(&id).await.unwrap();
    let failed = |told: &ExplainOrderResponse| told.failed_attempts > 0;
    let told = client.until_explained(&id, "a refusal", failed).await;
    assert_eq!(told.last_error.chars().count(), 500);
    client
        .resolve(&id, orders::v1::Step::RefundPayment, "by-hand")
        .await
        .unwrap();
    client.until(&id, OrderState::Cancelled).await;
    ended(&client, &id).await;
    assert_eq!(server.stop().await, Some(0));
}

/// An id that cannot be kept is not cut: it would be another one. Another amount is not what was asked for.
#[tokio::test]
async fn an_answer_that_cannot_be_right_leaves_the_outcome_unknown() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-wrong")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 9).await;
    let long = "x".repeat(1_000_000);
    let wrong = [
        (Manner::Misnamed, long.as_str(), "transaction_id"),
        (Manner::Misnamed, "two\nlines", "transaction_id"),
        (Manner::Misnamed, "", "transaction_id"),
        (
            Manner::Short,
            "",
            "asked to move 1999 and says that it moved 1998",
        ),
    ];
    for (manner, name, words) in wrong {
        provider.call_it(name);
        provider.always("CHARGE", manner);
        let placing = Placing::new("lost-outside", &sku);
        let id = client.place(placing).await.order_id;
        let unknown = |told: &ExplainOrderResponse| told.unknown_payments.len() == 1;
        let told = client.until_explained(&id, "no answer", unknown).await;
        assert!(told.last_error.contains(words), "{}", told.last_error);
        let payment = client.get(&id).await.payment.unwrap();
        assert_eq!(payment.state(), PaymentState::Indeterminate);
        assert_eq!(payment.captured_amount, None);
    }
    assert_eq!(server.stop().await, Some(0));
}
