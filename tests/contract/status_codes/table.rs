//! What each RPC can answer beside OK.

use orders_server::{
    error::Reason::{self, *},
    method::{self, Kind},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

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

/// What every RPC of a kind can answer.
fn of_kind(kind: Kind) -> &'static [Reason] {
    match kind {
        Kind::Read => &[InvalidRequest, DatabaseUnavailable, DeadlineExceeded],
        Kind::Change => &[
            InvalidRequest,
            RequestIdReused,
            DatabaseUnavailable,
            DeadlineExceeded,
        ],
        Kind::Stream => &[
            InvalidRequest,
            TooManyWatches,
            DatabaseUnavailable,
            ServerStopping,
            DeadlineExceeded,
        ],
    }
}

/// An RPC that answers out of memory: it asks nobody, so that nothing can go wrong.
const OUT_OF_MEMORY: &str = "ListPolicies";

/// Of a command.
const COMMAND: [Reason; 5] = [
    OrderNotFound,
    CommandNotAllowed,
    RevisionMismatch,
    TooManyCommands,
    TemporalUnavailable,
];

/// What an RPC can answer beside what every one of its kind can.
const OWN: [(&str, &[Reason]); 18] = [
    (
        "PlaceOrder",
        &[
            OrderIdExists,
            PaymentIdExists,
            PaymentTokenOfAnotherCustomer,
            TemporalUnavailable,
        ],
    ),
    (
        "GetOrder",
        &[OrderNotFound, TooManyCommands, TemporalUnavailable],
    ),
    ("ListOrderEvents", &[OrderNotFound]),
    // A command that is accepted in each state, unless the order has as many receipts as it may.
    (
        "ConfirmPayment",
        &[
            OrderNotFound,
            TransactionIdExists,
            CurrencyMismatch,
            CommandNotAllowed,
            RevisionMismatch,
            TooManyCommands,
            TemporalUnavailable,
        ],
    ),
    ("ReviewOrder", &COMMAND),
    ("StartFulfillment", &COMMAND),
    ("ConfirmPickup", &COMMAND),
    ("ConfirmDelivery", &COMMAND),
    ("UpdateShippingAddress", &COMMAND),
    ("CancelOrder", &COMMAND),
    (
        "SignalOrder",
        &[
            OrderNotFound,
            TransactionIdExists,
            CurrencyMismatch,
            OrderClosed,
            CommandNotAllowed,
            RevisionMismatch,
            TooManyCommands,
            TemporalUnavailable,
        ],
    ),
    ("WatchOrder", &[OrderNotFound]),
    ("GetStockItem", &[StockItemNotFound]),
    (
        "SetStockItem",
        &[StockReserved, StockOutOfRange, RevisionMismatch],
    ),
    (
        "AdjustStock",
        &[
            StockItemNotFound,
            StockReserved,
            StockOutOfRange,
            RevisionMismatch,
        ],
    ),
    ("ExplainOrder", &[OrderNotFound]),
    // Operators' commands name no revision.
    (
        "RetryOrder",
        &[
            OrderNotFound,
            CommandNotAllowed,
            TooManyCommands,
            TemporalUnavailable,
        ],
    ),
    (
        "ResolvePayment",
        &[
            OrderNotFound,
            CommandNotAllowed,
            PaymentOutcomeKnown,
            TooManyCommands,
            TemporalUnavailable,
        ],
    ),
];

/// What each RPC of the contract can answer beside OK.
pub fn table() -> BTreeMap<&'static str, BTreeSet<Reason>> {
    let mut own = BTreeMap::from(OWN);
    let rows = method::table().iter().map(|(_, method)| {
        let name = method.name.as_str();
        let mut row = BTreeSet::new();
        if name != OUT_OF_MEMORY {
            row.extend(of_kind(method.kind));
        }
        row.extend(own.remove(name).unwrap_or_default());
        (name, row)
    });
    let table = rows.collect();
    assert!(own.is_empty(), "rows without an RPC: {own:?}");
    table
}

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
