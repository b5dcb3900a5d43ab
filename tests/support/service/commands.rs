//! More commands of the client: those that carry something, and those sent as signals.

use crate::{Client, Refused, again::until_answered, order::address, unique};
use orders::{
    google::r#type::Money,
    v1::{
        ConfirmPaymentRequest, ListOrderEventsRequest, Order, OrderEvent, SignalOrderRequest,
        UpdateShippingAddressRequest, signal_order_request,
    },
};

impl Client {
    /// ConfirmPayment of `amount`, as the order's own transaction.
    pub async fn confirm_payment(&self, order_id: &str, amount: Money) -> Result<Order, Refused> {
        let transaction_id = format!("TXN-{order_id}");
        self.confirm_payment_as(order_id, &transaction_id, amount)
            .await
    }

    /// ConfirmPayment of `amount`, as that transaction.
    pub async fn confirm_payment_as(
        &self,
        order_id: &str,
        transaction_id: &str,
        amount: Money,
    ) -> Result<Order, Refused> {
        let request = ConfirmPaymentRequest {
            order_id: order_id.to_owned(),
            request_id: unique("pay"),
            transaction_id: transaction_id.to_owned(),
            amount: Some(amount),
            ..ConfirmPaymentRequest::default()
        };
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.confirm_payment(request).await }
        };
        let done = until_answered(request, send).await;
        done.map(|answer| answer.order.unwrap())
            .map_err(Refused::from)
    }

    /// UpdateShippingAddress to another street.
    pub async fn move_to(&self, order_id: &str, line1: &str) -> Result<Order, Refused> {
        let request = UpdateShippingAddressRequest {
            order_id: order_id.to_owned(),
            request_id: unique("move"),
            shipping_address: Some(address(line1)),
            ..UpdateShippingAddressRequest::default()
        };
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.update_shipping_address(request).await }
        };
        let done = until_answered(request, send).await;
        done.map(|answer| answer.order.unwrap())
            .map_err(Refused::from)
    }

    /// ConfirmPickup, once the carrier was asked.
    pub async fn confirm_pickup_when_requested(&self, order_id: &str) {
        self.until_pickup_requested(order_id).await;
        self.confirm_pickup(order_id).await.unwrap();
    }

    /// CancelOrder as a signal.
    pub async fn signal_cancel(&self, order_id: &str) -> Result<(), tonic::Status> {
        let cancel = signal_order_request::CancelOrder {
            reason: "by signal".to_owned(),
        };
        let request = SignalOrderRequest {
            order_id: order_id.to_owned(),
            request_id: unique("signal"),
            command: Some(signal_order_request::Command::CancelOrder(cancel)),
            ..SignalOrderRequest::default()
        };
        let sent = self.orders.clone().signal_order(request).await;
        sent.map(drop)
    }

    /// ConfirmPayment as a signal.
    pub async fn signal_payment(
        &self,
        order_id: &str,
        transaction_id: &str,
        amount: Money,
    ) -> Result<(), tonic::Status> {
        let paid = signal_order_request::ConfirmPayment {
            transaction_id: transaction_id.to_owned(),
            amount: Some(amount),
            ..signal_order_request::ConfirmPayment::default()
        };
        let request = SignalOrderRequest {
            order_id: order_id.to_owned(),
            request_id: unique("signal"),
            command: Some(signal_order_request::Command::ConfirmPayment(paid)),
            ..SignalOrderRequest::default()
        };
        let sent = self.orders.clone().signal_order(request).await;
        sent.map(drop)
    }

    /// The events of the order, oldest first.
    pub async fn events(&self, order_id: &str) -> Vec<OrderEvent> {
        let request = ListOrderEventsRequest {
            order_id: order_id.to_owned(),
            page_size: 1_000,
            page_token: String::new(),
        };
        let response = self.orders.clone().list_order_events(request).await;
        response.unwrap().into_inner().events
    }

    /// How many events of a type the order has, by its short name (`ATTEMPT_FAILED`).
    pub async fn count_events(&self, order_id: &str, name: &str) -> usize {
        let types = self.event_types(order_id).await;
        types.iter().filter(|event| *event == name).count()
    }
}
