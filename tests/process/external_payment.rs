//! Money from outside is recorded whenever it arrives, by call or by signal: what the order asks for counts as
//! its payment, and the rest is a surplus.

use futures::future::join_all;
use orders::v1::{
    AttentionReasonType as Reason, CloseReason, ConfirmPaymentRequest, OrderState, PaymentMethod,
    PaymentMethodType, PaymentState,
};
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, eventually, order::dollars, shared, sku, unique,
};
use tonic::Code;

fn confirmation(id: &str, units: i64, nanos: i32) -> ConfirmPaymentRequest {
    ConfirmPaymentRequest {
        order_id: id.to_owned(),
        request_id: unique("pay"),
        transaction_id: format!("TXN-{id}"),
        amount: Some(dollars(units, nanos)),
        ..ConfirmPaymentRequest::default()
    }
}

fn placing(policy: &str, sku: &str) -> Placing {
    let mut placing = Placing::new(policy, sku);
    placing.0.payment_method = None;
    placing
}

#[tokio::test]
async fn confirmed_it_is_shipped_and_delivered() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let placing = placing("quick-external", &sku);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::AwaitingPayment).await;
    assert_eq!(order.payment.unwrap().state(), PaymentState::Pending);
    let mut orders = client.orders.clone();
    let mut confirmation = confirmation(&id, 19, 990_000_000);
    confirmation.payment_method = Some(PaymentMethod {
        r#type: PaymentMethodType::Paypal.into(),
        last4: "4242".to_owned(),
        ..PaymentMethod::default()
    });
    orders.confirm_payment(confirmation).await.unwrap();
    let order = client.until(&id, OrderState::Completed).await;
    let payment = order.payment.unwrap();
    let method = payment.method.as_ref().unwrap();
    assert_eq!(
        (method.r#type(), method.last4.as_str()),
        (PaymentMethodType::Paypal, "4242")
    );
    assert_eq!(payment.transaction_id, format!("TXN-{id}"));
    assert_eq!(payment.state(), PaymentState::Captured);
    let captured = "SELECT captured FROM payments WHERE order_id = $1";
    assert_eq!(server.count(captured, &id).await, 1999);
}

#[tokio::test]
async fn unpaid_it_is_cancelled_and_its_stock_is_free_again() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let placing = placing("quick-external", &sku);
    let id = placing.id();
    client.place(placing).await;
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentTimeout);
    assert_eq!(client.stock_item(&sku).await.available, 2);
}

/// An order that waits for 19.99 dollars from outside.
async fn waiting(client: &Client, sku: &str) -> String {
    let placing = placing("external-payment", sku);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingPayment).await;
    id
}

/// FC-08c: half of the payments that were acknowledged while the reservation was tried again were swallowed.
#[tokio::test]
async fn early_signals_are_not_swallowed() {
    let options = ServerOptions::default()
        .policies()
        .arg("--simulate")
        .arg("inventory:error=0.6");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 20).await;
    let paid = join_all((0..12).map(async |_| {
        let placing = placing("external-payment", &sku);
        let id = placing.id();
        client.place(placing).await;
        let total = dollars(19, 990_000_000);
        let bank = format!("bank-{id}");
        client.signal_payment(&id, &bank, total).await.unwrap();
        eventually("the payment to be recorded", async || {
            let recorded = client.count_events(&id, "PAYMENT_CONFIRMED").await;
            (recorded == 1).then_some(())
        })
        .await;
        let settled = |order: &orders::v1::Order| {
            order.state() == OrderState::InTransit || order.close_time.is_some()
        };
        let order = client.until_that(&id, "the order to go on", settled).await;
        // An order whose reservation failed too often gives the money back.
        let payment = order.payment.as_ref().unwrap();
        let state = match order.state() {
            OrderState::InTransit | OrderState::Completed => PaymentState::Captured,
            _ => PaymentState::Refunded,
        };
        assert_eq!(payment.state(), state, "{order:#?}");
        assert_ne!(order.close_reason(), CloseReason::PaymentTimeout);
        assert_eq!(client.count_events(&id, "COMMAND_REFUSED").await, 0);
        payment.state() == PaymentState::Captured
    }))
    .await;
    assert!(paid.contains(&true), "no order went on");
}

