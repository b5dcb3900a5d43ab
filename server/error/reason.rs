//! The reasons that an error can have: the whole list, in one place.

use std::fmt;
use tonic::Code;

/// Why a call was not done: `ErrorInfo.reason`, stable over all versions. Each belongs to one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The request can never be right.
    InvalidRequest,
    /// No order of that id.
    OrderNotFound,
    /// No stock item of that sku.
    StockItemNotFound,
    /// The request id was used for something else.
    RequestIdReused,
    /// The order id belongs to an order with another content.
    OrderIdExists,
    /// The payment id belongs to another order.
    PaymentIdExists,
    /// The payment token belongs to another customer.
    PaymentTokenOfAnotherCustomer,
    /// The transaction belongs to another payment, or was confirmed with another amount.
    TransactionIdExists,
    /// Not in the order's state.
    CommandNotAllowed,
    /// The order is closed: a signal would reach nobody.
    OrderClosed,
    /// What became of the payment is known, or something else is known of it.
    PaymentOutcomeKnown,
    /// The confirmed amount is in another currency than the order.
    CurrencyMismatch,
    /// Orders hold more than the new count.
    StockReserved,
    /// The numbers of a stock item would not fit together.
    StockOutOfRange,
    /// The order or the stock item is not at the expected revision.
    RevisionMismatch,
    /// The database cannot be used now.
    DatabaseUnavailable,
    /// Temporal cannot be used now, or nobody runs orders.
    TemporalUnavailable,
    /// The process is stopping, and a watch ends before its time.
    ServerStopping,
    /// Too many commands of one order at once.
    TooManyCommands,
    /// As many watches as there may be are open.
    TooManyWatches,
    /// As many calls as there may be are worked on.
    Overloaded,
    /// The request is larger than any that is read.
    RequestTooLarge,
    /// The metadata is larger than any that is read.
    HeadersTooLarge,
    /// The request did not arrive in time.
    RequestTooSlow,
    /// The request is no message of its type.
    MalformedRequest,
    /// No such method.
    UnknownMethod,
    /// The request is compressed in a way that is not understood.
    UnsupportedEncoding,
    /// A web page called that may not.
    OriginNotAllowed,
    /// The caller's time is up.
    DeadlineExceeded,
    /// A broken invariant.
    Internal,
}

impl Reason {
    /// All of them, in the order of the table in `docs/errors.md`.
    pub const ALL: [Reason; 30] = [
        Self::InvalidRequest,
        Self::OrderNotFound,
        Self::StockItemNotFound,
        Self::RequestIdReused,
        Self::OrderIdExists,
        Self::PaymentIdExists,
        Self::PaymentTokenOfAnotherCustomer,
        Self::TransactionIdExists,
        Self::CommandNotAllowed,
        Self::OrderClosed,
        Self::PaymentOutcomeKnown,
        Self::CurrencyMismatch,
        Self::StockReserved,
        Self::StockOutOfRange,
        Self::RevisionMismatch,
        Self::DatabaseUnavailable,
        Self::TemporalUnavailable,
        Self::ServerStopping,
        Self::TooManyCommands,
        Self::TooManyWatches,
        Self::Overloaded,
        Self::RequestTooLarge,
        Self::HeadersTooLarge,
        Self::RequestTooSlow,
        Self::MalformedRequest,
        Self::UnknownMethod,
        Self::UnsupportedEncoding,
        Self::OriginNotAllowed,
        Self::DeadlineExceeded,
        Self::Internal,
    ];

    /// As callers see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::OrderNotFound => "ORDER_NOT_FOUND",
            Self::StockItemNotFound => "STOCK_ITEM_NOT_FOUND",
            Self::RequestIdReused => "REQUEST_ID_REUSED",
            Self::OrderIdExists => "ORDER_ID_EXISTS",
            Self::PaymentIdExists => "PAYMENT_ID_EXISTS",
            Self::PaymentTokenOfAnotherCustomer => "PAYMENT_TOKEN_OF_ANOTHER_CUSTOMER",
            Self::TransactionIdExists => "TRANSACTION_ID_EXISTS",
            Self::CommandNotAllowed => "COMMAND_NOT_ALLOWED",
            Self::OrderClosed => "ORDER_CLOSED",
            Self::PaymentOutcomeKnown => "PAYMENT_OUTCOME_KNOWN",
            Self::CurrencyMismatch => "CURRENCY_MISMATCH",
            Self::StockReserved => "STOCK_RESERVED",
            Self::StockOutOfRange => "STOCK_OUT_OF_RANGE",
            Self::RevisionMismatch => "REVISION_MISMATCH",
            Self::DatabaseUnavailable => "DATABASE_UNAVAILABLE",
            Self::TemporalUnavailable => "TEMPORAL_UNAVAILABLE",
            Self::ServerStopping => "SERVER_STOPPING",
            Self::TooManyCommands => "TOO_MANY_COMMANDS",
            Self::TooManyWatches => "TOO_MANY_WATCHES",
            Self::Overloaded => "OVERLOADED",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::HeadersTooLarge => "HEADERS_TOO_LARGE",
            Self::RequestTooSlow => "REQUEST_TOO_SLOW",
            Self::MalformedRequest => "MALFORMED_REQUEST",
            Self::UnknownMethod => "UNKNOWN_METHOD",
            Self::UnsupportedEncoding => "UNSUPPORTED_ENCODING",
            Self::OriginNotAllowed => "ORIGIN_NOT_ALLOWED",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::Internal => "INTERNAL",
        }
    }

    /// The code that it comes with.
    pub const fn code(self) -> Code {
        match self {
            Self::InvalidRequest | Self::MalformedRequest => Code::InvalidArgument,
            Self::OrderNotFound | Self::StockItemNotFound => Code::NotFound,
            Self::RequestIdReused
            | Self::OrderIdExists
            | Self::PaymentIdExists
            | Self::TransactionIdExists => Code::AlreadyExists,
            Self::PaymentTokenOfAnotherCustomer
            | Self::CommandNotAllowed
            | Self::OrderClosed
            | Self::PaymentOutcomeKnown
            | Self::CurrencyMismatch
            | Self::StockReserved
            | Self::StockOutOfRange => Code::FailedPrecondition,
            Self::RevisionMismatch => Code::Aborted,
            Self::DatabaseUnavailable | Self::TemporalUnavailable | Self::ServerStopping => {
                Code::Unavailable
            }
            Self::TooManyCommands
            | Self::TooManyWatches
            | Self::Overloaded
            | Self::RequestTooLarge
            | Self::HeadersTooLarge => Code::ResourceExhausted,
            Self::UnknownMethod | Self::UnsupportedEncoding => Code::Unimplemented,
            Self::OriginNotAllowed => Code::PermissionDenied,
            Self::DeadlineExceeded | Self::RequestTooSlow => Code::DeadlineExceeded,
            Self::Internal => Code::Internal,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;
    use std::collections::BTreeSet;

    #[test]
    fn the_list_has_each_reason_once() {
        let names: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        // The last variant: a new one that is not in the list moves it.
        let count = Reason::Internal as usize + 1;
        assert_eq!(count, Reason::ALL.len(), "a reason is missing in ALL");
    }
}
