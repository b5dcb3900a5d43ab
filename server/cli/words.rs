//! Names of the API as people read and write them.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use orders::v1;
use tonic::Code;

/// Functions from an enum to the name of its value without the name of the enum.
macro_rules! words {
    ($($name:ident: $type:ident $prefix:literal;)+) => {
        $(
            #[doc = concat!("The name of a value of `", stringify!($type), "`.")]
            pub fn $name(value: v1::$type) -> &'static str {
                let name = value.as_str_name();
                name.strip_prefix($prefix).unwrap_or(name)
            }
        )+
    };
}

words! {
    state: OrderState "ORDER_STATE_";
    close_reason: CloseReason "CLOSE_REASON_";
    payment_state: PaymentState "PAYMENT_STATE_";
    reservation_state: ReservationState "RESERVATION_STATE_";
    shipment_state: ShipmentState "SHIPMENT_STATE_";
    deadline_kind: DeadlineKind "DEADLINE_KIND_";
    decision: ReviewDecision "REVIEW_DECISION_";
    compensation_step: CompensationStep "COMPENSATION_STEP_";
    outcome: CompensationOutcome "COMPENSATION_OUTCOME_";
    event_type: OrderEventType "ORDER_EVENT_TYPE_";
    supplier_order_state: SupplierOrderState "SUPPLIER_ORDER_STATE_";
    method_type: PaymentMethodType "PAYMENT_METHOD_TYPE_";
    step: Step "STEP_";
    waits_for: WaitsFor "WAITS_FOR_";
    attention_reason: AttentionReasonType "ATTENTION_REASON_TYPE_";
    payment_outcome: PaymentOutcome "PAYMENT_OUTCOME_";
    vouch_state: VouchState "VOUCH_STATE_";
}

/// A name in small letters with a separator: `charge_payment`, `credit card`.
pub fn small(name: &str, separator: &str) -> String {
    name.to_lowercase().replace('_', separator)
}

/// The name of a state as the server's errors have it, without the name of the enum.
pub fn plain_state(name: &str) -> &str {
    name.strip_prefix("ORDER_STATE_").unwrap_or(name)
}

/// The command of this client that does it.
pub fn command(command: v1::Command) -> &'static str {
    match command {
        v1::Command::Unspecified => "?",
        v1::Command::ConfirmPayment => "confirm-payment",
        v1::Command::ReviewOrder => "review",
        v1::Command::StartFulfillment => "start-fulfillment",
        v1::Command::ConfirmPickup => "confirm-pickup",
        v1::Command::ConfirmDelivery => "confirm-delivery",
        v1::Command::UpdateShippingAddress => "update-address",
        v1::Command::CancelOrder => "cancel",
        v1::Command::RetryOrder => "retry",
        v1::Command::ResolvePayment => "resolve-payment",
    }
}

/// The commands of this client for a list of names as the server's errors have it.
pub fn command_list(names: &str) -> String {
    let commands = names
        .split(',')
        .map(|name| v1::Command::from_str_name(name).map_or(name, |known| command(known)));
    commands.collect::<Vec<_>>().join(", ")
}

/// The states that an order can be in.
pub fn states() -> impl Iterator<Item = v1::OrderState> {
    (1..).map_while(|number| v1::OrderState::try_from(number).ok())
}

/// Reads a state by its name: `AWAITING_RELEASE`, in large or small letters.
pub fn state_parser() -> impl TypedValueParser<Value = v1::OrderState> {
    PossibleValuesParser::new(states().map(state)).try_map(|name| {
        // Matched in any case, the name comes as it was typed.
        let found = states().find(|value| state(*value).eq_ignore_ascii_case(&name));
        found.ok_or_else(|| format!("{name} is not a state"))
    })
}

/// The name of a status code, as in `google.rpc.Code`.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short() {
        assert_eq!(state(v1::OrderState::AwaitingRelease), "AWAITING_RELEASE");
        assert_eq!(states().count(), 10);
        let names = "COMMAND_CANCEL_ORDER,COMMAND_REVIEW_ORDER,COMMAND_NEW";
        assert_eq!(command_list(names), "cancel, review, COMMAND_NEW");
        assert_eq!(small(step(v1::Step::ChargePayment), "_"), "charge_payment");
    }
}
