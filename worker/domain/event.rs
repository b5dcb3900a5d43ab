//! Events: what happened to an order. Each takes the next revision.

mod about;

use super::{
    address::Address,
    command::{PaymentOutcome, Witness},
    effect::Effect,
    money::Money,
    order::Order,
    payment_method::PaymentMethodType,
    state::{CloseReason, DeadlineKind, ReviewDecision},
    step::CompensationOutcome,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One entry of an order's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The order's revision after this event.
    pub revision: i64,
    /// When it happened.
    pub time: Timestamp,
    /// Who made it happen: a caller, `temporal` for Temporal's own cancel, `orders` for the
    /// process itself.
    pub actor: String,
    /// The request that made it happen, for commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What happened.
    pub change: Change,
}

/// The actor of what the process does by itself.
pub const ACTOR_PROCESS: &str = "orders";
/// The actor of a cancellation that was asked for in Temporal's own UI.
pub const ACTOR_TEMPORAL: &str = "temporal";
/// The actor of a caller who named none.
pub const ACTOR_ANONYMOUS: &str = "anonymous";

/// Whether an actor is the name of somebody who can be asked about it later.
pub fn is_named(actor: &str) -> bool {
    let nobody = [ACTOR_PROCESS, ACTOR_TEMPORAL, ACTOR_ANONYMOUS];
    !actor.trim().is_empty() && !nobody.contains(&actor)
}

