use super::{super::place_order::samples, *};
use orders_domain::{
    address::Address,
    command::{CommandKind, PaymentOutcome, Witness},
    event::{ACTOR_PROCESS, ACTOR_TEMPORAL},
    money::Money,
    payment_method::PaymentMethodType,
    state::{CloseReason, DeadlineKind, ReviewDecision},
    step::Step,
};

fn show(order: &Order, change: Change) -> v1::OrderEvent {
    let recorded = Event {
        revision: order.revision + 1,
        time: samples::now(),
        actor: ACTOR_PROCESS.to_owned(),
        request_id: None,
        change,
    };
    let mut order = order.clone();
    order.apply(&recorded);
    event(&order, &recorded)
}

fn why() -> String {
    "because".to_owned()
}

/// One of each change, with the step and the reason that it shows.
fn changes() -> Vec<(Change, Option<Step>, &'static str)> {
    let time = samples::now();
    let id = || "id".to_owned();
    vec![
        (
            Change::Placed {
                order: Box::new(samples::order("standard")),
            },
            None,
            "",
        ),
        (
            Change::Screened {
                effect: Effect::first(Step::Screen),
            },
            Some(Step::Screen),
            "",
        ),
        (
            Change::FraudDetected {
                effect: Effect::first(Step::Screen),
                reason: why(),
            },
            Some(Step::Screen),
            "because",
        ),
        (
            Change::InventoryReserved {
                effect: Effect::first(Step::ReserveInventory),
                reservation_id: id(),
            },
            Some(Step::ReserveInventory),
            "",
        ),
        (
            Change::OutOfStock {
                effect: Effect::first(Step::ReserveInventory),
                reason: why(),
            },
            Some(Step::ReserveInventory),
            "because",
        ),
        (Change::PaymentRequested { expire_time: time }, None, ""),
        (
            Change::PaymentConfirmed {
                transaction_id: id(),
                amount: Money::new("USD", 1),
                counted: 0,
                payment_method: PaymentMethodType::Paypal,
                last4: why(),
            },
            None,
            "0.01 USD arrived that the order does not ask for: it is due to the payer",
        ),
        (
            Change::PaymentRefused {
                transaction_id: id(),
                amount: Money::new("USD", 1),
                reason: why(),
                other_order_id: Some("other".to_owned()),
            },
            None,
            "0.01 USD is not counted as paid: because",
        ),
        (
            Change::PaymentDisputed {
                transaction_id: "txn-9".to_owned(),
                other_order_id: "other".to_owned(),
            },
            None,
            "the transaction txn-9 was confirmed by a caller and answered by the payment provider",
        ),
        (
            Change::PaymentInitiated {
                effect: Effect::first(Step::CapturePayment),
            },
            Some(Step::CapturePayment),
            "",
        ),
        (
            Change::PaymentAuthorized {
                effect: Effect::first(Step::AuthorizePayment),
                transaction_id: id(),
                amount: 1,
            },
            Some(Step::AuthorizePayment),
            "",
        ),
        (
            Change::PaymentCaptured {
                effect: Effect::first(Step::CapturePayment),
                transaction_id: id(),
                amount: 1,
            },
            Some(Step::CapturePayment),
            "",
        ),
        (
            Change::PaymentDeclined {
                effect: Effect::first(Step::AuthorizePayment),
                reason: why(),
            },
            Some(Step::AuthorizePayment),
            "because",
        ),
        (
            Change::AttemptFailed {
                effect: Effect::first(Step::Screen),
                attempt: 3,
                error: "no answer".to_owned(),
                unknown: false,
                refused: false,
            },
            Some(Step::Screen),
            "",
        ),
        (Change::ApprovalRequested { expire_time: time }, None, ""),
        (
            Change::Reviewed {
                decision: ReviewDecision::Approve,
                reviewer: id(),
                reason: why(),
            },
            None,
            "because",
        ),
        (Change::Held { expire_time: time }, None, ""),
        (Change::FulfillmentStarted, None, ""),
        (
            Change::PickupRequested {
                effect: Effect::first(Step::RequestPickup),
                shipment_id: id(),
                carrier: id(),
                tracking_number: id(),
            },
            Some(Step::RequestPickup),
            "",
        ),
        (
            Change::PackagePrepared {
                effect: Effect::first(Step::PreparePackage),
                shipment_id: id(),
                carrier: id(),
                tracking_number: id(),
            },
            Some(Step::PreparePackage),
            "",
        ),
        (Change::PickupReminded, None, ""),
        (
            Change::PickedUp {
                tracking_number: None,
                estimated_delivery_time: time,
            },
            None,
            "",
        ),
        (
            Change::Shipped {
                effect: Effect::first(Step::DispatchShipment),
                shipment_id: id(),
                carrier: id(),
                tracking_number: id(),
                estimated_delivery_time: time,
            },
            Some(Step::DispatchShipment),
            "",
        ),
        (
            Change::ReservationCommitted {
                effect: Effect::first(Step::CommitReservation),
            },
            Some(Step::CommitReservation),
            "",
        ),
        (
            Change::ShippingAddressUpdated {
                address: Address::default(),
            },
            None,
            "",
        ),
        (
            Change::ShipmentRedirected {
                effect: Effect::first(Step::RedirectShipment),
            },
            Some(Step::RedirectShipment),
            "",
        ),
        (Change::Delivered, None, ""),
        (Change::CancelRequested { reason: why() }, None, "because"),
        (
            Change::DeadlinePassed {
                kind: DeadlineKind::Approval,
            },
            None,
            "DEADLINE_KIND_APPROVAL",
        ),
        (
            Change::Compensated {
                effect: Effect::first(Step::RefundPayment),
                outcome: CompensationOutcome::NotNeeded,
                amount: 0,
            },
            Some(Step::RefundPayment),
            "there was nothing to undo",
        ),
        (
            Change::CommandRefused {
                command: CommandKind::CancelOrder.to_string(),
                reason: why(),
            },
            None,
            "CANCEL_ORDER: because",
        ),
        (Change::RetryRequested { reason: why() }, None, "because"),
        (
            Change::PaymentResolved {
                effect: Effect::first(Step::CapturePayment),
                outcome: PaymentOutcome::NotHappened,
                witness: Witness::Person,
                new_key: false,
                transaction_id: String::new(),
                amount: 0,
                evidence: "a statement".to_owned(),
                reason: why(),
            },
            Some(Step::CapturePayment),
            "vouched for: NOT_HAPPENED; evidence: a statement; because",
        ),
        (
            Change::PaymentVerified {
                effect: Effect::first(Step::CapturePayment),
                outcome: PaymentOutcome::Succeeded,
                transaction_id: "txn-1".to_owned(),
                amount: 0,
            },
            Some(Step::CapturePayment),
            "the provider says: SUCCEEDED as txn-1",
        ),
        (
            Change::Closed {
                reason: CloseReason::Fraud,
            },
            None,
            "CLOSE_REASON_FRAUD",
        ),
    ]
}

