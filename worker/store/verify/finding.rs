//! What can be wrong, in words: where, what, and what to do about it.

use orders_domain::named;
use serde::Serialize;
use std::collections::BTreeMap;

named! {
    /// What is checked in the store.
    Check {
        /// A document or an event is nothing that this version can read.
        Unreadable = "unreadable",
        /// The revisions of an order's events are not 1, 2, 3 and so on.
        EventGap = "event-gap",
        /// An event's columns are not what the event says, or its time runs backwards.
        EventRow = "event-row",
        /// The outcome of a step is recorded twice, or without its key.
        StepTwice = "step-twice",
        /// Something happened to an order after it had closed, or it closed with something to undo.
        AfterClose = "after-close",
        /// The order is not the fold of its events.
        Fold = "fold",
        /// The order's columns are not what its document says.
        OrderRow = "order-row",
        /// The order has no payment, or one of another name or currency.
        PaymentRow = "payment-row",
        /// The payment's sums are not those of its journal.
        PaymentSums = "payment-sums",
        /// Not authorized >= captured >= refunded >= 0.
        PaymentOrder = "payment-order",
        /// A movement of money was made twice, or under a key of another order.
        PaidTwice = "paid-twice",
        /// The order does not know what the journal holds.
        PaymentKnown = "payment-known",
        /// A closed order does not know what became of a movement of its money.
        PaymentOpen = "payment-open",
        /// A payment token is kept that nothing is asked with any more, or is missing.
        PaymentToken = "payment-token",
        /// A closed order owes, keeps or holds money that it should not.
        PaymentBalance = "payment-balance",
        /// A person vouched for what became of a payment, and its provider has not confirmed it.
        PaymentVouched = "payment-vouched",
        /// The provider refused to give money back, and a person says that it was done by other means.
        RefundByHand = "refund-by-hand",
        /// One transaction pays two orders.
        PaymentTaken = "payment-taken",
        /// A caller confirmed a transaction that the payment provider answered for another payment.
        PaymentDisputed = "payment-disputed",
        /// The receipts of money from outside do not add up with the payment.
        PaymentReceipts = "payment-receipts",
        /// Money from outside is due to the payer.
        PaymentSurplus = "payment-surplus",
        /// The order does not know what is reserved for it.
        ReservationKnown = "reservation-known",
        /// Stock is held for a closed order.
        ReservationLeft = "reservation-left",
        /// The order and its shipment do not agree.
        ShipmentKnown = "shipment-known",
        /// Nobody was to be told of a milestone.
        MessageMissing = "message-missing",
        /// Somebody is told of what did not happen.
        MessageExtra = "message-extra",
        /// A message was given up.
        MessageFailed = "message-failed",
        /// A command was done and its request forgotten: it would be done again.
        RequestMissing = "request-missing",
        /// A request was answered by what does not exist.
        RequestTarget = "request-target",
        /// What is on hand is not what was set, supplied and shipped.
        StockBooks = "stock-books",
        /// What was counted and corrected is not what callers are recorded to have changed.
        StockAdjusted = "stock-adjusted",
        /// What is reserved is not what orders hold.
        StockReserved = "stock-reserved",
        /// What was shipped is not what orders took.
        StockShipped = "stock-shipped",
        /// What was supplied is not what the supplier delivered.
        StockSupplied = "stock-supplied",
        /// Two supplier orders of one sku are open.
        SupplierTwice = "supplier-twice",
        /// A supplier order should have been delivered long ago.
        SupplierLate = "supplier-late",
        /// A row belongs to an order, payment or sku that does not exist.
        Stray = "stray",
        /// A transaction that does not end keeps committed events from all watches.
        LogHeld = "log-held",
    }
}

