//! The ports: who is asked when an order needs money, stock, a carrier, a fraud check or a
//! messenger. Each is a trait with an embedded implementation on the store.
//!
//! An embedded provider works inside the transaction of the step that calls it: its rows, the
//! order's row and the event come to be together or not at all. It is called with the order as the
//! store has it and with a key made from the order and the step, and the same key never has a
//! second effect.
//!
//! A new provider is a new file here and one line in [`Providers::embedded`].
//!
//! The messenger's port ([`NotificationProvider`]) is another thing: messages are written with
//! their event, whoever delivers them, and no step waits for their delivery (see
//! [`crate::messenger`]).

mod embedded_fraud;
mod embedded_inventory;
pub mod embedded_notification;
mod embedded_payment;
mod embedded_shipping;
mod embedded_supplier;
pub mod simulation;
pub mod smtp_notification;

use crate::{
    domain::{message::Message, order::Order, step::Step},
    store::{Connection, StoreError, supplier_orders::SupplierOrder},
};
use async_trait::async_trait;
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};

/// What a provider is told with every call.
pub struct Call<'a> {
    /// The order as it is in this transaction.
    pub order: &'a Order,
    /// Which step this is.
    pub step: Step,
    /// When it is.
    pub now: Timestamp,
    /// Whether the wait that the provider asked for ([`ProviderError::Wait`]) is over.
    pub waited: bool,
}

impl Call<'_> {
    /// The key of this effect: `order_id/step`. Never random, never of an attempt.
    pub fn key(&self) -> String {
        format!("{}/{}", self.order.order_id, self.order.step_key(self.step))
    }
}

/// Why a provider did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It will never do it: declined, out of stock, fraud. Not repeated.
    #[error("{0}")]
    Refused(String),
    /// It failed, and nothing happened. Repeated as the policy says.
    #[error("{0}")]
    Failed(String),
    /// The answer was lost: it may have happened. Repeated with the same key, which tells.
    #[error("{0}")]
    NoAnswer(String),
    /// It takes this long; to be called again afterwards, outside of any transaction meanwhile. Only
    /// where nothing was begun yet: an order that is cancelled during the wait knows of no effect,
    /// and has nothing to undo.
    #[error("the provider takes {0:?}")]
    Wait(Duration),
    /// Our own database failed. Not an attempt: nothing is recorded, the step is run again.
    #[error(transparent)]
    Database(#[from] StoreError),
}

impl From<sqlx::Error> for ProviderError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// What moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's name for the transaction.
    pub transaction_id: String,
    /// Minor units moved.
    pub amount: i64,
}

/// A parcel as the carrier knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The carrier's name for the shipment.
    pub shipment_id: String,
    /// Who carries it.
    pub carrier: String,
    /// How to follow it.
    pub tracking_number: String,
}

