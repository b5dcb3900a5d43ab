//! The ports: who is asked when an order needs money, stock, a carrier, a fraud check or a
//! messenger. Each is a trait with an embedded implementation on the store.
//!
//! An embedded provider works inside the transaction of the step that calls it: its rows, the
//! order's row and the event come to be together or not at all. It is called with the order as the
//! store has it and with the key of the effect, and the same key never has a second effect.
//!
//! A payment provider may also live outside of the process ([`ExternalPaymentProvider`]); then the
//! payment journal holds the intent before it is asked.
//!
//! A new provider is a new file here and one line in [`Providers::embedded`].
//!
//! The messenger's port ([`NotificationProvider`]) is another thing: messages are written with
//! their event, whoever delivers them, and no step waits for their delivery (see
//! [`crate::messenger`]).

pub mod embedded;
pub mod simulation;
pub mod smtp_notification;

use async_trait::async_trait;
use jiff::Timestamp;
use orders_domain::{
    effect::Effect, message::Message, movement::Movement, order::Order,
    payment_method::PaymentToken, text,
};
use orders_store::{StoreError, ledger::Ledger, supplier_orders::SupplierOrder};
use std::{sync::Arc, time::Duration};

/// What a provider is told with every call.
pub struct Call<'a> {
    /// The order as it is in this transaction.
    pub order: &'a Order,
    /// The effect that is asked for.
    pub effect: Effect,
    /// When it is.
    pub now: Timestamp,
    /// Whether the wait that the provider asked for ([`ProviderError::Wait`]) is over.
    pub waited: bool,
}

impl Call<'_> {
    /// The key of the effect.
    pub fn key(&self) -> String {
        self.effect.key(&self.order.order_id)
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

impl ProviderError {
    /// The same with words that are short enough for an order, an event and a log line.
    pub fn bounded(self) -> Self {
        match self {
            Self::Refused(words) => Self::Refused(text::words(&words)),
            Self::Failed(words) => Self::Failed(text::words(&words)),
            Self::NoAnswer(words) => Self::NoAnswer(text::words(&words)),
            Self::Wait(_) | Self::Database(_) => self,
        }
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

/// Moves money, inside of the step's transaction. What it keeps is its own; what it answers is written
/// into the payment journal by the step.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Makes a movement, or gives the receipt of the one that its key made before. An authorization
    /// and a charge bring the payment token; what builds on them does not.
    async fn perform(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
        movement: &Movement,
        token: Option<&PaymentToken>,
    ) -> Result<Receipt, ProviderError>;
    /// What became of a movement whose answer was lost: its receipt, or none when it did not happen.
    /// Then it never will.
    async fn resolve(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
        movement: &Movement,
    ) -> Result<Option<Receipt>, ProviderError>;
}

/// A movement of money as a provider outside of the process is asked for it: everything that it has
/// to know, and the key by which it knows it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRequest {
    /// Of which order.
    pub order_id: String,
    /// Whose order it is.
    pub customer_id: String,
    /// What it is paid with, when an authorization or a charge is asked for.
    pub payment_token: Option<PaymentToken>,
    /// ISO 4217 code.
    pub currency: String,
    /// What is to move.
    pub movement: Movement,
}

/// Moves money outside of the process. It is asked between two transactions: the first one writes the
/// intent, the second one what came of it. So the same movement may be asked for again at any time,
/// also by two processes at once, and its key must have one effect; see the contract in
/// `proto/orders/provider/v1`.
///
/// Of the errors it gives, [`ProviderError::NoAnswer`] is for everything that leaves it open whether
/// money moved.
#[async_trait]
pub trait ExternalPaymentProvider: Send + Sync {
    /// Makes a movement, or gives the receipt of the one that its key made before.
    async fn perform(&self, request: &PaymentRequest) -> Result<Receipt, ProviderError>;
    /// What became of a movement: its receipt, or none when it did not happen. The provider must then
    /// refuse the key for ever, because the call that was lost may still be on its way.
    async fn resolve(&self, request: &PaymentRequest) -> Result<Option<Receipt>, ProviderError>;
}

/// Who moves money, and when it is asked.
#[derive(Clone)]
pub enum PaymentPort {
    /// In the store, inside of the step's transaction.
    Embedded(Arc<dyn PaymentProvider>),
    /// Outside of the process, between two transactions.
    External(Arc<dyn ExternalPaymentProvider>),
}

/// Keeps stock for orders.
#[async_trait]
pub trait InventoryProvider: Send + Sync {
    /// Holds every line item, or none of them. Gives the reservation's id.
    async fn reserve(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<String, ProviderError>;
    /// Takes what was dispatched out of the stock.
    async fn commit(&self, ledger: &mut Ledger<'_>, call: &Call<'_>) -> Result<(), ProviderError>;
    /// Gives back what is held; false when nothing is.
    async fn release(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<bool, ProviderError>;
}

/// Carries parcels.
#[async_trait]
pub trait ShippingProvider: Send + Sync {
    /// Makes the package ready; can still be called off.
    async fn prepare(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError>;
    /// Is asked to fetch the parcel; can still be called off.
    async fn request_pickup(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError>;
    /// Is told the order's newest address.
    async fn redirect(&self, ledger: &mut Ledger<'_>, call: &Call<'_>)
    -> Result<(), ProviderError>;
    /// Gets the parcel, for the order's newest address. No way back.
    async fn dispatch(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError>;
    /// Is called off; false when there is nothing to call off.
    async fn cancel(&self, ledger: &mut Ledger<'_>, call: &Call<'_>)
    -> Result<bool, ProviderError>;
}

/// Tells fraud.
#[async_trait]
pub trait FraudProvider: Send + Sync {
    /// Lets the order pass, or refuses it ([`ProviderError::Refused`]).
    async fn screen(&self, ledger: &mut Ledger<'_>, call: &Call<'_>) -> Result<(), ProviderError>;
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
    pub payment: PaymentPort,
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
            payment: PaymentPort::Embedded(Arc::new(embedded::payment::EmbeddedPayment)),
            inventory: Arc::new(embedded::inventory::EmbeddedInventory),
            shipping: Arc::new(embedded::shipping::EmbeddedShipping),
            fraud: Arc::new(embedded::fraud::EmbeddedFraud),
            supplier: Arc::new(embedded::supplier::EmbeddedSupplier::default()),
        }
    }

    /// With a payment provider outside of the process.
    pub fn with_external_payment(mut self, payment: Arc<dyn ExternalPaymentProvider>) -> Self {
        self.payment = PaymentPort::External(payment);
        self
    }

    /// With the embedded supplier, who delivers this long after a supplier order was opened. Without
    /// it, at once.
    pub fn with_supplier_lead_time(mut self, lead_time: Duration) -> Self {
        self.supplier = Arc::new(embedded::supplier::EmbeddedSupplier { lead_time });
        self
    }
}

/// The tokens by which a caller of the embedded providers plays what can go wrong. Every other token
/// is good.
pub mod test_token {
    /// How all of them begin: with the embedded payment provider, a token that begins like this is for
    /// tests and belongs to no customer.
    pub const PREFIX: &str = "tok-";
    /// The payment is declined.
    pub const DECLINED: &str = "tok-declined";
    /// The fraud check refuses.
    pub const FRAUD: &str = "tok-fraud";
    /// Each movement of money happens, but its first answer is lost.
    pub const LOST_ANSWER: &str = "tok-lost-answer";
    /// Each movement of money takes a second.
    pub const SLOW: &str = "tok-slow";
}