/// What happened. Carries only what changed: [`Order::apply`] folds it into the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Change {
    /// The order was accepted, as it was then.
    Placed {
        /// The whole order at revision 1.
        order: Box<Order>,
    },
    /// The fraud check let it pass.
    Screened {
        /// The effect.
        effect: Effect,
    },
    /// The fraud check refused it.
    FraudDetected {
        /// The effect.
        effect: Effect,
        /// The check's words.
        reason: String,
    },
    /// The stock of all line items is held.
    InventoryReserved {
        /// The effect.
        effect: Effect,
        /// The inventory's name for it.
        reservation_id: String,
    },
    /// There was not enough stock.
    OutOfStock {
        /// The effect.
        effect: Effect,
        /// Which line items, in words.
        reason: String,
    },
    /// The order waits for ConfirmPayment.
    PaymentRequested {
        /// Until when.
        expire_time: Timestamp,
    },
    /// Money arrived from outside.
    PaymentConfirmed {
        /// The payer's name for the transaction.
        transaction_id: String,
        /// The amount that arrived.
        amount: Money,
        /// The part of it that counts towards the total, in minor units. The rest is due to the payer.
        counted: i64,
        /// How it was paid.
        payment_method: PaymentMethodType,
        /// The last four digits of what it was paid with; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        last4: String,
    },
    /// A confirmation was refused because its transaction or its currency does not fit.
    PaymentRefused {
        /// The payer's name for the transaction.
        transaction_id: String,
        /// The amount that was confirmed.
        amount: Money,
        /// The reason, in words for the caller.
        reason: String,
        /// The other order that has the transaction, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        other_order_id: Option<String>,
    },
    /// A confirmation had named a transaction that the payment provider has answered since.
    PaymentDisputed {
        /// The name of the transaction.
        transaction_id: String,
        /// The other order that has it.
        other_order_id: String,
    },
    /// A payment provider outside of the process is about to be asked: from here on money may have
    /// moved, whatever is heard of it.
    PaymentInitiated {
        /// The effect.
        effect: Effect,
    },
    /// The amount is held.
    PaymentAuthorized {
        /// The effect.
        effect: Effect,
        /// The provider's name for it.
        transaction_id: String,
        /// Minor units held.
        amount: i64,
    },
    /// The amount was taken, after an authorization or at once.
    PaymentCaptured {
        /// The effect: a capture or a charge.
        effect: Effect,
        /// The provider's name for it.
        transaction_id: String,
        /// Minor units taken.
        amount: i64,
    },
    /// The payment provider refused.
    PaymentDeclined {
        /// The effect.
        effect: Effect,
        /// The provider's words.
        reason: String,
    },
    /// A provider failed, or did not answer.
    AttemptFailed {
        /// The effect.
        effect: Effect,
        /// The count of failures in a row, with this one.
        attempt: u32,
        /// What the provider said.
        error: String,
        /// Whether the effect may have happened all the same.
        unknown: bool,
        /// Whether the provider refuses, for good, to give money back: a person has to see to it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        refused: bool,
    },
    /// The order waits for ReviewOrder.
    ApprovalRequested {
        /// Until when.
        expire_time: Timestamp,
    },
    /// A person decided.
    Reviewed {
        /// What.
        decision: ReviewDecision,
        /// Who.
        reviewer: String,
        /// Why.
        reason: String,
    },
    /// The order waits for StartFulfillment.
    Held {
        /// Until when: release time plus grace.
        expire_time: Timestamp,
    },
    /// The hold is over, or there was none.
    FulfillmentStarted,
    /// The package is ready for the carrier.
    PackagePrepared {
        /// The effect.
        effect: Effect,
        /// The carrier's name for the shipment.
        shipment_id: String,
        /// Who will carry it.
        carrier: String,
        /// How to follow it.
        tracking_number: String,
    },
    /// The carrier was asked to fetch the parcel.
    PickupRequested {
        /// The effect.
        effect: Effect,
        /// The carrier's name for the shipment.
        shipment_id: String,
        /// Who carries it.
        carrier: String,
        /// How to follow it.
        tracking_number: String,
    },
    /// The carrier was reminded.
    PickupReminded,
    /// The carrier has fetched the parcel.
    PickedUp {
        /// The number on the parcel, when the caller gave one.
        tracking_number: Option<String>,
        /// When it should arrive.
        estimated_delivery_time: Timestamp,
    },
    /// The parcel was handed over.
    Shipped {
        /// The effect.
        effect: Effect,
        /// The carrier's name for the shipment.
        shipment_id: String,
        /// Who carries it.
        carrier: String,
        /// How to follow it.
        tracking_number: String,
        /// When it should arrive.
        estimated_delivery_time: Timestamp,
    },
    /// The dispatched stock left the books.
    ReservationCommitted {
        /// The effect.
        effect: Effect,
    },
    /// The address changed before the dispatch.
    ShippingAddressUpdated {
        /// The new one.
        address: Address,
    },
    /// The carrier knows the changed address.
    ShipmentRedirected {
        /// The effect.
        effect: Effect,
    },
    /// The parcel arrived, or counts as arrived.
    Delivered,
    /// The order is to be undone.
    CancelRequested {
        /// In the words of who asked.
        reason: String,
    },
    /// A wait ended without its command.
    DeadlinePassed {
        /// Which.
        kind: DeadlineKind,
    },
    /// An effect was undone, or had never happened.
    Compensated {
        /// The effect that undoes.
        effect: Effect,
        /// Which of the two.
        outcome: CompensationOutcome,
        /// Minor units given back, for money.
        amount: i64,
    },
    /// A signal asked for something at the wrong moment.
    CommandRefused {
        /// What it asked for.
        command: String,
        /// Why not.
        reason: String,
    },
    /// An operator asked that what would be tried later is tried at once.
    RetryRequested {
        /// In the operator's words.
        reason: String,
    },
    /// It was settled what became of a payment whose answer was lost, or that was refused.
    PaymentResolved {
        /// The movement of money.
        effect: Effect,
        /// What became of it.
        outcome: PaymentOutcome,
        /// Who says so.
        witness: Witness,
        /// Whether the effect is used up: nothing can come of it any more, and its step continues with the
        /// next number.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        new_key: bool,
        /// The provider's name for the movement; empty when it did not happen.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        transaction_id: String,
        /// Minor units moved.
        amount: i64,
        /// How that is known.
        evidence: String,
        /// In the operator's words.
        reason: String,
    },
    /// The provider answered about a payment that a person had vouched for.
    PaymentVerified {
        /// The movement of money.
        effect: Effect,
        /// What became of it, as the provider says.
        outcome: PaymentOutcome,
        /// The provider's name for the movement; empty when it did not happen.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        transaction_id: String,
        /// Minor units that moved, as the provider says; 0 when it did not happen.
        amount: i64,
    },
    /// The order closed. Its state stays as it is from here on.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}