#[test]
fn every_change_shows_its_type_its_step_and_its_reason() {
    let order = samples::order("standard");
    let mut seen = Vec::new();
    for (change, step, reason) in changes() {
        let name = change.type_name();
        let shown = show(&order, change);
        assert_eq!(
            shown.r#type().as_str_name(),
            format!("ORDER_EVENT_TYPE_{name}")
        );
        let step = step.map_or(v1::Step::Unspecified, enums::step);
        assert_eq!(shown.step(), step, "{name}");
        assert_eq!(shown.reason, reason, "{name}");
        seen.push(shown.r#type);
    }
    seen.sort_unstable();
    let types = (1..100).filter(|number| OrderEventType::try_from(*number).is_ok());
    assert_eq!(seen, types.collect::<Vec<_>>());
}

#[test]
fn an_event_shows_who_and_when_and_the_states_after_it() {
    let order = samples::order("standard");
    let mut recorded = Event {
        revision: 2,
        time: samples::now(),
        actor: "alice".to_owned(),
        request_id: Some("request-2".to_owned()),
        change: Change::CancelRequested { reason: why() },
    };
    let mut order_after = order.clone();
    order_after.apply(&recorded);
    let shown = event(&order_after, &recorded);
    assert_eq!(shown.order_id, "order-1");
    assert_eq!(shown.revision, 2);
    assert_eq!(shown.time, Some(timestamp(samples::now())));
    assert_eq!(
        (shown.actor.as_str(), shown.request_id.as_str()),
        ("alice", "request-2")
    );
    assert_eq!(shown.order_state(), v1::OrderState::Cancelling);
    assert_eq!(shown.payment_state(), v1::PaymentState::None);
    assert_eq!(shown.reservation_state(), v1::ReservationState::None);
    assert_eq!(shown.shipment_state(), v1::ShipmentState::None);
    for (actor, expected) in [(ACTOR_TEMPORAL, "temporal"), (ACTOR_PROCESS, "orders")] {
        recorded.actor = actor.to_owned();
        assert_eq!(event(&order_after, &recorded).actor, expected);
    }
}

#[test]
fn a_failed_attempt_shows_its_number_its_error_and_whether_the_answer_was_lost() {
    let failed = |unknown| Change::AttemptFailed {
        effect: Effect::first(Step::AuthorizePayment),
        attempt: 2,
        error: "no answer".to_owned(),
        unknown,
        refused: false,
    };
    let order = samples::order("standard");
    let shown = show(&order, failed(true));
    assert_eq!((shown.attempt, shown.error.as_str()), (2, "no answer"));
    assert!(shown.reason.contains("unknown"));
    assert_eq!(shown.payment_state(), v1::PaymentState::Indeterminate);
    assert_eq!(show(&order, failed(false)).reason, "");
}

#[test]
fn a_refusal_names_the_command_once() {
    let reason = "CANCEL_ORDER is not allowed while the order is COMPLETED".to_owned();
    let command = "CANCEL_ORDER".to_owned();
    let refused = Change::CommandRefused {
        command,
        reason: reason.clone(),
    };
    assert_eq!(show(&samples::order("standard"), refused).reason, reason);
}

#[test]
fn a_declined_payment_names_the_step_that_was_declined() {
    let order = samples::order("standard");
    for (declined, shown) in [
        (Step::AuthorizePayment, v1::Step::AuthorizePayment),
        (Step::CapturePayment, v1::Step::CapturePayment),
        (Step::ChargePayment, v1::Step::ChargePayment),
    ] {
        let declined = Change::PaymentDeclined {
            effect: Effect::first(declined),
            reason: why(),
        };
        assert_eq!(show(&order, declined).step(), shown);
    }
}

#[test]
fn an_undone_step_shows_how_many_attempts_it_took() {
    let mut order = samples::order("standard");
    order.done.push(Effect::first(Step::ReserveInventory));
    let times = [
        Change::CancelRequested { reason: why() },
        Change::AttemptFailed {
            effect: Effect::first(Step::ReleaseReservation),
            attempt: 1,
            error: why(),
            unknown: false,
            refused: false,
        },
    ];
    for change in times {
        order.apply(&Event {
            revision: order.revision + 1,
            time: samples::now(),
            actor: String::new(),
            request_id: None,
            change,
        });
    }
    let undone = Change::Compensated {
        effect: Effect::first(Step::ReleaseReservation),
        outcome: CompensationOutcome::Done,
        amount: 0,
    };
    let shown = show(&order, undone);
    assert_eq!((shown.attempt, shown.reason.as_str()), (2, ""));
}
