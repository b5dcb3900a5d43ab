//! Enums, value by value. A value that one side has and the other has not does not build, or is
//! found by the tests.

use orders::v1;
use orders_domain::{
    attention::CauseKind,
    command::{CommandKind, PaymentOutcome},
    explain::WaitsFor,
    payment_method::PaymentMethodType,
    policy::{CancelCutoff, DeliveryMode, PaymentMode, SecureOrder, ShippingMode},
    state::{
        CloseReason, DeadlineKind, OrderState, PaymentState, ReservationState, ReviewDecision,
        ShipmentState, VouchState,
    },
    step::{CompensationOutcome, Step},
};

/// A function from a domain enum to its message enum, of variants with the same names.
macro_rules! to_proto {
    ($name:ident: $domain:ident => $proto:ident { $($variant:ident),+ $(,)? }) => {
        #[doc = concat!("[`", stringify!($domain), "`] as a message's enum.")]
        pub(super) fn $name(value: $domain) -> v1::$proto {
            match value {
                $($domain::$variant => v1::$proto::$variant,)+
            }
        }
    };
}

to_proto!(order_state: OrderState => OrderState {
    Placed, AwaitingPayment, AwaitingApproval, AwaitingRelease, InFulfillment, InTransit,
    Completed, Cancelling, Cancelled, Rejected,
});
to_proto!(payment_state: PaymentState => PaymentState {
    None, Pending, Authorized, Captured, Voided, Refunding, Refunded, Declined, Indeterminate,
});
to_proto!(reservation_state: ReservationState => ReservationState {
    None, Reserved, Committed, Released, Unavailable,
});
to_proto!(shipment_state: ShipmentState => ShipmentState {
    None, Requested, PickedUp, InTransit, Delivered, Cancelled,
});
to_proto!(close_reason: CloseReason => CloseReason {
    Completed, Fraud, PaymentDeclined, PaymentFailed, OutOfStock, ApprovalRejected,
    ApprovalTimeout, CustomerCancelled, PaymentTimeout, ReleaseDeadlinePassed, FulfillmentFailed,
});
to_proto!(deadline_kind: DeadlineKind => DeadlineKind {
    Payment, Approval, Release, PickupReminder, Delivery,
});
to_proto!(review_decision: ReviewDecision => ReviewDecision { Approve, Reject });
to_proto!(command: CommandKind => Command {
    ConfirmPayment, ReviewOrder, StartFulfillment, ConfirmPickup, ConfirmDelivery,
    UpdateShippingAddress, CancelOrder, RetryOrder, ResolvePayment,
});
to_proto!(waits_for: WaitsFor => WaitsFor {
    Nothing, Command, Provider, Retry, Operator, Workflow,
});
to_proto!(cause_kind: CauseKind => AttentionReasonType {
    StepFailing, PaymentIndeterminate, RefundByHand, PaymentVouched, PaymentUnmatched, NoWorkflow,
    WorkflowFailing, Overdue,
});
to_proto!(payment_outcome: PaymentOutcome => PaymentOutcome { Succeeded, NotHappened });
to_proto!(vouch_state: VouchState => VouchState { Unconfirmed, Confirmed, Contradicted, ByHand });
to_proto!(step: Step => Step {
    Screen, ReserveInventory, AuthorizePayment, CapturePayment, ChargePayment, PreparePackage,
    RequestPickup, RedirectShipment, DispatchShipment, CommitReservation, CancelShipment, RefundPayment,
    VoidAuthorization, ReleaseReservation,
});
to_proto!(compensation_outcome: CompensationOutcome => CompensationOutcome {
    Pending, Done, NotNeeded,
});
to_proto!(secure_order: SecureOrder => SecureOrder {
    ReserveThenPay, PayThenReserve, PayOnly,
});
to_proto!(payment_mode: PaymentMode => PaymentMode { Sale, AuthorizeCapture, External });
to_proto!(shipping_mode: ShippingMode => ShippingMode { Inline, Lane });
to_proto!(delivery_mode: DeliveryMode => DeliveryMode { Confirm, AutoAfter, OnShip });
to_proto!(cancel_cutoff: CancelCutoff => CancelCutoff { Fulfillment, Dispatch });
to_proto!(payment_method_type: PaymentMethodType => PaymentMethodType {
    Unspecified, CreditCard, DebitCard, Paypal, BankTransfer,
});

/// The undoing steps as the steps of a compensation; unspecified for the forward ones, which undo
/// nothing.
pub(super) fn compensation_step(step: Step) -> v1::CompensationStep {
    match step {
        Step::ReleaseReservation => v1::CompensationStep::ReleaseReservation,
        Step::RefundPayment => v1::CompensationStep::RefundPayment,
        Step::VoidAuthorization => v1::CompensationStep::VoidAuthorization,
        Step::CancelShipment => v1::CompensationStep::CancelShipment,
        Step::Screen
        | Step::ReserveInventory
        | Step::AuthorizePayment
        | Step::CapturePayment
        | Step::ChargePayment
        | Step::PreparePackage
        | Step::RequestPickup
        | Step::RedirectShipment
        | Step::DispatchShipment
        | Step::CommitReservation => v1::CompensationStep::Unspecified,
    }
}

/// The state of that name, as in `ORDER_STATE_PLACED`; none for an unknown one and for
/// UNSPECIFIED.
pub(super) fn parse_order_state(name: &str) -> Option<OrderState> {
    let mut all = OrderState::ALL.iter().copied();
    all.find(|state| order_state(*state).as_str_name() == name)
}