/// Moves money.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Has the order's total held.
    async fn authorize(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Receipt, ProviderError>;
    /// Takes what was authorized.
    async fn capture(&self, db: &mut Connection, call: &Call<'_>)
    -> Result<Receipt, ProviderError>;
    /// Takes the order's total at once.
    async fn charge(&self, db: &mut Connection, call: &Call<'_>) -> Result<Receipt, ProviderError>;
    /// Books a payment that happened elsewhere.
    async fn confirm(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
        transaction_id: &str,
    ) -> Result<(), ProviderError>;
    /// Gives back what was taken; none when nothing was.
    async fn refund(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Option<Receipt>, ProviderError>;
    /// Gives an authorization back; none when there is none any more.
    async fn void(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Option<Receipt>, ProviderError>;
}

/// Keeps stock for orders.
#[async_trait]
pub trait InventoryProvider: Send + Sync {
    /// Holds every line item, or none of them. Gives the reservation's id.
    async fn reserve(&self, db: &mut Connection, call: &Call<'_>) -> Result<String, ProviderError>;
    /// Takes what was dispatched out of the stock.
    async fn commit(&self, db: &mut Connection, call: &Call<'_>) -> Result<(), ProviderError>;
    /// Gives back what is held; false when nothing is.
    async fn release(&self, db: &mut Connection, call: &Call<'_>) -> Result<bool, ProviderError>;
}

/// Carries parcels.
#[async_trait]
pub trait ShippingProvider: Send + Sync {
    /// Makes the package ready; can still be called off.
    async fn prepare(&self, db: &mut Connection, call: &Call<'_>) -> Result<Parcel, ProviderError>;
    /// Is asked to fetch the parcel; can still be called off.
    async fn request_pickup(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError>;
    /// Is told the order's newest address.
    async fn redirect(&self, db: &mut Connection, call: &Call<'_>) -> Result<(), ProviderError>;
    /// Gets the parcel, for the order's newest address. No way back.
    async fn dispatch(&self, db: &mut Connection, call: &Call<'_>)
    -> Result<Parcel, ProviderError>;
    /// Is called off; false when there is nothing to call off.
    async fn cancel(&self, db: &mut Connection, call: &Call<'_>) -> Result<bool, ProviderError>;
}

/// Tells fraud.
#[async_trait]
pub trait FraudProvider: Send + Sync {
    /// Lets the order pass, or refuses it ([`ProviderError::Refused`]).
    async fn screen(&self, db: &mut Connection, call: &Call<'_>) -> Result<(), ProviderError>;
}

/// Tells people. Never stops an order: it is called outside of any transaction.
#[async_trait]
pub trait NotificationProvider: Send + Sync {
    /// Brings a message to whom it is for. The same message may come again, when its delivery
    /// could not be recorded; [`Message::id`] goes with it, so that the receiver can tell.
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError>;
}

/// Why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It will never be: there is no such mailbox, say. Not tried again.
    #[error("{0}")]
    Rejected(String),
    /// Not now. Tried again later, under the same id.
    #[error("{0}")]
    Failed(String),
}

/// Delivers what is to be stocked. Not asked by an order but by the process of the sku, and outside
/// of any transaction: the open supplier order stands in the store before it is asked.
#[async_trait]
pub trait SupplierProvider: Send + Sync {
    /// Takes a supplier order in, once: its id is the key. Gives when it will be delivered, not
    /// before it was opened.
    async fn order(&self, order: &SupplierOrder) -> Result<Timestamp, ProviderError>;
}

/// One provider for each port that activities call.
#[derive(Clone)]
pub struct Providers {
    /// Money.
    pub payment: Arc<dyn PaymentProvider>,
    /// Stock.
    pub inventory: Arc<dyn InventoryProvider>,
    /// Parcels.
    pub shipping: Arc<dyn ShippingProvider>,
    /// Fraud.
    pub fraud: Arc<dyn FraudProvider>,
    /// Supplies.
    pub supplier: Arc<dyn SupplierProvider>,
}

impl Providers {
    /// The providers that live in the store.
    pub fn embedded() -> Self {
        Self {
            payment: Arc::new(embedded_payment::EmbeddedPayment),
            inventory: Arc::new(embedded_inventory::EmbeddedInventory),
            shipping: Arc::new(embedded_shipping::EmbeddedShipping),
            fraud: Arc::new(embedded_fraud::EmbeddedFraud),
            supplier: Arc::new(embedded_supplier::EmbeddedSupplier::default()),
        }
    }

    /// With the embedded supplier, who delivers this long after a supplier order was opened. Without
    /// it, at once.
    pub fn with_supplier_lead_time(mut self, lead_time: Duration) -> Self {
        self.supplier = Arc::new(embedded_supplier::EmbeddedSupplier { lead_time });
        self
    }
}

/// The tokens by which a caller of the embedded providers plays what can go wrong (api.md). Every
/// other token is good.
pub mod test_token {
    /// The payment is declined.
    pub const DECLINED: &str = "tok-declined";
    /// The fraud check refuses.
    pub const FRAUD: &str = "tok-fraud";
    /// Each movement of money happens, but its first answer is lost.
    pub const LOST_ANSWER: &str = "tok-lost-answer";
    /// Each movement of money takes a second.
    pub const SLOW: &str = "tok-slow";
}

/// The payment token of an order; empty where it has none.
fn token(order: &Order) -> &str {
    order.payment_method.as_ref().map_or("", |m| &m.token)
}
