//! Asking a server that may die meanwhile: the same request is sent again until it is answered.

use orders::v1::{
    self, GetOrderRequest, Order, PlaceOrderRequest, SignalOrderRequest,
    signal_order_request::Command,
};
use orders_test_support::{Client, PATIENCE};
use std::{
    sync::{
        RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A command on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Of which order.
    pub order_id: String,
    /// Perhaps one that was used before.
    pub request_id: String,
    /// Where the caller thinks that the order is.
    pub expected_revision: Option<i64>,
    /// What for.
    pub command: Command,
    /// Whether its caller does not wait.
    pub by_signal: bool,
}

/// What the caller heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done; for a signal, it is taken in.
    Done,
    /// It is refused.
    Refused,
}

/// The way to the server, whichever it is now.
pub struct Line {
    client: RwLock<Client>,
    /// How often something had to be sent again.
    pub again: AtomicUsize,
}

/// The reasons for which the same may be sent again.
const AGAIN: &[&str] = &[
    "TEMPORAL_UNAVAILABLE",
    "DATABASE_UNAVAILABLE",
    "TOO_MANY_COMMANDS",
    "DEADLINE_EXCEEDED",
];

impl Line {
    /// A line to a server.
    pub fn new(client: Client) -> Line {
        Line {
            client: RwLock::new(client),
            again: AtomicUsize::new(0),
        }
    }

    /// From now on to another one.
    pub fn turn_to(&self, client: Client) {
        *self.client.write().unwrap() = client;
    }

    /// The server as it is now.
    pub fn client(&self) -> Client {
        self.client.read().unwrap().clone()
    }

    /// Asks until there is an answer.
    pub async fn insist<T>(
        &self,
        what: &str,
        ask: impl AsyncFn(Client) -> Result<T, Status>,
    ) -> Result<T, Status> {
        // A request may meet several kills in a row.
        let end = tokio::time::Instant::now() + 3 * PATIENCE;
        loop {
            let asked = tokio::time::timeout(Duration::from_secs(10), ask(self.client())).await;
            let status = match asked {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(status)) => status,
                Err(_) => Status::deadline_exceeded("no answer for ten seconds"),
            };
            let reason = status.get_details_error_info().map(|info| info.reason);
            // Without a reason it is not the server who speaks, but a connection that was lost.
            if reason.is_some_and(|reason| !AGAIN.contains(&reason.as_str())) {
                return Err(status);
            }
            assert!(
                tokio::time::Instant::now() < end,
                "{what}: still not answered: {status:?}"
            );
            self.again.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The order as it is.
    pub async fn get(&self, order_id: &str) -> Order {
        let got = self.insist(order_id, async |client| {
            let request = GetOrderRequest {
                order_id: order_id.to_owned(),
                consistency: 0,
            };
            client.orders.clone().get_order(request).await
        });
        got.await.unwrap().into_inner().order.unwrap()
    }

    /// Whether there is an order of that id.
    pub async fn known(&self, order_id: &str) -> bool {
        let got = self.insist(order_id, async |client| {
            let request = GetOrderRequest {
                order_id: order_id.to_owned(),
                consistency: 0,
            };
            client.orders.clone().get_order(request).await
        });
        got.await.is_ok()
    }

    /// Places an order.
    pub async fn place(&self, request: &PlaceOrderRequest) -> Result<Order, Status> {
        let placed = self.insist(&request.request_id, async |client| {
            client.orders.clone().place_order(request.clone()).await
        });
        placed
            .await
            .map(|placed| placed.into_inner().order.unwrap())
    }

    /// Sends a command.
    pub async fn send(&self, asked: &Asked) -> Answer {
        let sent = self.insist(&asked.request_id, async |client| {
            post(client, asked.clone()).await
        });
        match sent.await {
            Ok(()) => Answer::Done,
            Err(status) => {
                let refusals = [
                    Code::FailedPrecondition,
                    Code::Aborted,
                    Code::AlreadyExists,
                    Code::InvalidArgument,
                ];
                assert!(refusals.contains(&status.code()), "{asked:?}: {status:?}");
                Answer::Refused
            }
        }
    }
}

async fn post(client: Client, asked: Asked) -> Result<(), Status> {
    let Asked {
        order_id,
        request_id,
        expected_revision,
        command,
        by_signal,
    } = asked;
    let actor = "soak".to_owned();
    let mut orders = client.orders;
    if by_signal {
        let request = SignalOrderRequest {
            order_id,
            request_id,
            actor,
            expected_revision,
            command: Some(command),
        };
        return orders.signal_order(request).await.map(|_| ());
    }
    macro_rules! call {
        ($method:ident, $request:ident { $($field:ident: $value:expr),* }) => {{
            let request = v1::$request {
                order_id,
                request_id,
                actor,
                expected_revision,
                $($field: $value,)*
            };
            orders.$method(request).await.map(|_| ())
        }};
    }
    match command {
        Command::ConfirmPayment(c) => call!(
            confirm_payment,
            ConfirmPaymentRequest {
                transaction_id: c.transaction_id,
                amount: c.amount,
                payment_method: c.payment_method
            }
        ),
        Command::ReviewOrder(c) => call!(
            review_order,
            ReviewOrderRequest {
                decision: c.decision,
                reviewer: c.reviewer,
                reason: c.reason
            }
        ),
        Command::StartFulfillment(_) => call!(start_fulfillment, StartFulfillmentRequest {}),
        Command::ConfirmPickup(c) => call!(
            confirm_pickup,
            ConfirmPickupRequest {
                tracking_number: c.tracking_number
            }
        ),
        Command::ConfirmDelivery(_) => call!(confirm_delivery, ConfirmDeliveryRequest {}),
        Command::UpdateShippingAddress(c) => {
            call!(
                update_shipping_address,
                UpdateShippingAddressRequest {
                    shipping_address: c.shipping_address
                }
            )
        }
        Command::CancelOrder(c) => call!(
            cancel_order,
            CancelOrderRequest {
                reason: c.reason,
                validate_only: false
            }
        ),
    }
}