/// The decision of that number; none for an unknown one and for UNSPECIFIED.
pub(super) fn parse_review_decision(number: i32) -> Option<ReviewDecision> {
    match v1::ReviewDecision::try_from(number).ok()? {
        v1::ReviewDecision::Unspecified => None,
        v1::ReviewDecision::Approve => Some(ReviewDecision::Approve),
        v1::ReviewDecision::Reject => Some(ReviewDecision::Reject),
    }
}

/// The type of that number; none for an unknown one.
pub(super) fn parse_payment_method_type(number: i32) -> Option<PaymentMethodType> {
    Some(match v1::PaymentMethodType::try_from(number).ok()? {
        v1::PaymentMethodType::Unspecified => PaymentMethodType::Unspecified,
        v1::PaymentMethodType::CreditCard => PaymentMethodType::CreditCard,
        v1::PaymentMethodType::DebitCard => PaymentMethodType::DebitCard,
        v1::PaymentMethodType::Paypal => PaymentMethodType::Paypal,
        v1::PaymentMethodType::BankTransfer => PaymentMethodType::BankTransfer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every domain value has a proto value of the same name, and every proto value but
    /// UNSPECIFIED and those named is one of them.
    macro_rules! same_names {
        ($prefix:literal, $domain:ident, $proto:ident, $to_proto:ident, beside $beside:expr) => {
            let names: Vec<&str> = (0..100)
                .filter_map(|number| v1::$proto::try_from(number).ok())
                .map(|value| value.as_str_name())
                .collect();
            let mut expected = vec![format!("{}_UNSPECIFIED", $prefix)];
            for value in $domain::ALL {
                let name = format!("{}_{}", $prefix, value.as_str());
                assert_eq!($to_proto(*value).as_str_name(), name);
                assert_eq!(v1::$proto::from_str_name(&name), Some($to_proto(*value)));
                expected.push(name);
            }
            let beside: &[&str] = &$beside;
            expected.extend(beside.iter().map(|name| name.to_string()));
            let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            names.sort();
            expected.sort();
            assert_eq!(names, expected);
        };
    }

    #[test]
    fn both_sides_have_the_same_values() {
        same_names!("ORDER_STATE", OrderState, OrderState, order_state, beside []);
        same_names!("PAYMENT_STATE", PaymentState, PaymentState, payment_state, beside []);
        same_names!(
            "RESERVATION_STATE", ReservationState, ReservationState, reservation_state, beside []
        );
        same_names!("SHIPMENT_STATE", ShipmentState, ShipmentState, shipment_state, beside []);
        same_names!("CLOSE_REASON", CloseReason, CloseReason, close_reason, beside []);
        same_names!(
            "DEADLINE_KIND",
            DeadlineKind,
            DeadlineKind,
            deadline_kind,
            beside["DEADLINE_KIND_RETRY"]
        );
        same_names!(
            "REVIEW_DECISION", ReviewDecision, ReviewDecision, review_decision, beside []
        );
        same_names!("COMMAND", CommandKind, Command, command, beside []);
        same_names!("WAITS_FOR", WaitsFor, WaitsFor, waits_for, beside []);
        same_names!(
            "ATTENTION_REASON_TYPE", CauseKind, AttentionReasonType, cause_kind, beside []
        );
        same_names!("VOUCH_STATE", VouchState, VouchState, vouch_state, beside []);
        same_names!(
            "PAYMENT_OUTCOME", PaymentOutcome, PaymentOutcome, payment_outcome, beside []
        );
        same_names!(
            "COMPENSATION_OUTCOME", CompensationOutcome, CompensationOutcome,
            compensation_outcome, beside []
        );
        same_names!("SECURE_ORDER", SecureOrder, SecureOrder, secure_order, beside []);
        same_names!("PAYMENT_MODE", PaymentMode, PaymentMode, payment_mode, beside []);
        same_names!("DELIVERY_MODE", DeliveryMode, DeliveryMode, delivery_mode, beside []);
        same_names!("CANCEL_CUTOFF", CancelCutoff, CancelCutoff, cancel_cutoff, beside []);
    }

    #[test]
    fn every_step_has_its_own_value_and_every_undoing_one_two() {
        let mut steps: Vec<i32> = Step::ALL.iter().map(|value| step(*value).into()).collect();
        steps.sort_unstable();
        let all: Vec<i32> = (1..100)
            .filter(|n| v1::Step::try_from(*n).is_ok())
            .collect();
        assert_eq!(steps, all);
        for value in Step::ALL {
            let name = step(*value).as_str_name().replace("STEP_", "");
            // The activity of the fraud check has a longer name.
            if *value != Step::Screen {
                assert_eq!(name.to_lowercase(), value.as_str());
            }
            let undoing = compensation_step(*value).as_str_name();
            let expected = match value.is_compensation() {
                true => format!("COMPENSATION_STEP_{name}"),
                false => "COMPENSATION_STEP_UNSPECIFIED".to_owned(),
            };
            assert_eq!(undoing, expected);
        }
    }

    #[test]
    fn what_requests_bring_goes_both_ways() {
        for state in OrderState::ALL {
            let name = order_state(*state).as_str_name();
            assert_eq!(parse_order_state(name), Some(*state));
        }
        for name in [
            "",
            "PLACED",
            "order_state_placed",
            "ORDER_STATE_UNSPECIFIED",
        ] {
            assert_eq!(parse_order_state(name), None, "{name}");
        }
        for decision in ReviewDecision::ALL {
            let number = review_decision(*decision).into();
            assert_eq!(parse_review_decision(number), Some(*decision));
        }
        for number in [0, 3, -1, i32::MAX] {
            assert_eq!(parse_review_decision(number), None, "{number}");
        }
        for number in 0..5 {
            let kind = parse_payment_method_type(number).unwrap();
            assert_eq!(i32::from(payment_method_type(kind)), number);
        }
        assert_eq!(parse_payment_method_type(5), None);
    }
}
