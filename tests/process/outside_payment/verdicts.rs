//! What the provider says after a person has vouched: it counts, as far as it can still be followed.

use super::{
    kept, options,
    resolution::{key, vouched},
};
use crate::operations::verify;
use orders::v1::{Order, OrderState, PaymentState, Step, VouchState};
use orders_test_support::{
    Client, Manner, PaymentProvider, Placing, TestServer, TestTemporal, eventually, order::dollars,
    sku,
};
use tonic::Code;

/// A charged order that waits for its release, and of whose charge nobody has heard.
async fn lost(client: &Client, provider: &PaymentProvider, sku: &str, manner: Manner) -> String {
    provider.always("CHARGE", manner);
    let placing = Placing::pre_order(sku, 30).policy("lost-and-held");
    let id = client.place(placing).await.order_id;
    let unknown = |told: &orders::v1::ExplainOrderResponse| told.unknown_payments.len() == 1;
    client.until_explained(&id, "a lost answer", unknown).await;
    provider.always("CHARGE", Manner::Good);
    id
}

async fn until(client: &Client, id: &str, what: &str, is: impl Fn(&Order) -> bool) -> Order {
    eventually(what, async || {
        let order = client.get(id).await;
        is(&order).then_some(order)
    })
    .await
}

fn payment(order: &Order) -> &orders::v1::Payment {
    order.payment.as_ref().unwrap()
}

#[tokio::test]
async fn what_the_provider_says_after_a_person_is_followed() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-verdicts")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 20).await;
    provider.always("RESOLVE", Manner::Silent);

    // Vouched for, and never moved: the goods stay, and the charge is made under another key.
    let unpaid = lost(&client, &provider, &sku, Manner::Silent).await;
    let vouch = client
        .resolve(&unpaid, Step::ChargePayment, "made-up")
        .await;
    vouch.unwrap();
    client.until(&unpaid, OrderState::AwaitingRelease).await;
    // The same, cancelled: nothing is to be given back, by nobody.
    let nothing = lost(&client, &provider, &sku, Manner::Silent).await;
    let vouch = client
        .resolve(&nothing, Step::ChargePayment, "made-up-2")
        .await;
    vouch.unwrap();
    client.until(&nothing, OrderState::AwaitingRelease).await;
    client.cancel(&nothing).await.unwrap();
    // Denied, and moved all the same. The order closes before the provider can be asked.
    let owed = lost(&client, &provider, &sku, Manner::Lost).await;
    client.cancel(&owed).await.unwrap();
    client
        .resolve(&owed, Step::ChargePayment, "")
        .await
        .unwrap();
    client.until(&owed, OrderState::Cancelled).await;
    // Vouched for, and true.
    let paid = lost(&client, &provider, &sku, Manner::Lost).await;
    client
        .resolve(&paid, Step::ChargePayment, "typo")
        .await
        .unwrap();
    client.until(&paid, OrderState::AwaitingRelease).await;

    provider.always("RESOLVE", Manner::Good);
    let second = format!("{}/2", key(&unpaid));
    let order = until(&client, &unpaid, "a charge under another key", |order| {
        payment(order).transaction_id == format!("outside-{second}")
    })
    .await;
    assert_eq!(vouched(&order), []);
    assert_eq!(kept(&provider, &payment(&order).payment_id), (1999, 0));
    assert_eq!(client.reasons(&unpaid).await, []);
    let order = client.until(&nothing, OrderState::Cancelled).await;
    assert_eq!(payment(&order).captured_amount, None);
    assert_eq!(client.reasons(&nothing).await, []);
    assert_eq!(
        provider.calls("REFUND", &format!("{nothing}/refund_payment")),
        0
    );

    // The closed order owes its customer the money, and gives it back; the close stays as it was.
    let closed = client.get(&owed).await;
    let order = until(&client, &owed, "the refund", |order| {
        payment(order).state() == PaymentState::Refunded
    })
    .await;
    assert_eq!(
        payment(&order).captured_amount,
        Some(dollars(19, 990_000_000))
    );
    assert_eq!(
        payment(&order).transaction_id,
        format!("outside-{}", key(&owed))
    );
    assert_eq!(order.state(), OrderState::Cancelled);
    assert_eq!(order.close_time, closed.close_time);
    assert_eq!(kept(&provider, &payment(&order).payment_id), (0, 0));
    assert_eq!(client.reasons(&owed).await, []);
    let again = client
        .resolve(&owed, Step::RefundPayment, "bank-out-1")
        .await;
    assert_eq!(again.unwrap_err().code(), Code::FailedPrecondition);

    // The provider's own name is known from now on: it pays for nobody else.
    until(&client, &paid, "the provider's answer", |order| {
        vouched(order) == [VouchState::Confirmed]
    })
    .await;
    let thief = client
        .place(Placing::new("external-payment", &sku).outside())
        .await;
    let id = thief.order_id;
    client.until(&id, OrderState::AwaitingPayment).await;
    for known in [&paid, &owed] {
        let charge = format!("outside-{}", key(known));
        let stolen = client
            .confirm_payment_as(&id, &charge, dollars(19, 990_000_000))
            .await;
        assert_eq!(
            stolen.unwrap_err().reason,
            "TRANSACTION_ID_EXISTS",
            "{charge}"
        );
    }
    let found = verify::found(&verify::verify(
        &server.data_dir,
        &["--json", "--no-temporal"],
    ));
    let accused = |id: &String| found.iter().any(|(_, other)| other == id);
    assert!(
        ![&unpaid, &nothing, &paid].into_iter().any(accused),
        "{found:?}"
    );
    assert_eq!(server.stop().await, Some(0));
}

