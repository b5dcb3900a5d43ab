//! Commands: what people and other systems may ask of an order, and when.
//!
//! [`Command::permits`] is the one table that guards the commands and that `allowed_commands` is
//! computed from. A new command is a new file here, a variant, and a line in each `match`.

mod cancel_order;
mod confirm_delivery;
mod confirm_payment;
mod confirm_pickup;
mod content;
mod resolve_payment;
mod retry_order;
mod review_order;
mod start_fulfillment;
mod update_shipping_address;

pub use cancel_order::CancelOrder;
pub use confirm_payment::{AMOUNT_MOST, ConfirmPayment};
pub use confirm_pickup::ConfirmPickup;
pub use content::REASON_MOST;
pub use resolve_payment::{PaymentOutcome, ResolvePayment, Witness};
pub use retry_order::RetryOrder;
pub use review_order::ReviewOrder;
pub use update_shipping_address::UpdateShippingAddress;

use super::{
    event::{Change, is_named},
    money::Money,
    order::Order,
    state::OrderState,
    step::Step,
    text,
};
use crate::named;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A command with what belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Money arrived from outside.
    ConfirmPayment(ConfirmPayment),
    /// A person decided about the order.
    ReviewOrder(ReviewOrder),
    /// The hold is over.
    StartFulfillment,
    /// The carrier has the parcel.
    ConfirmPickup(ConfirmPickup),
    /// The parcel arrived.
    ConfirmDelivery,
    /// Send it somewhere else.
    UpdateShippingAddress(UpdateShippingAddress),
    /// Undo the order.
    CancelOrder(CancelOrder),
    /// An operator: try at once what would be tried later.
    RetryOrder(RetryOrder),
    /// An operator: this became of the payment whose answer was lost, or that was refused.
    ResolvePayment(ResolvePayment),
}

named! {
    /// The kinds of command.
    CommandKind {
        /// See [`Command::ConfirmPayment`].
        ConfirmPayment = "CONFIRM_PAYMENT",
        /// See [`Command::ReviewOrder`].
        ReviewOrder = "REVIEW_ORDER",
        /// See [`Command::StartFulfillment`].
        StartFulfillment = "START_FULFILLMENT",
        /// See [`Command::ConfirmPickup`].
        ConfirmPickup = "CONFIRM_PICKUP",
        /// See [`Command::ConfirmDelivery`].
        ConfirmDelivery = "CONFIRM_DELIVERY",
        /// See [`Command::UpdateShippingAddress`].
        UpdateShippingAddress = "UPDATE_SHIPPING_ADDRESS",
        /// See [`Command::CancelOrder`].
        CancelOrder = "CANCEL_ORDER",
        /// See [`Command::RetryOrder`].
        RetryOrder = "RETRY_ORDER",
        /// See [`Command::ResolvePayment`].
        ResolvePayment = "RESOLVE_PAYMENT",
    }
}

/// A command on its way to an order: also the payload of the workflow's update and signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandRequest {
    /// Unique over the service: the same request twice has one effect. A signal without one gets
    /// one made from its content.
    #[serde(default)]
    pub request_id: String,
    /// Who asks.
    #[serde(default)]
    pub actor: String,
    /// The revision that the caller saw; the command is refused when the order has moved on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_revision: Option<i64>,
    /// The newest revision that the sender has read from the store; 0 when it has not. Keeps a
    /// workflow that lags behind the store from refusing too early.
    #[serde(default)]
    pub seen_revision: i64,
    /// Names the call that sends it, where the request_id names all that ask for the same: so that
    /// of those who ask at once, one learns that it was its own call that was applied. Empty for
    /// one that nobody waits for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub attempt: String,
    /// What for.
    pub command: Command,
}

