//! Orders whose whole course is fixed: what is asked of them, and when. Played again under a kill,
//! they must come to the same end.

use crate::recovery::soak::{
    plan,
    send::{Answer, Asked, Line},
};
use orders::v1::{
    ListOrderEventsRequest, Order, OrderEventType, OrderState, ReservationState, ShipmentState,
};
use orders_test_support::{Placing, eventually};
use std::time::{Duration, SystemTime};

/// The course of an order.
pub struct Story {
    /// Unique.
    pub name: &'static str,
    /// Of the shipped ones, or of [`POLICIES`].
    pub policy: &'static str,
    /// The price of its one piece.
    pub units: i64,
    /// What is asked, one after the other.
    pub asks: &'static [Ask],
}

/// One command of a story.
pub struct Ask {
    /// Asked when this is so.
    pub when: Moment,
    /// What for.
    pub what: What,
}

/// What an order is waited for to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// It waits for a confirmed payment.
    Unpaid,
    /// It waits for a review.
    Unreviewed,
    /// It waits for its release.
    Held,
    /// The carrier was asked to fetch the parcel.
    PickupRequested,
    /// The carrier was told the new address.
    Redirected,
    /// The parcel has left.
    Left,
}

/// A command of a story.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// ConfirmPayment.
    Pay,
    /// ReviewOrder.
    Approve,
    /// ReviewOrder.
    Reject,
    /// StartFulfillment.
    Start,
    /// ConfirmPickup.
    PickUp,
    /// ConfirmDelivery.
    Deliver,
    /// UpdateShippingAddress.
    Move,
    /// CancelOrder.
    Cancel,
}

const fn ask(when: Moment, what: What) -> Ask {
    Ask { when, what }
}

const fn story(
    name: &'static str,
    policy: &'static str,
    units: i64,
    asks: &'static [Ask],
) -> Story {
    Story {
        name,
        policy,
        units,
        asks,
    }
}

use Moment::{Held, Left, PickupRequested, Redirected, Unpaid, Unreviewed};
use What::{Approve, Cancel, Deliver, Move, Pay, PickUp, Reject, Start};

/// Every shipped policy by its good end and its bad ones, and by the ends of its waits.
pub const STORIES: &[Story] = &[
    story("standard", "standard", 20, &[ask(Left, Deliver)]),
    story(
        "standard-reviewed",
        "standard",
        6_000,
        &[ask(Unreviewed, Approve), ask(Left, Deliver)],
    ),
    story(
        "standard-cancelled",
        "standard",
        6_000,
        &[ask(Unreviewed, Move), ask(Unreviewed, Cancel)],
    ),
    story(
        "pre-order",
        "pre-order",
        20,
        &[
            ask(Held, Start),
            ask(PickupRequested, Move),
            ask(Redirected, PickUp),
            ask(Left, Deliver),
        ],
    ),
    story("pre-order-cancelled", "pre-order", 20, &[ask(Held, Cancel)]),
    story(
        "approval",
        "approval",
        6_000,
        &[ask(Unreviewed, Approve), ask(Left, Deliver)],
    ),
    story(
        "approval-rejected",
        "approval",
        6_000,
        &[ask(Unreviewed, Reject)],
    ),
    story(
        "external-payment",
        "external-payment",
        20,
        &[ask(Unpaid, Pay), ask(Left, Deliver)],
    ),
    story("stock", "stock", 20, &[]),
    story("shipping-lane", "shipping-lane", 20, &[]),
    story("regular", "torture-regular", 20, &[ask(Left, Deliver)]),
    story(
        "pickup-cancelled",
        "torture-pickup",
        20,
        &[ask(PickupRequested, Cancel)],
    ),
    story("delivered-by-time", "torture-delivery", 20, &[]),
    story("unpaid-in-time", "torture-payment", 20, &[]),
    story("unreviewed-in-time", "torture-review", 6_000, &[]),
    story("unreleased-in-time", "torture-release", 20, &[]),
];

/// The shipped policies with short waits, and with every step run by Temporal itself.
pub const POLICIES: &str = r#"
[[policy]]
name = "torture-regular"
fraud_check = true
secure = "RESERVE_THEN_PAY"
payment = "AUTHORIZE_CAPTURE"
delivery = "AUTO_AFTER"
delivery_after = "7days"
cancel_until = "DISPATCH"
lane = "REGULAR"
retry = { max_attempts = 3, initial_interval = "50ms", backoff = 2.0, max_interval = "1s" }

[[policy]]
name = "torture-pickup"
secure = "RESERVE_THEN_PAY"
payment = "SALE"
pickup_reminder = "24h"
delivery = "CONFIRM"
cancel_until = "DISPATCH"
retry = { max_attempts = 3, initial_interval = "50ms", backoff = 2.0, max_interval = "1s" }

[[policy]]
name = "torture-delivery"
fraud_check = true
secure = "RESERVE_THEN_PAY"
payment = "AUTHORIZE_CAPTURE"
delivery = "AUTO_AFTER"
delivery_after = "300ms"
cancel_until = "DISPATCH"
retry = { max_attempts = 3, initial_interval = "50ms", backoff = 2.0, max_interval = "1s" }

[[policy]]
name = "torture-payment"
secure = "RESERVE_THEN_PAY"
payment = "EXTERNAL"
payment_timeout = "400ms"
delivery = "ON_SHIP"
cancel_until = "DISPATCH"
retry = { max_attempts = 3, initial_interval = "50ms", backoff = 2.0, max_interval = "1s" }