/// FC-09e: one bank transaction paid two orders.
#[tokio::test]
async fn one_transaction_pays_one_order() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let (first, second) = (waiting(&client, &sku).await, waiting(&client, &sku).await);
    let bank = unique("bank");
    let total = || dollars(19, 990_000_000);
    client
        .confirm_payment_as(&first, &bank, total())
        .await
        .unwrap();
    client.until(&first, OrderState::InTransit).await;
    let refused = client
        .confirm_payment_as(&second, &bank, total())
        .await
        .unwrap_err();
    assert_eq!(refused.code, Code::AlreadyExists);
    assert_eq!(refused.reason, "TRANSACTION_ID_EXISTS");
    // Once more, and as a signal: recorded once.
    client
        .confirm_payment_as(&second, &bank, total())
        .await
        .unwrap_err();
    client
        .signal_payment(&second, &bank, total())
        .await
        .unwrap();
    let part = client
        .confirm_payment(&second, dollars(5, 0))
        .await
        .unwrap();
    assert_eq!(part.state(), OrderState::AwaitingPayment);
    assert_eq!(client.count_events(&second, "PAYMENT_REFUSED").await, 1);
    assert_eq!(client.count_events(&second, "COMMAND_REFUSED").await, 0);
    let listed = client.needing_attention().await.orders;
    let listed = listed
        .iter()
        .find(|order| order.order_id == second)
        .unwrap();
    let reason = &listed.reasons[0];
    assert_eq!(reason.r#type(), Reason::PaymentUnmatched);
    assert!(reason.description.contains(&first), "{reason:?}");
    assert!(
        reason.description.contains("14.99 USD is missing"),
        "{reason:?}"
    );
}

#[tokio::test]
async fn the_same_transaction_is_counted_once_under_any_request_id() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = waiting(&client, &sku).await;
    let mut orders = client.orders.clone();
    let replayed = |response: &tonic::Response<orders::v1::ConfirmPaymentResponse>| {
        response.metadata().contains_key("orders-replayed")
    };
    let first = orders
        .confirm_payment(confirmation(&id, 5, 0))
        .await
        .unwrap();
    assert!(!replayed(&first));
    // Under another request id, and with a revision that is long past.
    let mut again = confirmation(&id, 5, 0);
    again.expected_revision = Some(1);
    let again = orders.confirm_payment(again).await.unwrap();
    assert!(replayed(&again));
    let payment = again.into_inner().order.unwrap().payment.unwrap();
    assert_eq!(payment.received_amount, Some(dollars(5, 0)));
    let refused = orders
        .confirm_payment(confirmation(&id, 6, 0))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    let payment = client.get(&id).await.payment.unwrap();
    assert_eq!(payment.captured_amount, Some(dollars(5, 0)));
    assert_eq!(client.count_events(&id, "PAYMENT_CONFIRMED").await, 1);
    assert_eq!(client.count_events(&id, "PAYMENT_REFUSED").await, 1);
}