/// Why a command was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Refusal {
    /// Not in this state.
    #[error("{command} is not allowed while the order is {state}{}", because(why.as_deref()))]
    NotAllowed {
        /// What was asked for.
        command: CommandKind,
        /// Where the order stands.
        state: OrderState,
        /// What could be asked for instead.
        allowed: Vec<CommandKind>,
        /// What is missing, where the state alone does not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// The order has moved on since the caller looked.
    #[error("the order is at revision {actual}, not {expected}")]
    Moved {
        /// What the caller expected.
        expected: i64,
        /// Where it is.
        actual: i64,
    },
    /// The confirmed amount is not more than zero, or more than one confirmation may say.
    #[error(
        "an amount of {amount} cannot be recorded: it must be more than zero, and at most {}",
        Money::new(&amount.currency, AMOUNT_MOST)
    )]
    WrongAmount {
        /// The confirmed amount.
        amount: Money,
    },
    /// The confirmed amount is in another currency than the order.
    #[error("the amount is {amount}, but the order is in {currency}")]
    WrongCurrency {
        /// The confirmed amount.
        amount: Money,
        /// The currency of the order.
        currency: String,
    },
    /// The confirmed transaction is known from another payment, or with another amount.
    #[error("the transaction {transaction_id} {known}")]
    TransactionKnown {
        /// The payer's name for the transaction.
        transaction_id: String,
        /// What is known of it.
        known: KnownTransaction,
    },
    /// What became of the payment is known, or something else is known of it.
    #[error("{step} cannot be resolved like that: {known}")]
    PaymentKnown {
        /// Which payment step.
        step: Step,
        /// What is known.
        known: String,
    },
    /// The provider was asked and says something else. What it says is recorded.
    #[error("{step}: {said}")]
    ProviderSays {
        /// Which payment step.
        step: Step,
        /// What it says, and what follows.
        said: String,
    },
    /// Nobody is named who vouches for it, or nothing that proves it.
    #[error(
        "{what} is required: only a named person, with evidence, can say what became of a payment"
    )]
    NotVouched {
        /// The field that is missing.
        what: String,
    },
    /// The same request_id was used for something else.
    #[error("the request_id was used before, with another content")]
    RequestReused,
    /// The request can never be right, whatever the order does.
    #[error("{field} {description}")]
    Invalid {
        /// Which field.
        field: String,
        /// What is wrong with it.
        description: String,
    },
}

/// The largest command, in bytes of its JSON. The API's own limits are far below it; Temporal takes
/// 2 MB from anybody.
pub const COMMAND_MOST: usize = 32 * 1024;

impl Refusal {
    /// The kind of the refusal, in one word: the same for all refusals that differ in details only.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotAllowed { .. } => "NOT_ALLOWED",
            Self::Moved { .. } => "MOVED",
            Self::WrongAmount { .. } => "WRONG_AMOUNT",
            Self::WrongCurrency { .. } => "WRONG_CURRENCY",
            Self::TransactionKnown { .. } => "TRANSACTION_KNOWN",
            Self::PaymentKnown { .. } => "PAYMENT_KNOWN",
            Self::ProviderSays { .. } => "PROVIDER_SAYS",
            Self::NotVouched { .. } => "NOT_VOUCHED",
            Self::RequestReused => "REQUEST_REUSED",
            Self::Invalid { .. } => "INVALID",
        }
    }

    /// A refusal of a request that can never be right.
    pub fn invalid(field: &str, description: &str) -> Self {
        Self::Invalid {
            field: field.to_owned(),
            description: description.to_owned(),
        }
    }
}

impl Refusal {
    /// The refusal of a command that the order does not allow now.
    pub fn not_allowed(command: CommandKind, order: &Order) -> Self {
        let why = match command {
            CommandKind::ConfirmPayment => confirm_payment::why_not(order),
            CommandKind::ConfirmPickup => confirm_pickup::why_not(order),
            _ => None,
        };
        // Only operators ask for what is theirs, and they may know what else they could ask.
        let allowed = if command.is_for_operators() {
            order.all_allowed_commands()
        } else {
            order.allowed_commands()
        };
        Self::NotAllowed {
            command,
            state: order.state,
            allowed,
            why: why.map(str::to_owned),
        }
    }
}

/// A reason as the end of a sentence; nothing where there is none.
pub fn because(why: Option<&str>) -> String {
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

/// What is known of a confirmed transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum KnownTransaction {
    /// It was confirmed for this order before, with another amount.
    #[error("was confirmed before, with {amount}")]
    OtherAmount {
        /// The amount of the first confirmation.
        amount: Money,
    },
    /// It belongs to the payment of another order, or to a payment that the provider made.
    #[error("belongs to another payment")]
    OtherPayment,
}

impl Refusal {
    /// Whether it is an event of the order also when its caller was told: money may have arrived.
    pub fn is_recorded(&self) -> bool {
        match self {
            Self::WrongCurrency { .. } | Self::TransactionKnown { .. } => true,
            // The order cannot hold the receipt any more, so a question is all that is left of it.
            Self::NotAllowed { command, .. } => *command == CommandKind::ConfirmPayment,
            _ => false,
        }
    }

    /// Whether the same request is not to be tried again: it is refused whatever happens to the order, or
    /// the provider's own answer was recorded instead.
    pub fn is_final(&self) -> bool {
        let is_settled = matches!(self, Self::WrongAmount { .. } | Self::ProviderSays { .. });
        self.is_recorded() || is_settled
    }
}

