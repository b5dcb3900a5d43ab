//! What callers are told when something is not done: the one place where errors become statuses.
//!
//! Every status carries a `google.rpc.ErrorInfo` with the domain `orders` and a stable reason, and
//! the details that fit its code. The cause of an INTERNAL or UNAVAILABLE goes to the log, not to
//! the caller.

mod reason;
mod size;
mod status;

pub use reason::Reason;
pub(crate) use size::shortened;

use orders_domain::{
    command::{CommandKind, KnownTransaction, Refusal, because},
    money::Money,
    place::Violation,
    state::OrderState,
    step::Step,
};
use orders_store::{
    StoreError,
    stock_command::{StockCommand, StockRefusal, StockRequest},
};
use tonic::Code;

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "orders";

/// Why a call was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request can never be right.
    #[error("the request is not valid")]
    Invalid(Vec<Violation>),
    /// No order of that id.
    #[error("there is no order {0}")]
    NoOrder(String),
    /// No stock item of that sku.
    #[error("there is no stock item {0}")]
    NoStockItem(String),
    /// The request id was used before, for something else.
    #[error("the request_id {0} was used before, with another content")]
    RequestReused(String),
    /// The order id belongs to another order.
    #[error("the order {0} exists, with another content")]
    OrderExists(String),
    /// The payment id belongs to another order.
    #[error("the payment_id {0} belongs to another order")]
    PaymentExists(String),
    /// The payment token belongs to another customer. Without the token: errors are logged.
    #[error(
        "the payment token belongs to another customer: use a token of the order's own customer"
    )]
    TokenOfAnother,
    /// Not in the order's state.
    #[error("{command} is not allowed while the order is {state}{}", because(why.as_deref()))]
    NotAllowed {
        /// Which order.
        order_id: String,
        /// What was asked for.
        command: CommandKind,
        /// Where the order stands.
        state: OrderState,
        /// What could be asked for instead.
        allowed: Vec<CommandKind>,
        /// What is missing, where the state alone does not say it.
        why: Option<String>,
    },
    /// The order has moved on since the caller looked.
    #[error(
        "the order {order_id} is at revision {actual}, not {expected}: read it and decide anew"
    )]
    Moved {
        /// Which order.
        order_id: String,
        /// What the caller expected.
        expected: i64,
        /// Where it is.
        actual: i64,
    },
    /// The order is closed, so a signal would reach nobody.
    #[error("the order {order_id} is {state}: it takes no signal except confirm_payment")]
    Closed {
        /// Which order.
        order_id: String,
        /// How it closed.
        state: OrderState,
    },
    /// What became of a payment is known, or something else is known of it.
    #[error("{step} of {order_id} cannot be resolved like that: {known}")]
    PaymentKnown {
        /// Which order.
        order_id: String,
        /// Which payment step.
        step: Step,
        /// What is known.
        known: String,
    },
    /// The confirmed transaction is known from another payment, or with another amount.
    #[error(
        "the transaction {transaction_id} {known}: not counted as paid; it is noted with the order, \
         which asks for attention"
    )]
    TransactionExists {
        /// Which order.
        order_id: String,
        /// The payer's name for the transaction.
        transaction_id: String,
        /// What is known of it.
        known: KnownTransaction,
    },
    /// The confirmed amount is in another currency than the order.
    #[error(
        "the amount is {amount}, but the order {order_id} is in {currency}: not counted as paid; it is \
         noted with the order, which asks for attention"
    )]
    WrongCurrency {
        /// Which order.
        order_id: String,
        /// The confirmed amount.
        amount: Money,
        /// The currency of the order.
        currency: String,
    },
    /// Orders hold more of the stock than its new count.
    #[error("{reserved} pieces of {sku} are reserved: {}", stock_left(*reserved, *on_hand, *is_adjusted))]
    StockReserved {
        /// Which stock item.
        sku: String,
        /// How much is held.
        reserved: i64,
        /// How much there is.
        on_hand: i64,
        /// Whether pieces were to be taken away, rather than counted.
        is_adjusted: bool,
    },
    /// The numbers of a stock item would not fit together.
    #[error("the stock of {sku} cannot be like that: {why}")]
    StockOutOfRange {
        /// Which stock item.
        sku: String,
        /// In which way.
        why: String,
    },
    /// The stock item has changed since the caller looked.
    #[error("the stock of {sku} is at revision {actual}, not {expected}: read it and decide anew")]
    StockMoved {
        /// Which stock item.
        sku: String,
        /// What the caller expected.
        expected: i64,
        /// Where it is; 0 when there is none.
        actual: i64,
    },
    /// The database cannot be used now.
    #[error("the database is unavailable: the same request may be sent again")]
    Database(#[source] StoreError),
    /// Temporal cannot be used now.
    #[error("the workflow service is unavailable: the same request may be sent again")]
    Temporal(String),
    /// As many watches as there may be are open.
    #[error(
        "too many watches are open at once, of {most} in all or by this caller: close some, or try \
         again later"
    )]
    TooManyWatches {
        /// How many there may be.
        most: u32,
    },
    /// The process is stopping, and a watch ends before its time.
    #[error("the server is stopping: go on with {0}")]
    Stopping(String),
    /// A watch has lasted as long as its caller wanted.
    #[error("the deadline has passed: go on with {0}")]
    WatchLate(String),
    /// Too many commands of one order at once.
    #[error("too many commands for the order {0} at once: send the same request again")]
    Busy(String),
    /// Too many signals, which nobody waits for, to one order or by one caller.
    #[error("too many signals for {of} in a short time: send the same request again later")]
    TooManySignals {
        /// Whose limit is reached, in words.
        of: String,
    },
    /// As many calls as there may be are worked on, or as many as this caller may have.
    #[error(
        "too many calls are in progress at once, of {most} in all or by this caller: send the same \
         request again"
    )]
    Overloaded {
        /// How many there may be.
        most: u32,
    },
    /// The request is larger than any that is read.
    #[error("the request is larger than {most} bytes")]
    TooLarge {
        /// How large it may be, in bytes.
        most: u32,
    },
    /// The metadata is larger than any that is read.
    #[error("the metadata of the call is larger than {most} bytes")]
    HeadersTooLarge {
        /// How large it may be, in bytes.
        most: u32,
    },
    /// The request did not arrive in time.
    #[error("the request did not arrive in full within {most} ms: nothing was done")]
    TooSlow {
        /// How long it may take, in milliseconds.
        most: u128,
    },
    /// The request is no message of its type.
    #[error("the request cannot be read: {0}")]
    Malformed(String),
    /// There is no such method.
    #[error("there is no method {0}: reflection lists all that there are")]
    UnknownMethod(String),
    /// The request is compressed in a way that is not understood.
    #[error("{0}: gzip is, and none at all")]
    Encoding(String),
    /// A web page called that may not.
    #[error("pages of the origin {0} may not call this server: `serve --web-origin` allows them")]
    Origin(String),
    /// The caller's time is up.
    #[error(
        "the deadline has passed; if the call asked for a change, the same request_id tells how it ended"
    )]
    Late,
    /// A broken invariant.
    #[error("an internal error; the log has the cause")]
    Internal(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Database(error),
            StoreError::NoOrder(order_id) => Self::NoOrder(order_id),
            StoreError::Corrupt(what) => Self::Internal(what),
            // The edge should have refused it, and sending the same again does not help.
            StoreError::Refused(_) => Self::Internal(error.to_string()),
        }
    }
}

