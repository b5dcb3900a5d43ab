//! What each RPC can answer beside OK.

use orders_server::error::Reason::{self, *};
use std::fmt;

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// With an answer.
    Ok,
    /// With a status.
    Refused(Reason),
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => write!(formatter, "Ok"),
            Self::Refused(reason) => {
                write!(formatter, "{:19} {reason}", format!("{:?}", reason.code()))
            }
        }
    }
}

/// Of a command.
const COMMAND: [Reason; 9] = [
    InvalidRequest,
    OrderNotFound,
    RequestIdReused,
    CommandNotAllowed,
    RevisionMismatch,
    TooManyCommands,
    DatabaseUnavailable,
    TemporalUnavailable,
    DeadlineExceeded,
];

/// Of a command that is accepted in each state, unless the order has as many receipts as it may.
const CONFIRMATION: [Reason; 11] = [
    InvalidRequest,
    OrderNotFound,
    RequestIdReused,
    TransactionIdExists,
    CurrencyMismatch,
    CommandNotAllowed,
    RevisionMismatch,
    TooManyCommands,
    DatabaseUnavailable,
    TemporalUnavailable,
    DeadlineExceeded,
];

/// Of an operator's command: it names no revision.
const OPERATOR: [Reason; 8] = [
    InvalidRequest,
    OrderNotFound,
    RequestIdReused,
    CommandNotAllowed,
    TooManyCommands,
    DatabaseUnavailable,
    TemporalUnavailable,
    DeadlineExceeded,
];

/// Of a list.
const LIST: [Reason; 3] = [InvalidRequest, DatabaseUnavailable, DeadlineExceeded];

/// One row for each RPC.
pub const TABLE: [(&str, &[Reason]); 24] = [
    (
        "PlaceOrder",
        &[
            InvalidRequest,
            RequestIdReused,
            OrderIdExists,
            PaymentIdExists,
            PaymentTokenOfAnotherCustomer,
            DatabaseUnavailable,
            TemporalUnavailable,
            DeadlineExceeded,
        ],
    ),
    (
        "GetOrder",
        &[
            InvalidRequest,
            OrderNotFound,
            TooManyCommands,
            DatabaseUnavailable,
            TemporalUnavailable,
            DeadlineExceeded,
        ],
    ),
    ("ListOrders", &LIST),
    (
        "ListOrderEvents",
        &[
            InvalidRequest,
            OrderNotFound,
            DatabaseUnavailable,
            DeadlineExceeded,
        ],
    ),
    ("ConfirmPayment", &CONFIRMATION),
    ("ReviewOrder", &COMMAND),
    ("StartFulfillment", &COMMAND),
    ("ConfirmPickup", &COMMAND),
    ("ConfirmDelivery", &COMMAND),
    ("UpdateShippingAddress", &COMMAND),
    ("CancelOrder", &COMMAND),
    (
        "SignalOrder",
        &[
            InvalidRequest,
            OrderNotFound,
            RequestIdReused,
            TransactionIdExists,
            CurrencyMismatch,
            OrderClosed,
            CommandNotAllowed,
            RevisionMismatch,
            TooManyCommands,
            DatabaseUnavailable,
            TemporalUnavailable,
            DeadlineExceeded,
        ],
    ),
    (
        "WatchOrder",
        &[
            InvalidRequest,
            OrderNotFound,
            TooManyWatches,
            DatabaseUnavailable,
            ServerStopping,
            DeadlineExceeded,
        ],
    ),
    (
        "WatchOrders",
        &[
            InvalidRequest,
            TooManyWatches,
            DatabaseUnavailable,
            ServerStopping,
            DeadlineExceeded,
        ],
    ),
    // Out of memory: it asks nobody.
    ("ListPolicies", &[]),
    (
        "GetStockItem",
        &[
            InvalidRequest,
            StockItemNotFound,
            DatabaseUnavailable,
            DeadlineExceeded,
        ],
    ),
    ("ListStockItems", &LIST),
    (
        "SetStockItem",
        &[
            InvalidRequest,
            RequestIdReused,
            StockReserved,
            StockOutOfRange,
            RevisionMismatch,
            DatabaseUnavailable,
            DeadlineExceeded,
        ],
    ),
    (
        "AdjustStock",
        &[
            InvalidRequest,
            StockItemNotFound,
            RequestIdReused,
            StockReserved,
            StockOutOfRange,
            RevisionMismatch,
            DatabaseUnavailable,
            DeadlineExceeded,
        ],
    ),
    ("ListSupplierOrders", &LIST),
    // Without Temporal they answer what is known without it.
    ("ListOrdersNeedingAttention", &LIST),
    (
        "ExplainOrder",
        &[
            InvalidRequest,
            OrderNotFound,
            DatabaseUnavailable,
            DeadlineExceeded,
        ],
    ),
    ("RetryOrder", &OPERATOR),
    (
        "ResolvePayment",
        &[
            InvalidRequest,
            OrderNotFound,
            RequestIdReused,
            CommandNotAllowed,
            PaymentOutcomeKnown,
            TooManyCommands,
            DatabaseUnavailable,
            TemporalUnavailable,
            DeadlineExceeded,
        ],
    ),
];

/// What stands in the table, and no test provokes.
pub const NOT_PROVOKED: [(&str, Reason, &str); 5] = [
    (
        "GetOrder",
        TooManyCommands,
        "Temporal's own limit of queries, thousands a second",
    ),
    (
        "ConfirmPayment",
        CommandNotAllowed,
        "an order with 1,000 receipts",
    ),
    (
        "SignalOrder",
        TransactionIdExists,
        "only for a closed order, as in tests/process/external_payment.rs",
    ),
    (
        "SignalOrder",
        CurrencyMismatch,
        "only for a closed order, as in tests/process/external_payment.rs",
    ),
    (
        "SignalOrder",
        TooManyCommands,
        "thousands of signals: tests/api/signals/flood.rs and rpc/signal_limits.rs have it",
    ),
];

/// What no RPC should ever answer.
pub const NEVER: [(Reason, &str); 1] = [(Internal, "it would be a bug")];

/// What is answered before any RPC is asked, so that every one can answer it; each with the test that
/// provokes it.
pub const BEFORE_ANY: [(Reason, &str); 8] = [
    (Overloaded, "tests/api/edge/load.rs"),
    (RequestTooLarge, "tests/api/edge/refused_by_tonic.rs"),
    (HeadersTooLarge, "tests/operations/attack/headers.rs"),
    (RequestTooSlow, "tests/operations/attack/bodies.rs"),
    (MalformedRequest, "tests/api/edge/refused_by_tonic.rs"),
    (UnknownMethod, "tests/api/edge/refused_by_tonic.rs"),
    (UnsupportedEncoding, "tests/api/edge/refused_by_tonic.rs"),
    (OriginNotAllowed, "tests/api/edge/web.rs"),
];
