//! What the commands on one order share: their options, the two ways to send them, and their
//! answer in one line.

use super::{
    connection::{Answer, Connection},
    failure::Failure,
    options::{ChangeOptions, ClientOptions, Format},
    print, words,
};
use clap::Args;
use orders::v1::{
    self, Order, SignalOrderRequest, order_service_client::OrderServiceClient, signal_order_request,
};
use prost::{Message, Name};
use tonic::{Request, Response, Status, transport::Channel};

/// Options of a command on one order.
#[derive(Args, Clone, Debug)]
pub struct CommandOptions {
    /// The order.
    #[arg(value_name = "ORDER_ID")]
    pub order_id: String,

    /// Send it as a signal: answered at once, before it is applied. Whether it was applied or
    /// refused shows in the order's events.
    #[arg(long, help_heading = "Request")]
    pub signal: bool,

    /// Refuse it when the order is not at this revision any more.
    #[arg(long, value_name = "REVISION", help_heading = "Request")]
    pub expected_revision: Option<i64>,

    /// Options of all changes.
    #[command(flatten)]
    pub change: ChangeOptions,

    /// Options of all commands.
    #[command(flatten)]
    pub client: ClientOptions,
}

/// An answer that brings an order.
pub trait WithOrder: Message + Name {
    /// The order; none only from a server that breaks the contract.
    fn order(&self) -> Option<&Order>;
}

macro_rules! with_order {
    ($($answer:ident)+) => {
        $(impl WithOrder for v1::$answer {
            fn order(&self) -> Option<&Order> {
                self.order.as_ref()
            }
        })+
    };
}

with_order! {
    PlaceOrderResponse GetOrderResponse ConfirmPaymentResponse ReviewOrderResponse
    StartFulfillmentResponse ConfirmPickupResponse ConfirmDeliveryResponse
    UpdateShippingAddressResponse CancelOrderResponse RetryOrderResponse ResolvePaymentResponse
}

impl CommandOptions {
    /// How the answer is printed.
    pub fn format(&self) -> Format {
        self.client.output
    }

    /// Sends the command, and prints the order after it in one line.
    pub async fn send<Q: Clone, A: WithOrder>(
        &self,
        request: &Q,
        request_id: &str,
        rpc: impl AsyncFn(OrderServiceClient<Channel>, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<(), Failure> {
        let answer = self.ask(request, request_id, rpc).await?;
        print::answer(self.format(), &answer.message, |lines| {
            lines.line(order_line(&answer));
        })
    }

    /// Sends the command and gives its answer.
    pub async fn ask<Q: Clone, A>(
        &self,
        request: &Q,
        request_id: &str,
        rpc: impl AsyncFn(OrderServiceClient<Channel>, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<Answer<A>, Failure> {
        let connection = Connection::new(&self.client)?;
        let answer = connection
            .call(request, async |request| {
                rpc(connection.orders(), request).await
            })
            .await;
        answer.map_err(|failure| failure.of_request(request_id))
    }

    /// Sends the command as a signal.
    pub async fn send_signal(
        &self,
        request_id: String,
        command: signal_order_request::Command,
    ) -> Result<(), Failure> {
        let request = SignalOrderRequest {
            order_id: self.order_id.clone(),
            request_id,
            actor: self.change.actor(),
            expected_revision: self.expected_revision,
            command: Some(command),
        };
        let request_id = &request.request_id;
        let answer = self
            .ask(&request, request_id, async |mut orders, request| {
                orders.signal_order(request).await
            })
            .await?;
        print::answer(self.format(), &answer.message, |lines| {
            let before = before(answer.replayed);
            lines.line(format!(
                "{}: signalled with request id {request_id}{before}",
                self.order_id
            ));
        })
    }
}

/// An answer in one line: `order-1: IN_FULFILLMENT, revision 6`.
pub fn order_line<A: WithOrder>(answer: &Answer<A>) -> String {
    match answer.message.order() {
        Some(order) => format!("{}{}", short(order), before(answer.replayed)),
        None => "the answer has no order".to_owned(),
    }
}

/// An order in one line.
pub fn short(order: &Order) -> String {
    let state = words::state(order.state());
    format!("{}: {state}, revision {}", order.order_id, order.revision)
}

/// What to say of an answer to a request that was answered before.
pub fn before(replayed: bool) -> &'static str {
    match replayed {
        true => " (answered before)",
        false => "",
    }
}