named! {
    /// How bad it is.
    Severity {
        /// Must not be.
        Finding = "finding",
        /// May be, but somebody should know.
        Warning = "warning",
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Which check found it: a stable name.
    pub check: &'static str,
    /// The order, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The sku, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// What is wrong, in words.
    pub wrong: String,
    /// What to do about it, in words.
    pub advice: &'static str,
}

impl Check {
    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::MessageFailed
            | Self::SupplierLate
            | Self::RefundByHand
            | Self::PaymentSurplus => Severity::Warning,
            _ => Severity::Finding,
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Unreadable => "start the version that wrote it, or restore the row from a backup",
            Self::EventGap
            | Self::EventRow
            | Self::StepTwice
            | Self::AfterClose
            | Self::Fold
            | Self::OrderRow => {
                "the events are the truth: compare them with the row, and restore from a backup what was changed by hand"
            }
            Self::PaymentRow | Self::PaymentSums | Self::PaymentOrder | Self::PaymentKnown => {
                "the journal is the truth: compare it with the payment provider's books before anything is moved"
            }
            Self::PaidTwice => {
                "look the keys up at the payment provider, and refund what was taken twice"
            }
            Self::PaymentToken => {
                "delete a row of payment_tokens that is left over; cancel an order whose token is missing"
            }
            Self::PaymentTaken | Self::PaymentDisputed => {
                "compare the transaction with the bank's and the provider's statements, and stop the order that was not paid"
            }
            Self::PaymentReceipts => {
                "the receipts are the truth: compare them with the bank's statement before anything is moved"
            }
            Self::PaymentSurplus => "give the money back to the payer by hand",
            Self::PaymentOpen => "ask the payment provider by the key what became of it",
            Self::PaymentVouched => {
                "look the payment up at the provider; the server asks it again, and `orders retry` has it asked at once"
            }
            Self::RefundByHand => "look for the transaction in the books of whoever made it",
            Self::PaymentBalance => {
                "look the payment up at the provider; settle the difference there, and note it with the order"
            }
            Self::ReservationKnown | Self::ReservationLeft | Self::StockReserved => {
                "the reservations are the truth: no order is wrongly refused once stock.reserved is their sum"
            }
            Self::StockAdjusted => {
                "the adjustments are the truth: find out who changed the stock's row, count the shelf, and restore the row from a backup"
            }
            Self::StockBooks | Self::StockShipped | Self::StockSupplied => {
                "count the shelf, and set what is there with `orders stock set`"
            }
            Self::ShipmentKnown => {
                "ask the carrier for the shipment id, and tell the customer what is true"
            }
            Self::MessageMissing => "tell the people concerned by hand",
            Self::MessageExtra => "find out who wrote the row; nothing of this program does",
            Self::MessageFailed => {
                "tell the people concerned by hand; the address or the mail server refused it for good"
            }
            Self::RequestMissing => "do not send the request again: it was done",
            Self::RequestTarget => "restore what the request points to from a backup",
            Self::SupplierTwice => "cancel one of the two at the supplier",
            Self::SupplierLate => "see whether `orders serve` runs, and ask the supplier",
            Self::LogHeld => {
                "end that transaction, or its session with pg_terminate_backend(), and set idle_in_transaction_session_timeout for its user"
            }
            Self::Stray => "restore what the row belongs to from a backup",
        }
    }
}

impl Finding {
    /// About an order.
    pub fn of_order(check: Check, order_id: &str, wrong: String) -> Finding {
        Finding {
            order_id: Some(order_id.to_owned()),
            ..Finding::about(check, wrong)
        }
    }

    /// About a sku.
    pub fn of_sku(check: Check, sku: &str, wrong: String) -> Finding {
        Finding {
            sku: Some(sku.to_owned()),
            ..Finding::about(check, wrong)
        }
    }

    /// About something else, which the words name.
    pub fn about(check: Check, wrong: String) -> Finding {
        Finding {
            severity: check.severity(),
            check: check.as_str(),
            order_id: None,
            sku: None,
            wrong,
            advice: check.advice(),
        }
    }
}

/// What is found wrong with one order.
pub(super) struct Findings<'a> {
    order_id: &'a str,
    pub(super) list: Vec<Finding>,
}

impl<'a> Findings<'a> {
    pub(super) fn of_order(order_id: &'a str) -> Self {
        let list = Vec::new();
        Self { order_id, list }
    }

    pub(super) fn add(&mut self, check: Check, wrong: String) {
        self.list
            .push(Finding::of_order(check, self.order_id, wrong));
    }

    /// Says each field that is not as expected: its name, what it is, what it should be.
    pub(super) fn compare(&mut self, check: Check, fields: &[(&str, String, String)]) {
        for (name, is, should) in fields {
            if is != should {
                self.add(check, format!("{name} is {is}, should be {should}"));
            }
        }
    }
}

/// How often each check found something.
pub type Tally = BTreeMap<&'static str, u64>;