#[tokio::test]
async fn a_part_is_given_back_at_the_deadline_and_late_money_is_due() {
    let server = shared().await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = placing("quick-external", &sku);
    let id = placing.id();
    client.place(placing).await;
    client.confirm_payment(&id, dollars(5, 0)).await.unwrap();
    let order = client.until(&id, OrderState::Cancelled).await;
    assert_eq!(order.close_reason(), CloseReason::PaymentTimeout);
    let payment = order.payment.unwrap();
    assert_eq!(payment.captured_amount, Some(dollars(5, 0)));
    assert_eq!(payment.refunded_amount, Some(dollars(5, 0)));
    assert_eq!(client.reasons(&id).await, []);

    // Late, by call and by signal, the order closed and its workflow ended.
    let late = dollars(19, 990_000_000);
    let order = client
        .confirm_payment_as(&id, &unique("late"), late)
        .await
        .unwrap();
    assert_eq!(order.state(), OrderState::Cancelled);
    let signalled = unique("late");
    client
        .signal_payment(&id, &signalled, dollars(1, 0))
        .await
        .unwrap();
    client
        .signal_payment(&id, &signalled, dollars(1, 0))
        .await
        .unwrap();
    let refused = client.signal_payment(&id, &signalled, dollars(2, 0)).await;
    assert_eq!(refused.unwrap_err().code(), Code::AlreadyExists);
    let mut euros = dollars(2, 0);
    euros.currency_code = "EUR".to_owned();
    let refused = client.signal_payment(&id, &unique("late"), euros).await;
    assert_eq!(refused.unwrap_err().code(), Code::FailedPrecondition);
    let order = client.get(&id).await;
    assert_eq!(order.state(), OrderState::Cancelled);
    let payment = order.payment.unwrap();
    assert_eq!(payment.surplus_amount, Some(dollars(20, 990_000_000)));
    assert_eq!(payment.received_amount, Some(dollars(25, 990_000_000)));
    assert_eq!(payment.refunded_amount, Some(dollars(5, 0)));
    assert_eq!(client.reasons(&id).await, [Reason::PaymentUnmatched]);
    assert_eq!(client.count_events(&id, "PAYMENT_CONFIRMED").await, 3);
    // Other commands are refused as ever.
    assert_eq!(
        client.cancel(&id).await.unwrap_err().code,
        Code::FailedPrecondition
    );
}

#[tokio::test]
async fn too_much_and_what_our_provider_charges_itself_is_surplus() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let id = waiting(&client, &sku).await;
    client.confirm_payment(&id, dollars(25, 0)).await.unwrap();
    let order = client.until(&id, OrderState::InTransit).await;
    let payment = order.payment.unwrap();
    assert_eq!(payment.captured_amount, order.total);
    assert_eq!(payment.surplus_amount, Some(dollars(5, 10_000_000)));
    assert_eq!(client.reasons(&id).await, [Reason::PaymentUnmatched]);
    let placing = Placing::new("standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    client
        .confirm_payment(&id, dollars(19, 990_000_000))
        .await
        .unwrap();
    let order = client.until(&id, OrderState::InTransit).await;
    let payment = order.payment.unwrap();
    assert_eq!(
        (&payment.captured_amount, &payment.surplus_amount),
        (&order.total, &order.total)
    );
    assert_eq!(client.reasons(&id).await, [Reason::PaymentUnmatched]);
}

/// A slip of the keyboard is refused, and keeps no later payment out.
#[tokio::test]
async fn one_confirmation_cannot_fill_the_order() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let id = waiting(&client, &sku).await;
    for too_much in [
        dollars(92_233_720_368_547_758, 70_000_000),
        dollars(90_000_000_000_000, 10_000_000),
    ] {
        let refused = client.confirm_payment(&id, too_much.clone()).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, Code::InvalidArgument);
        assert_eq!(refused.fields(), ["amount"]);
        let said = "at most 90000000000000.00 USD in one confirmation";
        assert!(refused.message.contains(said), "{refused:?}");
        let signalled = client.signal_payment(&id, &unique("slip"), too_much).await;
        assert_eq!(signalled.unwrap_err().code(), Code::InvalidArgument);
    }
    // As much as one may say, and then what was meant.
    let most = dollars(90_000_000_000_000, 0);
    client
        .confirm_payment_as(&id, &unique("most"), most)
        .await
        .unwrap();
    let total = dollars(19, 990_000_000);
    client
        .signal_payment(&id, &unique("bank"), total)
        .await
        .unwrap();
    eventually("the second payment", async || {
        let recorded = client.count_events(&id, "PAYMENT_CONFIRMED").await;
        (recorded == 2).then_some(())
    })
    .await;
}
