//! The order: what was ordered, and everything that happened to it.

mod trouble;
mod waiting;

use super::{
    address::Address,
    command::PaymentOutcome,
    effect::Effect,
    later::later,
    money::Money,
    payment_method::PaymentMethod,
    policy::Policy,
    received::Received,
    state::{
        CloseReason, DeadlineKind, OrderState, PaymentState, ReservationState, ReviewDecision,
        ShipmentState, VouchState,
    },
    step::{Compensation, Step},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What goes with one line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// Stock keeping unit.
    pub sku: String,
    /// What people call it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Pieces, at least 1.
    pub quantity: i64,
    /// Price of one piece.
    pub unit_price: Money,
}

/// An order as it is after `revision` events. What is none is left out of its JSON, which is in each workflow's
/// history and in each row. A fold of its events: see [`Order::apply`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Unique for ever; chosen by the caller or a UUIDv7.
    pub order_id: String,
    /// Whose order it is.
    pub customer_id: String,
    /// The policy as it was when the order was placed: configuration changes do not reach it.
    pub policy: Policy,
    /// What was ordered.
    pub line_items: Vec<LineItem>,
    /// Sum of quantity times unit price over the line items.
    pub total: Money,
    /// Where it goes; the newest one until dispatched.
    pub shipping_address: Address,
    /// What it is paid with; none where the payment happens outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_method: Option<PaymentMethod>,
    /// When a pre-order is released; only with a policy that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_time: Option<Timestamp>,
    /// Where the order stands.
    pub state: OrderState,
    /// How the order will close, once it is being undone or has closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<CloseReason>,
    /// Why it was cancelled, in the words of who cancelled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// Whether the fraud check let it pass.
    pub screened: bool,
    /// The money.
    pub payment: Payment,
    /// The stock.
    pub reservation: Reservation,
    /// The review, where the policy asks for one.
    pub approval: Approval,
    /// The parcel.
    pub shipment: Shipment,
    /// What the order waits for, and until when: at most one deadline of a kind for each subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<Deadline>,
    /// The effects that failed and were not repeated with success yet, one entry each: those that failed first come
    /// first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// The effects that were had and can be undone, oldest first: what a compensation reverses.
    pub done: Vec<Effect>,
    /// The lasting effects of unknown outcome: the answer was lost and has not come since.
    pub unknown: Vec<Effect>,
    /// The payment effect that an external provider is being asked for: its intent is recorded, its
    /// outcome is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<Effect>,
    /// What persons said of the order's money where no provider could.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouched: Vec<Vouched>,
    /// The payment effects of which nothing can come any more: their step continues with the next number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_up: Vec<Effect>,
    /// What is being undone, newest first.
    pub compensations: Vec<Compensation>,
    /// Count of the events of this order; the first is 1.
    pub revision: i64,
    /// When it was placed.
    pub place_time: Timestamp,
    /// When the last event happened.
    pub update_time: Timestamp,
    /// When it closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_time: Option<Timestamp>,
}

/// The money of an order. `authorized >= captured >= refunded >= 0`, in minor units of the total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Where it stands.
    pub state: PaymentState,
    /// Unique over all orders; the caller's or made from the order id.
    pub payment_id: String,
    /// The provider's (or the outside payer's) name for the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// Held or taken.
    pub authorized: i64,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// When it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_time: Option<Timestamp>,
    /// What arrived from outside, as ConfirmPayment reported it.
    #[serde(default, skip_serializing_if = "Received::is_nothing")]
    pub received: Received,
}

/// The stock of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Where it stands.
    pub state: ReservationState,
    /// The inventory's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<String>,
}

/// The review of an order above the policy's threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Whether the order needs one.
    pub required: bool,
    /// What was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<ReviewDecision>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

/// The parcel of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// Where it stands.
    pub state: ShipmentState,
    /// The carrier's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipment_id: Option<String>,
    /// Who carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// How to follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// When it should arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_delivery_time: Option<Timestamp>,
    /// When the carrier took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ship_time: Option<Timestamp>,
    /// When it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_time: Option<Timestamp>,
    /// Whether the carrier has it, or was told to fetch it without return.
    pub dispatched: bool,
    /// How many pickup reminders were sent.
    pub reminders: u32,
    /// Whether the address changed after the carrier was told the old one.
    pub redirect_due: bool,
    /// How many changed addresses the carrier was told.
    pub redirects: u32,
}

/// The number of the fulfillment that every deadline is about, as long as an order has only one.
pub const ONLY_FULFILLMENT: u32 = 1;

/// Until when the order waits, for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// What it waits for.
    pub kind: DeadlineKind,
    /// The number of the fulfillment that waits, from 1.
    pub subject: u32,
    /// The absolute end of the wait.
    pub expire_time: Timestamp,
}

/// What a person said became of a movement of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// The movement of money.
    pub effect: Effect,
    /// What became of it.
    pub outcome: PaymentOutcome,
    /// The name of the movement, as the person gave it; empty when it did not happen.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transaction_id: String,
    /// Who said so.
    pub actor: String,
    /// When.
    pub time: Timestamp,
    /// What the provider says of it.
    pub state: VouchState,
    /// The provider's own name for the movement, once it has confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_id: Option<String>,
}

impl Vouched {
    /// Whether somebody has to see to it: the provider has not confirmed it.
    pub fn is_doubtful(&self) -> bool {
        matches!(
            self.state,
            VouchState::Unconfirmed | VouchState::Contradicted
        )
    }
}

/// An effect that failed and is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The effect.
    pub effect: Effect,
    /// How often it failed in a row.
    pub attempts: u32,
    /// The newest error.
    pub last_error: String,
    /// When it failed first.
    pub since: Timestamp,
    /// When it is tried again.
    pub retry_time: Timestamp,
    /// Whether one of these attempts may have had its effect all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// Whether the provider refuses it for good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

impl Order {
    /// The Temporal workflow id of an order.
    pub fn workflow_id(order_id: &str) -> String {
        format!("order/{order_id}")
    }

    /// The Temporal workflow id of an order's shipping lane.
    pub fn shipping_workflow_id(order_id: &str) -> String {
        format!("shipping/{order_id}")
    }

    /// Why the order closed; none while it is open.
    pub fn close_reason(&self) -> Option<CloseReason> {
        self.ending.filter(|_| self.state.is_closed())
    }

    /// Whether the carrier has the parcel, or may have it because the answer was lost: then there
    /// is no way back, and the address that it was told cannot be changed any more.
    pub fn may_be_dispatched(&self) -> bool {
        self.shipment.dispatched || self.is_unknown(Step::DispatchShipment)
    }

    /// When a parcel that is shipped at `now` should arrive.
    pub fn estimated_delivery(&self, now: Timestamp) -> Timestamp {
        later(now, self.policy.estimated_delivery)
    }
}
