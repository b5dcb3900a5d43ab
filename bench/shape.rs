//! What is compared: a policy, what an order of it is sent, and who else has the like.

use orders::v1::{Order, OrderState, ShipmentState};
use orders_test_support::{Client, Placing, watch::next};
use std::time::Duration;

/// A policy, from placing to closed.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The policy's name.
    pub policy: &'static str,
    /// The messages that an order is sent after it was placed.
    pub messages: usize,
    /// How long an order of it waits for its delivery.
    pub wait: Option<Duration>,
    /// The described system with this process, as `peers/shapes.py` names it.
    pub peer: &'static str,
    /// Orders per second against the floor's: at least this.
    pub of_floor: f64,
    /// Orders per second against the peer's: at least this.
    pub of_peer: f64,
}

const SECOND: Option<Duration> = Some(Duration::from_secs(1));

/// All of them.
pub const SHAPES: [Shape; 5] = [
    Shape {
        policy: "stock",
        messages: 0,
        wait: None,
        peer: "S002",
        of_floor: 0.8,
        of_peer: 3.0,
    },
    Shape {
        policy: "approval",
        messages: 0,
        wait: SECOND,
        peer: "S004",
        of_floor: 0.7,
        of_peer: 3.0,
    },
    Shape {
        policy: "external-payment",
        messages: 1,
        wait: SECOND,
        peer: "S001",
        of_floor: 0.7,
        of_peer: 2.5,
    },
    Shape {
        policy: "pre-order",
        messages: 3,
        wait: None,
        peer: "S000",
        of_floor: 0.7,
        of_peer: 2.0,
    },
    Shape {
        policy: "shipping-lane",
        messages: 0,
        wait: None,
        peer: "S003",
        of_floor: 0.7,
        of_peer: 2.0,
    },
];

/// What they are called.
pub fn policies() -> [&'static str; 5] {
    SHAPES.map(|shape| shape.policy)
}

impl Shape {
    /// An order of it.
    pub fn placing(&self, sku: &str) -> Placing {
        match self.policy {
            "pre-order" => Placing::pre_order(sku, 30),
            policy => Placing::new(policy, sku),
        }
    }

    /// Places an order, sends it each command as soon as it can take it, and sees it close.
    pub async fn order(&self, client: &Client, sku: &str) -> String {
        let placing = self.placing(sku);
        let id = placing.id();
        client.place(placing).await;
        let mut watch = client.watch(&id, 0).await.unwrap();
        let mut sent = 0;
        while let Some(told) = next(&mut watch).await.unwrap() {
            let order = told.order.unwrap();
            if order.state() == OrderState::Completed {
                assert_eq!(sent, self.messages, "{id}");
                return id;
            }
            assert!(order.close_time.is_none(), "{order:?}");
            if send_next(client, &order, sent).await {
                sent += 1;
            }
        }
        panic!("the watch of {id} ended before the order did");
    }
}

/// Sends the command that the order waits for, unless it was sent already.
async fn send_next(client: &Client, order: &Order, sent: usize) -> bool {
    let id = &order.order_id;
    let shipment = order.shipment.as_ref().map(|shipment| shipment.state());
    match (order.state(), shipment, sent) {
        (OrderState::AwaitingPayment, _, 0) => {
            let total = order.total.clone().unwrap();
            client.confirm_payment(id, total).await.unwrap();
        }
        (OrderState::AwaitingRelease, _, 0) => drop(client.start_fulfillment(id).await.unwrap()),
        (_, Some(ShipmentState::Requested), 1) => drop(client.confirm_pickup(id).await.unwrap()),
        (OrderState::InTransit, _, 2) => drop(client.confirm_delivery(id).await.unwrap()),
        _ => return false,
    }
    true
}