impl Error {
    /// An order's refusal as an error.
    pub fn refused(order_id: &str, request_id: &str, refusal: Refusal) -> Self {
        let order_id = order_id.to_owned();
        match refusal {
            Refusal::NotAllowed {
                command,
                state,
                allowed,
                why,
            } => Self::NotAllowed {
                order_id,
                command,
                state,
                allowed,
                why,
            },
            Refusal::Moved { expected, actual } => Self::Moved {
                order_id,
                expected,
                actual,
            },
            Refusal::WrongAmount { .. } => {
                Self::Invalid(vec![Violation::new("amount", refusal.to_string())])
            }
            Refusal::WrongCurrency { amount, currency } => Self::WrongCurrency {
                order_id,
                amount,
                currency,
            },
            Refusal::TransactionKnown {
                transaction_id,
                known,
            } => Self::TransactionExists {
                order_id,
                transaction_id,
                known,
            },
            Refusal::PaymentKnown { step, known } => Self::PaymentKnown {
                order_id,
                step,
                known,
            },
            Refusal::ProviderSays { step, said } => Self::PaymentKnown {
                order_id,
                step,
                known: said,
            },
            Refusal::NotVouched { ref what } => {
                Self::Invalid(vec![Violation::new(what, refusal.to_string())])
            }
            Refusal::RequestReused => Self::RequestReused(request_id.to_owned()),
            Refusal::Invalid { field, description } => {
                Self::Invalid(vec![Violation::new(field, description)])
            }
        }
    }

