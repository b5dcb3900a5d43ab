//! Commands: what people and other systems may ask of an order, and when.
//!
//! [`Command::permits`] is the one table that guards the commands and that `allowed_commands` is
//! computed from. A new command is a new file here, a variant, and a line in each `match`.

mod cancel_order;
mod confirm_delivery;
mod confirm_payment;
mod confirm_pickup;
mod resolve_payment;
mod retry_order;
mod review_order;
mod start_fulfillment;
mod update_shipping_address;

pub use cancel_order::CancelOrder;
pub use confirm_payment::ConfirmPayment;
pub use confirm_pickup::ConfirmPickup;
pub use resolve_payment::{PaymentOutcome, ResolvePayment};
pub use retry_order::RetryOrder;
pub use review_order::ReviewOrder;
pub use update_shipping_address::UpdateShippingAddress;

use super::{
    event::Change,
    money::Money,
    order::Order,
    state::{OrderState, named},
    step::Step,
    text::{is_name, is_reserved_actor},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A command with what belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// An outside payment happened.
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
    /// An operator: this became of the payment whose answer was lost.
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

/// The longest request id, actor or reviewer, in characters: the API's own bound.
const NAME_MOST: usize = 128;

/// Why a command was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Refusal {
    /// Not in this state.
    #[error("{command} is not allowed while the order is {state}")]
    NotAllowed {
        /// What was asked for.
        command: CommandKind,
        /// Where the order stands.
        state: OrderState,
        /// What could be asked for instead.
        allowed: Vec<CommandKind>,
    },
    /// The order has moved on since the caller looked.
    #[error("the order is at revision {actual}, not {expected}")]
    Moved {
        /// What the caller expected.
        expected: i64,
        /// Where it is.
        actual: i64,
    },
    /// The confirmed amount is not the total.
    #[error("the amount is {amount}, but the total is {total}")]
    WrongAmount {
        /// What was confirmed.
        amount: Money,
        /// What is owed.
        total: Money,
    },
    /// What became of the payment is known, or something else is known of it.
    #[error("{step} cannot be resolved like that: {known}")]
    PaymentKnown {
        /// Which payment step.
        step: Step,
        /// What is known.
        known: String,
    },
    /// The same request_id was used for something else.
    #[error("the request_id was used before, with another content")]
    RequestReused,
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

    /// What the command does to the order, or why it may not.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] at the wrong moment, [`Refusal::WrongAmount`] for a payment of
    /// anything but the total, [`Refusal::PaymentKnown`] for a resolution of what is not unknown.
    pub fn decide(&self, order: &Order, now: Timestamp) -> Result<Change, Refusal> {
        let command = self.kind();
        if !command.is_allowed(order) {
            return Err(Refusal::NotAllowed {
                command,
                state: order.state,
                allowed: order.allowed_commands(),
            });
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
    /// Whether an order may be asked for this now: the command table of order-model.md.
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

    /// Whether it is for those who run the service, not for those who sell and buy.
    pub fn is_for_operators(self) -> bool {
        matches!(self, Self::RetryOrder | Self::ResolvePayment)
    }
}

impl CommandRequest {
    /// What the request does to the order, or why it may not.
    ///
    /// # Errors
    /// As [`Command::decide`]; [`Refusal::Moved`] when the caller expected another revision.
    pub fn decide(&self, order: &Order, now: Timestamp) -> Result<Change, Refusal> {
        if let Some(expected) = self.expected_revision.filter(|e| *e != order.revision) {
            return Err(Refusal::Moved {
                expected,
                actual: order.revision,
            });
        }
        self.command.decide(order, now)
    }

    /// Whether its names are such as the API accepts. What comes over the API has been checked there;
    /// a signal that was sent to Temporal directly has not.
    pub fn has_fit_names(&self) -> bool {
        let of_command = match &self.command {
            Command::ConfirmPayment(command) => command.transaction_id.as_str(),
            Command::ReviewOrder(command) => command.reviewer.as_str(),
            Command::ConfirmPickup(command) => command.tracking_number.as_deref().unwrap_or(""),
            Command::ResolvePayment(command) => command.transaction_id.as_str(),
            Command::StartFulfillment
            | Command::ConfirmDelivery
            | Command::UpdateShippingAddress(_)
            | Command::CancelOrder(_)
            | Command::RetryOrder(_) => "",
        };
        let names = [self.request_id.as_str(), self.actor.as_str(), of_command];
        let is_fit =
            |name: &str| name.is_empty() || (is_name(name) && name.chars().count() <= NAME_MOST);
        names.into_iter().all(is_fit) && !is_reserved_actor(&self.actor)
    }

    /// Tells two requests of the same id apart: a hash of what is asked for, without who asks.
    pub fn fingerprint(&self, order_id: &str) -> String {
        // The enum has no maps and no floats: its JSON is the same every time.
        let content = serde_json::to_string(&self.command).unwrap_or_default();
        crate::domain::fingerprint([order_id, content.as_str()])
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
        all.filter(|kind| kind.is_allowed(self)).collect()
    }
}

/// Whether the order is on its way to the customer and not being undone.
fn is_moving_forward(order: &Order) -> bool {
    order.ending.is_none() && !order.state.is_closed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_api_refuses_are_not_fit() {
        let request = |request_id: &str, actor: &str, command: Command| CommandRequest {
            request_id: request_id.to_owned(),
            actor: actor.to_owned(),
            expected_revision: None,
            seen_revision: 0,
            attempt: String::new(),
            command,
        };
        let review = |reviewer: &str| {
            Command::ReviewOrder(ReviewOrder {
                decision: crate::domain::state::ReviewDecision::Approve,
                reviewer: reviewer.to_owned(),
                reason: "line\nbreaks are fine".to_owned(),
            })
        };
        assert!(request("", "", Command::ConfirmDelivery).has_fit_names());
        assert!(request("r-1", "grace", review("ada")).has_fit_names());
        for actor in [
            "orders",
            "Temporal",
            "orders\u{200b}",
            "bob\u{1b}[31m\n2026",
            " a",
        ] {
            assert!(
                !request("r-1", actor, review("ada")).has_fit_names(),
                "{actor:?}"
            );
        }
        for request_id in ["w\0b", &"x".repeat(129)] {
            let unfit = request(request_id, "grace", Command::ConfirmDelivery);
            assert!(!unfit.has_fit_names(), "{request_id:?}");
        }
        assert!(!request("r-1", "grace", review("a\u{202e}b")).has_fit_names());
    }
}
