//! An error as its caller gets it: a status with details.

use super::{
    DOMAIN, Error,
    size::{add_violations, fitting, invalid_message, shortened},
};
use orders_domain::command::CommandKind;
use std::{collections::HashMap, ops::RangeInclusive, time::Duration};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// How long a caller should wait before it sends the same again. Each caller is given a little more or less,
/// or all those that were refused in one moment would come back in one moment.
const RETRY_DELAY: RangeInclusive<Duration> =
    Duration::from_millis(750)..=Duration::from_millis(1250);

impl Error {
    /// The status for the caller of `request_id`.
    pub fn into_status(self, request_id: &str) -> Status {
        let (code, reason) = (self.code(), self.reason());
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, DOMAIN, self.metadata());
        if !request_id.is_empty() {
            details.set_request_info(shortened(request_id), "");
        }
        let delay = self.retry_delay();
        if let Some(delay) = delay {
            details.set_retry_info(Some(delay));
        }
        self.add_details(&mut details);
        let message = match &self {
            Self::Invalid(violations) => invalid_message(violations),
            other => other.to_string(),
        };
        let message = fitting(message);
        match &self {
            Self::Internal(cause) => tracing::error!(request_id, cause, "internal error"),
            Self::Temporal(cause) => tracing::warn!(request_id, cause, "temporal unavailable"),
            Self::Database(cause) => tracing::warn!(request_id, %cause, "database unavailable"),
            _ => {}
        }
        let mut status = Status::with_error_details(code, message, details);
        if let Some(delay) = self.pushback(delay).and_then(|delay| delay.parse().ok()) {
            status
                .metadata_mut()
                .insert("grpc-retry-pushback-ms", delay);
        }
        status
    }

    /// After what time the same may succeed; none where it would not.
    fn retry_delay(&self) -> Option<Duration> {
        let is_retried = matches!(self.code(), Code::Unavailable | Code::ResourceExhausted);
        if !is_retried || self.is_never_right() {
            return None;
        }
        let [least, most] = [RETRY_DELAY.start(), RETRY_DELAY.end()].map(Duration::as_millis);
        let jitter = fastrand::u64(0..=(most - least) as u64);
        Some(*RETRY_DELAY.start() + Duration::from_millis(jitter))
    }

    /// Whether the same is refused again, although its code alone would be retried.
    fn is_never_right(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::HeadersTooLarge { .. })
    }

    /// The value for gRPC's own retries: when to send the same again, in milliseconds, or never.
    fn pushback(&self, delay: Option<Duration>) -> Option<String> {
        if self.is_never_right() {
            return Some("-1".to_owned());
        }
        delay.map(|delay| delay.as_millis().to_string())
    }

    fn metadata(&self) -> HashMap<String, String> {
        let pairs: Vec<(&str, String)> = match self {
            Self::NotAllowed {
                order_id,
                command,
                state,
                allowed,
                why: _,
            } => vec![
                ("order_id", order_id.clone()),
                ("command", format!("COMMAND_{command}")),
                ("state", format!("ORDER_STATE_{state}")),
                ("allowed_commands", allowed_commands(allowed)),
            ],
            Self::Moved {
                order_id,
                expected,
                actual,
            } => vec![
                ("order_id", order_id.clone()),
                ("expected_revision", expected.to_string()),
                ("revision", actual.to_string()),
            ],
            Self::Closed { order_id, state } => vec![
                ("order_id", order_id.clone()),
                ("state", format!("ORDER_STATE_{state}")),
                ("allowed_commands", String::new()),
            ],
            Self::PaymentKnown { order_id, step, .. } => {
                vec![("order_id", order_id.clone()), ("step", step.to_string())]
            }
            Self::TransactionExists {
                order_id,
                transaction_id,
                ..
            } => vec![
                ("order_id", order_id.clone()),
                ("transaction_id", transaction_id.clone()),
            ],
            Self::WrongCurrency {
                order_id, currency, ..
            } => vec![
                ("order_id", order_id.clone()),
                ("currency_code", currency.clone()),
            ],
            Self::StockReserved { sku, reserved, .. } => {
                vec![("sku", sku.clone()), ("reserved", reserved.to_string())]
            }
            Self::StockOutOfRange { sku, .. } => vec![("sku", sku.clone())],
            Self::StockMoved {
                sku,
                expected,
                actual,
            } => vec![
                ("sku", sku.clone()),
                ("expected_revision", expected.to_string()),
                ("revision", actual.to_string()),
            ],
            _ => Vec::new(),
        };
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }

    fn add_details(&self, details: &mut ErrorDetails) {
        let description = fitting(self.to_string());
        match self {
            Self::Invalid(violations) => {
                add_violations(details, violations);
            }
            Self::NoOrder(id) | Self::OrderExists(id) => {
                details.set_resource_info("orders.v1.Order", id, "", description);
            }
            Self::NoStockItem(sku) => {
                details.set_resource_info("orders.v1.StockItem", sku, "", description);
            }
            Self::RequestReused(id) => {
                details.set_resource_info("request_id", id, "", description);
            }
            Self::PaymentExists(id) => {
                details.set_resource_info("payment_id", id, "", description);
            }
            Self::NotAllowed { order_id, .. } | Self::Closed { order_id, .. } => {
                let subject = format!("orders/{order_id}");
                details.add_precondition_failure_violation("ORDER_STATE", subject, description);
            }
            Self::TokenOfAnother => {
                let subject = "payment_method.token";
                details.add_precondition_failure_violation("PAYMENT_TOKEN", subject, description);
            }
            Self::TransactionExists { transaction_id, .. } => {
                details.set_resource_info("transaction_id", transaction_id, "", description);
            }
            Self::PaymentKnown { order_id, .. } | Self::WrongCurrency { order_id, .. } => {
                let subject = format!("orders/{order_id}");
                details.add_precondition_failure_violation("PAYMENT", subject, description);
            }
            Self::StockReserved { sku, .. } | Self::StockOutOfRange { sku, .. } => {
                let subject = format!("stock/{sku}");
                details.add_precondition_failure_violation("STOCK", subject, description);
            }
            Self::TooLarge { .. } => {
                details.add_quota_failure_violation("max_request_bytes", description);
            }
            Self::HeadersTooLarge { .. } => {
                details.add_quota_failure_violation("max_header_bytes", description);
            }
            // The request as a whole.
            Self::Malformed(_) => {
                details.add_bad_request_violation("", description);
            }
            Self::UnknownMethod(_) | Self::Encoding(_) | Self::Origin(_) => {}
            Self::Database(_)
            | Self::Temporal(_)
            | Self::Busy(_)
            | Self::TooManySignals { .. }
            | Self::Overloaded { .. }
            | Self::TooManyWatches { .. }
            | Self::Stopping(_) => {}
            Self::Moved { .. }
            | Self::StockMoved { .. }
            | Self::Late
            | Self::TooSlow { .. }
            | Self::WatchLate(_)
            | Self::Internal(_) => {}
        }
    }
}

fn allowed_commands(allowed: &[CommandKind]) -> String {
    let names = allowed.iter().map(|kind| format!("COMMAND_{kind}"));
    names.collect::<Vec<_>>().join(",")
}