    /// The refusal of a command on stock as an error.
    pub fn stock(asked: StockRequest, refusal: StockRefusal) -> Self {
        let StockRequest {
            sku,
            request_id,
            command,
            ..
        } = asked;
        match refusal {
            StockRefusal::RequestReused => Self::RequestReused(request_id),
            StockRefusal::NoItem => Self::NoStockItem(sku),
            StockRefusal::Moved { expected, actual } => Self::StockMoved {
                sku,
                expected,
                actual,
            },
            StockRefusal::BelowReserved { reserved, on_hand } => Self::StockReserved {
                sku,
                reserved,
                on_hand,
                is_adjusted: matches!(command, StockCommand::Adjust { .. }),
            },
            StockRefusal::TooMany { on_hand } => Self::StockOutOfRange {
                sku,
                why: format!("{on_hand} are on hand, and more than 1,000,000,000 cannot be"),
            },
            StockRefusal::LevelBelowPoint {
                reorder_point,
                reorder_level,
            } => Self::StockOutOfRange {
                sku,
                why: format!(
                    "reorder_level would be {reorder_level}, below reorder_point {reorder_point}: set both"
                ),
            },
        }
    }

    /// The status code.
    pub fn code(&self) -> Code {
        self.kind().code()
    }

    /// The stable reason, as in `ErrorInfo`.
    pub fn reason(&self) -> &'static str {
        self.kind().as_str()
    }

    fn kind(&self) -> Reason {
        match self {
            Self::Invalid(_) => Reason::InvalidRequest,
            Self::NoOrder(_) => Reason::OrderNotFound,
            Self::NoStockItem(_) => Reason::StockItemNotFound,
            Self::RequestReused(_) => Reason::RequestIdReused,
            Self::OrderExists(_) => Reason::OrderIdExists,
            Self::PaymentExists(_) => Reason::PaymentIdExists,
            Self::TokenOfAnother => Reason::PaymentTokenOfAnotherCustomer,
            Self::NotAllowed { .. } => Reason::CommandNotAllowed,
            Self::Closed { .. } => Reason::OrderClosed,
            Self::PaymentKnown { .. } => Reason::PaymentOutcomeKnown,
            Self::TransactionExists { .. } => Reason::TransactionIdExists,
            Self::WrongCurrency { .. } => Reason::CurrencyMismatch,
            Self::StockReserved { .. } => Reason::StockReserved,
            Self::StockOutOfRange { .. } => Reason::StockOutOfRange,
            Self::Moved { .. } | Self::StockMoved { .. } => Reason::RevisionMismatch,
            Self::Database(_) => Reason::DatabaseUnavailable,
            Self::Temporal(_) => Reason::TemporalUnavailable,
            Self::Busy(_) | Self::TooManySignals { .. } => Reason::TooManyCommands,
            Self::TooManyWatches { .. } => Reason::TooManyWatches,
            Self::Stopping(_) => Reason::ServerStopping,
            Self::Overloaded { .. } => Reason::Overloaded,
            Self::TooLarge { .. } => Reason::RequestTooLarge,
            Self::HeadersTooLarge { .. } => Reason::HeadersTooLarge,
            Self::TooSlow { .. } => Reason::RequestTooSlow,
            Self::Malformed(_) => Reason::MalformedRequest,
            Self::UnknownMethod(_) => Reason::UnknownMethod,
            Self::Encoding(_) => Reason::UnsupportedEncoding,
            Self::Origin(_) => Reason::OriginNotAllowed,
            Self::Late | Self::WatchLate(_) => Reason::DeadlineExceeded,
            Self::Internal(_) => Reason::Internal,
        }
    }
}

/// What the stock may be reduced to, where orders hold some of it.
fn stock_left(reserved: i64, on_hand: i64, is_adjusted: bool) -> String {
    if is_adjusted {
        let most = on_hand.saturating_sub(reserved);
        format!("of the {on_hand} on hand, at most {most} can be taken away")
    } else {
        "on_hand cannot be less".to_owned()
    }
}
