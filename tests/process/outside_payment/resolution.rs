//! ResolvePayment when the provider is outside: it is asked first, and only where it cannot be asked does the word of
//! a named person count, until the provider has confirmed it.

use super::{kept, options};
use crate::operations::verify;
use orders::v1::{
    AttentionReasonType as Reason, Order, OrderEvent, OrderEventType, OrderState, Step, VouchState,
};
use orders_store::verify::Check;
use orders_test_support::{
    Client, Manner, PaymentProvider, Placing, TestServer, TestTemporal, eventually, sku,
};
use tonic::Code;

/// An order of whose charge nobody has heard.
async fn lost(client: &Client, provider: &PaymentProvider, manner: Manner) -> String {
    let sku = sku();
    client.stock(&sku, 5).await;
    provider.always("CHARGE", manner);
    let placing = Placing::new("lost-outside", &sku);
    let id = client.place(placing).await.order_id;
    let unknown = |told: &orders::v1::ExplainOrderResponse| told.unknown_payments.len() == 1;
    client.until_explained(&id, "a lost answer", unknown).await;
    provider.always("CHARGE", Manner::Good);
    id
}

pub(super) fn key(id: &str) -> String {
    format!("{id}/charge_payment")
}

async fn resolved(client: &Client, id: &str) -> Vec<OrderEvent> {
    let mut events = client.events(id).await;
    events.retain(|event| event.r#type() == OrderEventType::PaymentResolved);
    events
}

pub(super) fn vouched(order: &Order) -> Vec<VouchState> {
    let payment = order.payment.as_ref().unwrap();
    payment.vouched.iter().map(|one| one.state()).collect()
}

fn payment_id(order: &Order) -> &str {
    &order.payment.as_ref().unwrap().payment_id
}

#[tokio::test]
async fn an_answer_of_the_provider_counts_and_not_the_operators() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-asked")).await;
    let client = server.client().await;

    // It never happened, whatever anybody says: the goods do not leave unpaid. The key is closed, and the charge is
    // made under another one.
    let id = lost(&client, &provider, Manner::Silent).await;
    let refused = client.resolve(&id, Step::ChargePayment, "made-up").await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("never moved"), "{refused:?}");
    let order = client.until(&id, OrderState::InTransit).await;
    assert_eq!(provider.calls("RESOLVE", &key(&id)), 1);
    assert_eq!(provider.moved(&key(&id)), None);
    let second = format!("{}/2", key(&id));
    assert_eq!(provider.moved(&second).unwrap().amount, 1999);
    let payment = order.payment.as_ref().unwrap();
    assert_eq!(payment.transaction_id, format!("outside-{second}"));
    assert_eq!(kept(&provider, payment_id(&order)), (1999, 0));
    let events = resolved(&client, &id).await;
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    for part in ["the provider says: NOT_HAPPENED", "statement 7"] {
        assert!(event.reason.contains(part), "{event:?}");
    }
    assert_eq!(event.actor, "grace");

    // It did happen, whatever anybody says.
    let id = lost(&client, &provider, Manner::Lost).await;
    let refused = client.resolve(&id, Step::ChargePayment, "").await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let name = format!("outside-{}", key(&id));
    assert!(refused.message().contains(&name), "{refused:?}");
    let order = client.until(&id, OrderState::InTransit).await;
    assert_eq!(order.payment.as_ref().unwrap().transaction_id, name);
    assert_eq!(kept(&provider, payment_id(&order)), (1999, 0));

    // Its name and its amount are booked, not the operator's.
    let id = lost(&client, &provider, Manner::Lost).await;
    client
        .resolve(&id, Step::ChargePayment, "of-another")
        .await
        .unwrap();
    let order = client.until(&id, OrderState::InTransit).await;
    let name = format!("outside-{}", key(&id));
    assert_eq!(order.payment.as_ref().unwrap().transaction_id, name);
    assert_eq!(vouched(&order), []);
    assert_eq!(client.reasons(&id).await, []);
    let found = verify::found(&verify::verify(
        &server.data_dir,
        &["--json", "--no-temporal"],
    ));
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test]
async fn a_person_vouches_while_the_provider_cannot_be_asked_and_it_shows_until_that_confirms() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-vouched")).await;
    let client = server.client().await;
    provider.always("RESOLVE", Manner::Silent);
    let confirmed = lost(&client, &provider, Manner::Lost).await;
    let contradicted = lost(&client, &provider, Manner::Silent).await;
    let open = lost(&client, &provider, Manner::Lost).await;
    for nobody in ["", "anonymous", "orders"] {
        let step = Step::ChargePayment;
        let refused = client.resolve_as(nobody, &confirmed, step, "typo").await;
        assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    }
    for id in [&confirmed, &contradicted, &open] {
        client
            .resolve(id, Step::ChargePayment, &format!("typo-{id}"))
            .await
            .unwrap();
        let order = client.until(id, OrderState::InTransit).await;
        assert_eq!(vouched(&order), [VouchState::Unconfirmed]);
        assert_eq!(client.reasons(id).await, [Reason::PaymentVouched]);
        let told = client.explain(id).await;
        let [reason] = told.reasons.as_slice() else {
            panic!("{told:?}")
        };
        for part in ["grace", "charge_payment", "SUCCEEDED", "typo"] {
            assert!(reason.description.contains(part), "{reason:?}");
        }
    }
    // It stays in doubt when the order has closed.
    for id in [&confirmed, &contradicted] {
        client.confirm_delivery(id).await.unwrap();
        client.until(id, OrderState::Completed).await;
        assert_eq!(client.reasons(id).await, [Reason::PaymentVouched]);
    }
    let name = |check: Check, id: &String| (check.as_str().to_owned(), id.clone());
    let found = verify::found(&verify::verify(
        &server.data_dir,
        &["--json", "--no-temporal"],
    ));
    for id in [&confirmed, &contradicted, &open] {
        let finding = name(Check::PaymentVouched, id);
        assert!(found.contains(&finding), "{found:?}");
    }

    // The provider can be asked again.
    provider.always("RESOLVE", Manner::Good);
    match client.retry(&open).await {
        Ok(order) => assert_eq!(vouched(&order), [VouchState::Confirmed], "{order:#?}"),
        // The server may have asked by itself just now.
        Err(refused) => assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED"),
    }
    for id in [&confirmed, &contradicted] {
        // Closed: whoever runs orders asks within seconds.
        if let Err(refused) = client.retry(id).await {
            assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED");
        }
    }
    let state = async |id: &String, wanted| {
        eventually("the provider's answer", async || {
            let order = client.get(id).await;
            (vouched(&order) == [wanted]).then_some(order)
        })
        .await
    };
    state(&open, VouchState::Confirmed).await;
    let order = state(&confirmed, VouchState::Confirmed).await;
    let payment = order.payment.unwrap();
    let transaction = format!("outside-{}", key(&confirmed));
    assert_eq!(payment.vouched[0].confirmed_transaction_id, transaction);
    let typo = format!("typo-{confirmed}");
    assert_eq!(payment.vouched[0].transaction_id, typo);
    assert_eq!(payment.transaction_id, transaction);
    state(&contradicted, VouchState::Contradicted).await;
    assert_eq!(client.reasons(&confirmed).await, []);
    assert_eq!(client.reasons(&open).await, []);
    assert_eq!(
        client.reasons(&contradicted).await,
        [Reason::PaymentVouched]
    );
    let found = verify::found(&verify::verify(
        &server.data_dir,
        &["--json", "--no-temporal"],
    ));
    let still = [name(Check::PaymentVouched, &contradicted)];
    assert!(found.iter().eq(&still), "{found:?}");
    // Nothing more is to be asked of an order that is confirmed.
    let refused = client.retry(&confirmed).await.unwrap_err();
    assert_eq!(refused.reason, "COMMAND_NOT_ALLOWED");
    assert_eq!(server.stop().await, Some(0));
}