/// "Given back already" is an answer to the attempt whose own answer was lost: the provider says so when it is asked.
#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_asked_for_before_a_person_is() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-already")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    provider.decline_for("already refunded");
    provider.next("REFUND", &[Manner::Lost, Manner::Declined]);
    let id = client
        .place(Placing::pre_order(&sku, 30).policy("quick-hold"))
        .await
        .order_id;
    client.until(&id, OrderState::AwaitingRelease).await;
    client.cancel(&id).await.unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    let key = format!("{id}/refund_payment");
    assert_eq!(
        (
            provider.calls("REFUND", &key),
            provider.calls("RESOLVE", &key)
        ),
        (2, 1)
    );
    assert_eq!(payment(&order).state(), PaymentState::Refunded);
    assert_eq!(kept(&provider, &payment(&order).payment_id), (0, 0));
    assert_eq!(vouched(&order), []);
    assert_eq!(server.stop().await, Some(0));
}

/// A person's word does not name what another payment is known by.
#[tokio::test]
async fn nobody_vouches_with_the_transaction_of_another_payment() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-known")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 20).await;
    let paid = client
        .place(Placing::new("external-payment", &sku).outside())
        .await;
    client
        .until(&paid.order_id, OrderState::AwaitingPayment)
        .await;
    let confirmed = client.confirm_payment_as(&paid.order_id, "bank-7", dollars(19, 990_000_000));
    confirmed.await.unwrap();
    provider.always("RESOLVE", Manner::Silent);
    let first = lost(&client, &provider, &sku, Manner::Lost).await;
    client
        .resolve(&first, Step::ChargePayment, "slip-1")
        .await
        .unwrap();
    let second = lost(&client, &provider, &sku, Manner::Lost).await;
    for known in ["bank-7", "slip-1"] {
        let refused = client.resolve(&second, Step::ChargePayment, known).await;
        assert_eq!(refused.unwrap_err().code(), Code::AlreadyExists, "{known}");
    }
    assert_eq!(client.reasons(&paid.order_id).await, []);
    client
        .resolve(&second, Step::ChargePayment, "slip-2")
        .await
        .unwrap();
    assert_eq!(server.stop().await, Some(0));
}