[[policy]]
name = "torture-review"
secure = "RESERVE_THEN_PAY"
payment = "AUTHORIZE_CAPTURE"
approval_above = 5000
approval_timeout = "400ms"
delivery = "ON_SHIP"
cancel_until = "DISPATCH"
retry = { max_attempts = 3, initial_interval = "50ms", backoff = 2.0, max_interval = "1s" }

[[policy]]
name = "torture-charge"
secure = "RESERVE_THEN_PAY"
payment = "SALE"
delivery = "ON_SHIP"
cancel_until = "DISPATCH"
lane = "REGULAR"
retry = { max_attempts = 3, initial_interval = "50ms", backoff = 2.0, max_interval = "1s" }

[[policy]]
name = "torture-release"
secure = "PAY_THEN_RESERVE"
payment = "SALE"
release_grace = "300ms"
delivery = "CONFIRM"
cancel_until = "FULFILLMENT"
retry = { max_attempts = 3, initial_interval = "50ms", backoff = 2.0, max_interval = "1s" }
"#;

/// The story of that name.
pub fn named(name: &str) -> &'static Story {
    let story = STORIES.iter().find(|story| story.name == name);
    story.unwrap_or_else(|| panic!("no story {name}"))
}

/// The longest that an order of a story may take, kills included.
const LONGEST: Duration = Duration::from_secs(90);

impl Story {
    /// Places an order of the story.
    pub async fn place(&self, line: &Line, id: &str, sku: &str) {
        let mut placing = Placing::new(self.policy, sku).price(self.units, 0).0;
        placing.order_id = id.to_owned();
        placing.request_id = format!("{id}/place");
        let wait = match self.policy {
            "pre-order" => Some(Duration::from_secs(24 * 3600)),
            "torture-release" => Some(Duration::from_millis(500)),
            _ => None,
        };
        for _ in 0..50 {
            placing.release_time = wait.map(|wait| (SystemTime::now() + wait).into());
            match line.place(&placing).await {
                Ok(_) => return,
                // The release has passed, or was another, while the server was away.
                Err(_) if wait.is_some() && line.known(id).await => return,
                Err(status) if wait.is_none() => panic!("{id}: {status:?}"),
                Err(_) => {}
            }
        }
        panic!("{id} cannot be placed");
    }

    /// Asks what the story asks from number `from` to before number `to`, and waits for the moment
    /// of number `to`, or for the end where the story has no more. What is refused although the order
    /// is still open is given back.
    pub async fn drive(
        &self,
        line: &Line,
        id: &str,
        from: usize,
        to: usize,
    ) -> Result<Order, String> {
        let end = tokio::time::Instant::now() + LONGEST;
        let mut next = from;
        let mut refused = Vec::new();
        loop {
            let order = line.get(id).await;
            if order.close_time.is_some() {
                return match refused.is_empty() {
                    true => Ok(order),
                    false => Err(format!("{id}: refused: {refused:?}; {:?}", order.state())),
                };
            }
            if let Some(ask) = self.asks.get(next)
                && ask.when.is_now(line, &order).await
            {
                if next == to {
                    return Ok(order);
                }
                if line.send(&asked(id, ask.what, self.units)).await == Answer::Refused {
                    refused.push(ask.what);
                }
                next += 1;
                continue;
            }
            if tokio::time::Instant::now() > end {
                return Err(format!(
                    "{id}: no end: {:?} after {next} asks",
                    order.state()
                ));
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// From placing to the end.
    pub async fn play(&self, line: &Line, id: &str, sku: &str) -> Result<Order, String> {
        self.place(line, id, sku).await;
        self.drive(line, id, 0, usize::MAX).await
    }
}

/// The command of a story: the same request id each time.
pub fn asked(id: &str, what: What, units: i64) -> Asked {
    let (number, good) = match what {
        What::Pay => (0, true),
        What::Approve => (1, true),
        What::Reject => (1, false),
        What::Start => (2, true),
        What::PickUp => (3, true),
        What::Deliver => (4, true),
        What::Move => (5, true),
        What::Cancel => (6, true),
    };
    Asked {
        order_id: id.to_owned(),
        request_id: format!("{id}/{what:?}"),
        expected_revision: None,
        command: plan::command(id, number, units * 100, good),
        by_signal: false,
    }
}

impl Moment {
    async fn is_now(self, line: &Line, order: &Order) -> bool {
        let shipment = order.shipment.as_ref().map(|shipment| shipment.state());
        match self {
            Unpaid => order.state() == OrderState::AwaitingPayment,
            Unreviewed => order.state() == OrderState::AwaitingApproval,
            Held => order.state() == OrderState::AwaitingRelease,
            PickupRequested => shipment == Some(ShipmentState::Requested),
            Left => {
                let reservation = order.reservation.as_ref().map(|of| of.state());
                // The stock is taken right after the parcel has left: in this order each time.
                order.state() == OrderState::InTransit
                    && reservation != Some(ReservationState::Reserved)
            }
            Redirected => redirected(line, &order.order_id).await,
        }
    }
}

async fn redirected(line: &Line, id: &str) -> bool {
    let listed = line.insist(id, async |client| {
        let request = ListOrderEventsRequest {
            order_id: id.to_owned(),
            page_size: 1_000,
            page_token: String::new(),
        };
        client.orders.clone().list_order_events(request).await
    });
    let events = listed.await.unwrap().into_inner().events;
    let told = OrderEventType::ShipmentRedirected;
    events.iter().any(|event| event.r#type() == told)
}

/// Waits until Temporal's own order is where the row is.
pub async fn until_told(what: &str, line: &Line, temporal: &str, id: &str) {
    eventually(what, async || {
        let order = super::asking::order(temporal, id).await.ok()?;
        (order.revision == line.get(id).await.revision).then_some(())
    })
    .await;
}
