//! The policy `external-payment`: the payment happens outside, for exactly the total.

use crate::harness::{Placing, order::dollars, shared, sku, unique};
use orders::v1::{
    CloseReason, ConfirmPaymentRequest, OrderState, PaymentMethod, PaymentMethodType, PaymentState,
};

fn confirmation(id: &str, units: i64, nanos: i32) -> ConfirmPaymentRequest {
    ConfirmPaymentRequest {
        order_id: id.to_owned(),
        request_id: unique("pay"),
        transaction_id: "TXN-12345".to_owned(),
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
    assert_eq!(payment.transaction_id, "TXN-12345");
    assert_eq!(payment.state(), PaymentState::Captured);
    let captured = "SELECT captured FROM payments WHERE order_id = $1";
    assert_eq!(server.count(captured, &id).await, 1999);
}

#[tokio::test]
async fn any_other_amount_is_refused() {
    let client = shared().await.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let placing = placing("external-payment", &sku);
    let id = placing.id();
    client.place(placing).await;
    let before = client.until(&id, OrderState::AwaitingPayment).await;
    let mut orders = client.orders.clone();
    let refused = orders
        .confirm_payment(confirmation(&id, 1, 0))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    assert_eq!(client.get(&id).await.revision, before.revision);
    client.cancel(&id).await.unwrap();
    client.until(&id, OrderState::Cancelled).await;
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