impl Command {
    /// Which kind it is.
    pub fn kind(&self) -> CommandKind {
        match self {
            Self::ConfirmPayment(_) => CommandKind::ConfirmPayment,
            Self::ReviewOrder(_) => CommandKind::ReviewOrder,
            Self::StartFulfillment => CommandKind::StartFulfillment,
            Self::ConfirmPickup(_) => CommandKind::ConfirmPickup,
            Self::ConfirmDelivery => CommandKind::ConfirmDelivery,
            Self::UpdateShippingAddress(_) => CommandKind::UpdateShippingAddress,
            Self::CancelOrder(_) => CommandKind::CancelOrder,
            Self::RetryOrder(_) => CommandKind::RetryOrder,
            Self::ResolvePayment(_) => CommandKind::ResolvePayment,
        }
    }

    /// Checks what the fields of the command hold: the rules of the API once more.
    fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::ConfirmPayment(command) => command.check(),
            Self::ReviewOrder(command) => command.check(),
            Self::ConfirmPickup(command) => command.check(),
            Self::UpdateShippingAddress(command) => command.check(),
            Self::CancelOrder(command) => command.check(),
            Self::RetryOrder(command) => command.check(),
            Self::ResolvePayment(command) => command.check(),
            Self::StartFulfillment | Self::ConfirmDelivery => Ok(()),
        }
    }

    /// What the command does to the order, or why it may not.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] at the wrong moment, [`Refusal::WrongAmount`] and
    /// [`Refusal::WrongCurrency`] for money that cannot be recorded, [`Refusal::PaymentKnown`] for a
    /// resolution of what is not unknown.
    pub fn decide(&self, order: &Order, now: Timestamp) -> Result<Change, Refusal> {
        let command = self.kind();
        if !command.is_allowed(order) {
            return Err(Refusal::not_allowed(command, order));
        }
        match self {
            Self::ConfirmPayment(command) => command.decide(order),
            Self::ReviewOrder(command) => Ok(command.change()),
            Self::StartFulfillment => Ok(start_fulfillment::change()),
            Self::ConfirmPickup(command) => Ok(command.change(order, now)),
            Self::ConfirmDelivery => Ok(confirm_delivery::change()),
            Self::UpdateShippingAddress(command) => Ok(command.change()),
            Self::CancelOrder(command) => Ok(command.change()),
            Self::RetryOrder(command) => Ok(command.change()),
            Self::ResolvePayment(command) => command.decide(order),
        }
    }
}

impl CommandKind {
    /// Returns whether an order may be asked for this now. Each command has its rule in a file of its own;
    /// the test module `property_tests::command_table` lists them as one table.
    pub fn is_allowed(self, order: &Order) -> bool {
        match self {
            Self::ConfirmPayment => confirm_payment::is_allowed(order),
            Self::ReviewOrder => review_order::is_allowed(order),
            Self::StartFulfillment => start_fulfillment::is_allowed(order),
            Self::ConfirmPickup => confirm_pickup::is_allowed(order),
            Self::ConfirmDelivery => confirm_delivery::is_allowed(order),
            Self::UpdateShippingAddress => update_shipping_address::is_allowed(order),
            Self::CancelOrder => cancel_order::is_allowed(order),
            Self::RetryOrder => retry_order::is_allowed(order),
            Self::ResolvePayment => resolve_payment::is_allowed(order),
        }
    }

    /// Whether an order may be asked for this now and it would help: what callers are offered. Money
    /// from outside is recorded at any time, but only some orders ask for it.
    pub fn is_offered(self, order: &Order) -> bool {
        match self {
            Self::ConfirmPayment => confirm_payment::is_awaited(order),
            other => other.is_allowed(order),
        }
    }

    /// Whether it is for those who run the service, not for those who sell and buy.
    pub fn is_for_operators(self) -> bool {
        matches!(self, Self::RetryOrder | Self::ResolvePayment)
    }
}

impl CommandRequest {
    /// What the request does to the order, or why it may not.
    ///
    /// # Errors
    /// As [`Command::decide`]; [`Refusal::Moved`] when the caller expected another revision,
    /// [`Refusal::NotVouched`] when nobody vouches for what became of a payment.
    pub fn decide(&self, order: &Order, now: Timestamp) -> Result<Change, Refusal> {
        if let Command::ResolvePayment(command) = &self.command {
            let missing = [
                ("actor", is_named(&self.actor)),
                ("evidence", !command.evidence.trim().is_empty()),
            ];
            if let Some((what, _)) = missing.into_iter().find(|(_, given)| !given) {
                let what = what.to_owned();
                return Err(Refusal::NotVouched { what });
            }
        }
        self.check_revision(order)?;
        self.command.decide(order, now)
    }