/// The refund builds on the name that the provider has confirmed, and waits for that: what the operator typed may be
/// somebody else's payment.
#[tokio::test]
async fn a_refund_names_what_the_provider_confirmed() {
    let temporal = TestTemporal::start().await;
    let provider = PaymentProvider::start().await;
    let server = TestServer::start(options(&temporal, &provider, "outside-confirmed")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 5).await;
    provider.always("RESOLVE", Manner::Silent);
    provider.next("CHARGE", &[Manner::Lost; 20]);
    let id = client
        .place(Placing::pre_order(&sku, 30).policy("lost-and-held"))
        .await
        .order_id;
    let unknown = |told: &orders::v1::ExplainOrderResponse| told.unknown_payments.len() == 1;
    client.until_explained(&id, "a lost answer", unknown).await;
    client
        .resolve(&id, Step::ChargePayment, "typo")
        .await
        .unwrap();
    client.until(&id, OrderState::AwaitingRelease).await;
    client.cancel(&id).await.unwrap();
    eventually("a refund that is not asked for", async || {
        let reasons = client.reasons(&id).await;
        reasons.contains(&Reason::RefundByHand).then_some(())
    })
    .await;
    assert_eq!(client.get(&id).await.state(), OrderState::Cancelling);
    provider.always("RESOLVE", Manner::Good);
    eventually("the provider's answer", async || {
        (vouched(&client.get(&id).await) == [VouchState::Confirmed]).then_some(())
    })
    .await;
    // The refund waits no longer.
    client.until(&id, OrderState::Cancelled).await;
    let refund = provider.moved(&format!("{id}/refund_payment")).unwrap();
    assert_eq!(refund.on, format!("outside-{}", key(&id)));
    assert_eq!(server.stop().await, Some(0));
}
