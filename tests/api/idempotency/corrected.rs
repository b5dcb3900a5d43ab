//! A refused request that is corrected and sent again under the same id is decided anew: a refusal is remembered
//! neither by the store nor by Temporal.

use orders::v1::{
    ConfirmPaymentRequest, Order, OrderState, PaymentOutcome, ResolvePaymentRequest, Step,
};
use orders_test_support::{Client, Placing, Refused, order::dollars, shared, sku, unique};

async fn waiting(client: &Client) -> String {
    let sku = sku();
    client.stock(&sku, 2).await;
    let mut placing = Placing::new("external-payment", &sku);
    placing.0.payment_method = None;
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    id
}

fn confirmation(id: &str) -> ConfirmPaymentRequest {
    ConfirmPaymentRequest {
        order_id: id.to_owned(),
        request_id: unique("pay"),
        transaction_id: unique("bank"),
        amount: Some(dollars(19, 990_000_000)),
        ..ConfirmPaymentRequest::default()
    }
}

async fn confirm(client: &Client, request: &ConfirmPaymentRequest) -> Result<Order, Refused> {
    let sent = client.orders.clone().confirm_payment(request.clone()).await;
    let sent = sent.map(|answer| answer.into_inner().order.unwrap());
    sent.map_err(Refused::from)
}

fn is_paid(order: &Order) -> bool {
    let captured = order.payment.as_ref().unwrap().captured_amount.as_ref();
    captured.is_some_and(|captured| captured.units == 19)
}

#[tokio::test]
async fn a_refused_payment_may_be_corrected_under_the_same_id() {
    let client = shared().await.client().await;
    let id = waiting(&client).await;
    let right = confirmation(&id);
    let mut wrong = right.clone();
    if let Some(amount) = &mut wrong.amount {
        amount.currency_code = "EUR".to_owned();
    }
    for _ in 0..2 {
        let refused = confirm(&client, &wrong).await.unwrap_err();
        assert_eq!(refused.reason, "CURRENCY_MISMATCH");
    }
    assert!(is_paid(&confirm(&client, &right).await.unwrap()));
    assert!(is_paid(&confirm(&client, &right).await.unwrap()));
    // What was accepted stays: the id is used up.
    let refused = confirm(&client, &wrong).await.unwrap_err();
    assert_eq!(refused.reason, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn a_known_transaction_and_a_revision_may_be_corrected_under_the_same_id() {
    let client = shared().await.client().await;
    let (first, second) = (waiting(&client).await, waiting(&client).await);
    let taken = confirmation(&first);
    confirm(&client, &taken).await.unwrap();
    let right = confirmation(&second);
    let mut wrong = right.clone();
    wrong.transaction_id.clone_from(&taken.transaction_id);
    let refused = confirm(&client, &wrong).await.unwrap_err();
    assert_eq!(refused.reason, "TRANSACTION_ID_EXISTS");
    // Only the workflow's activity looks at the revision of a confirmation.
    let revision = client.get(&second).await.revision;
    let mut outdated = right.clone();
    outdated.expected_revision = Some(revision - 1);
    let refused = confirm(&client, &outdated).await.unwrap_err();
    assert_eq!(refused.reason, "REVISION_MISMATCH");
    outdated.expected_revision = Some(revision);
    assert!(is_paid(&confirm(&client, &outdated).await.unwrap()));
}

#[tokio::test]
async fn a_refused_resolution_may_be_corrected_under_the_same_id() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let placing = Placing::new("lost-for-long", &sku).token("tok-lost-answer");
    let id = client.place(placing).await.order_id;
    let lost = |told: &orders::v1::ExplainOrderResponse| !told.unknown_payments.is_empty();
    client.until_explained(&id, "a lost answer", lost).await;
    let wrong = ResolvePaymentRequest {
        order_id: id.clone(),
        request_id: unique("resolve"),
        actor: "grace".to_owned(),
        step: Step::ChargePayment.into(),
        outcome: PaymentOutcome::NotHappened.into(),
        transaction_id: String::new(),
        evidence: "statement 7".to_owned(),
        reason: "asked the bank".to_owned(),
    };
    let resolve = async |request: &ResolvePaymentRequest| {
        let mut operator = client.operator.clone();
        let sent = operator.resolve_payment(request.clone()).await;
        sent.map(|answer| answer.into_inner().order.unwrap())
            .map_err(Refused::from)
    };
    let refused = resolve(&wrong).await.unwrap_err();
    assert_eq!(refused.reason, "PAYMENT_OUTCOME_KNOWN");
    let right = ResolvePaymentRequest {
        outcome: PaymentOutcome::Succeeded.into(),
        transaction_id: format!("txn-{id}-charge_payment"),
        ..wrong
    };
    let order = resolve(&right).await.unwrap();
    assert!(is_paid(&order), "{order:#?}");
}