    /// Refuses what need not reach the order's transaction. A confirmation of money always has to: a
    /// repeated one is answered there, and a refused one is recorded.
    ///
    /// # Errors
    /// As [`CommandRequest::decide`].
    pub fn check_early(&self, order: &Order, now: Timestamp) -> Result<(), Refusal> {
        if matches!(self.command, Command::ConfirmPayment(_)) {
            return Ok(());
        }
        self.decide(order, now).map(drop)
    }

    fn check_revision(&self, order: &Order) -> Result<(), Refusal> {
        match self.expected_revision {
            Some(expected) if expected != order.revision => Err(Refusal::Moved {
                expected,
                actual: order.revision,
            }),
            _ => Ok(()),
        }
    }

    /// Checks what no order can make right: the API checks it too, but anybody who reaches Temporal
    /// can send a command without the API.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::WrongAmount`] for an amount that no order can record.
    pub fn check(&self) -> Result<(), Refusal> {
        if text::is_reserved_request_id(&self.request_id) {
            let [signal, cancel] = text::RESERVED_REQUEST_IDS;
            let description = format!(
                "must not begin with {signal} or {cancel}: the service makes such ids itself"
            );
            return Err(Refusal::invalid("request_id", &description));
        }
        self.check_numbered()
    }

    /// The same for a request whose id the service made.
    ///
    /// # Errors
    /// As [`CommandRequest::check`].
    pub fn check_numbered(&self) -> Result<(), Refusal> {
        if !text::is_id(&self.request_id) {
            let description = "must be 1 to 128 printable characters";
            return Err(Refusal::invalid("request_id", description));
        }
        if !text::is_actor(&self.actor) {
            let description = "must be at most 128 printable characters, and none of the names that \
                 the service itself goes by";
            return Err(Refusal::invalid("actor", description));
        }
        if !self.attempt.is_empty() && !text::is_id(&self.attempt) {
            return Err(Refusal::invalid("attempt", "must be printable characters"));
        }
        if self.expected_revision.is_some_and(|revision| revision < 1) {
            let description = "must be 1 or more, or left out";
            return Err(Refusal::invalid("expected_revision", description));
        }
        self.command.check()?;
        // Whatever the rules for the fields: nothing larger ever enters a history.
        let size = serde_json::to_string(&self.command).map_or(0, |json| json.len());
        if size > COMMAND_MOST {
            let description = format!("must have at most {COMMAND_MOST} bytes, not {size}");
            return Err(Refusal::invalid("command", &description));
        }
        Ok(())
    }

    /// Names the request to Temporal, which answers the same name again from its memory. The store remembers
    /// no refusal, so everything that may change an answer is part of the name: a corrected request of the
    /// same id is decided anew.
    pub fn update_id(&self, order_id: &str) -> String {
        let expected = self.expected_revision.map(|revision| revision.to_string());
        let expected = expected.unwrap_or_default();
        let asked = self.fingerprint(order_id);
        let hash = crate::fingerprint([asked.as_str(), self.actor.as_str(), expected.as_str()]);
        format!("{}/{hash}", self.request_id)
    }

    /// Tells two requests of the same id apart: a hash of what is asked for, without who asks.
    pub fn fingerprint(&self, order_id: &str) -> String {
        // The enum has no maps and no floats: its JSON is the same every time.
        let content = serde_json::to_string(&self.command).unwrap_or_default();
        crate::fingerprint([order_id, content.as_str()])
    }
}

impl Order {
    /// What may be asked of the order now, from the same table that guards the commands; without
    /// what is for operators, which says nothing to anybody else.
    pub fn allowed_commands(&self) -> Vec<CommandKind> {
        let mut all = self.all_allowed_commands();
        all.retain(|kind| !kind.is_for_operators());
        all
    }

    /// The same with what operators may ask.
    pub fn all_allowed_commands(&self) -> Vec<CommandKind> {
        let all = CommandKind::ALL.iter().copied();
        all.filter(|kind| kind.is_offered(self)).collect()
    }
}

/// Whether the order is on its way to the customer and not being undone.
fn is_moving_forward(order: &Order) -> bool {
    order.ending.is_none() && !order.state.is_closed()
}

#[cfg(test)]
mod tests;
