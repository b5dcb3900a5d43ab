use super::{super::place_order::samples, *};
use orders_domain::{
    effect::Effect,
    event::{Change, Event},
    order::ONLY_FULFILLMENT,
    payment_method::PaymentMethodType,
    phase,
    state::{DeadlineKind, ReviewDecision},
    step::{CompensationOutcome, Step},
};
use prost_types::Duration;

fn at(seconds: i64) -> Timestamp {
    samples::now() + jiff::SignedDuration::from_secs(seconds)
}

fn stored(order: Order) -> StoredOrder {
    StoredOrder {
        order,
        run_id: None,
        workflow_started: false,
    }
}

fn after(mut order: Order, changes: impl IntoIterator<Item = Change>) -> Order {
    for change in changes {
        order.apply(&Event {
            revision: order.revision + 1,
            time: at(order.revision),
            actor: String::new(),
            request_id: None,
            change,
        });
    }
    order
}

fn show(order: &Order) -> v1::Order {
    super::order(&stored(order.clone()), at(100), None)
}

fn failed(step: Step) -> Change {
    Change::AttemptFailed {
        effect: Effect::first(step),
        attempt: 1,
        error: "no answer".to_owned(),
        unknown: false,
        refused: false,
    }
}

#[test]
fn a_placed_order_shows_what_was_asked_for() {
    let request = samples::place_order();
    let shown = show(&samples::order("standard"));
    assert_eq!(shown.order_id, request.order_id);
    assert_eq!(shown.customer_id, request.customer_id);
    assert_eq!(shown.policy, "standard");
    assert_eq!(shown.line_items, request.line_items);
    assert_eq!(shown.total, Some(samples::usd(44_98)));
    assert_eq!(shown.shipping_address, request.shipping_address);
    assert_eq!(shown.state(), v1::OrderState::Placed);
    assert_eq!(shown.close_reason(), v1::CloseReason::Unspecified);
    assert_eq!(shown.revision, 1);
    assert_eq!(shown.place_time, Some(timestamp(samples::now())));
    assert_eq!(shown.place_time, shown.update_time);
    assert_eq!(shown.close_time, None);
    assert_eq!(shown.workflow_id, "order/order-1");
    assert_eq!((shown.run_id.as_str(), shown.ui_url.as_str()), ("", ""));
    assert_eq!(shown.release_time, None);
    assert_eq!((shown.attention, shown.deadline), (None, None));
    let payment = shown.payment.unwrap();
    assert_eq!(payment.state(), v1::PaymentState::None);
    assert_eq!(payment.payment_id, "payment-1");
    let given = request.payment_method.unwrap();
    assert!(!given.token.is_empty());
    let without_token = v1::PaymentMethod {
        token: String::new(),
        ..given
    };
    assert_eq!(payment.method, Some(without_token));
    assert_eq!(payment.authorized_amount, None);
    assert_eq!(
        shown.reservation.unwrap().state(),
        v1::ReservationState::None
    );
    let commands: Vec<v1::Command> = shown
        .allowed_commands
        .iter()
        .map(|number| v1::Command::try_from(*number).unwrap())
        .collect();
    let expected = [v1::Command::UpdateShippingAddress, v1::Command::CancelOrder];
    assert_eq!(commands, expected);
    let pre_order = show(&samples::order("pre-order"));
    assert_eq!(pre_order.release_time, Some(timestamp(samples::now())));
}

#[test]
fn a_deadline_counts_down_to_zero() {
    let expire_time = at(160);
    let order = after(
        samples::order("external-payment"),
        [Change::PaymentRequested { expire_time }],
    );
    let remaining = |now| {
        super::order(&stored(order.clone()), now, None)
            .deadline
            .unwrap()
    };
    let shown = remaining(at(100));
    assert_eq!(shown.kind(), v1::DeadlineKind::Payment);
    assert_eq!(shown.expire_time, Some(timestamp(expire_time)));
    let minute = Duration {
        seconds: 60,
        nanos: 0,
    };
    assert_eq!(shown.remaining, Some(minute));
    assert_eq!(remaining(at(161)).remaining, Some(Duration::default()));
}

#[test]
fn a_fault_shows_as_retry_unless_the_order_waits_for_something() {
    let order = after(samples::order("standard"), [failed(Step::Screen)]);
    let retry_time = order.faults[0].retry_time;
    let shown = show(&order).deadline.unwrap();
    assert_eq!(shown.kind(), v1::DeadlineKind::Retry);
    assert_eq!(shown.expire_time, Some(timestamp(retry_time)));
    let mut both = order;
    let delivery = Deadline {
        kind: DeadlineKind::Delivery,
        subject: ONLY_FULFILLMENT,
        expire_time: at(500),
    };
    both.deadlines.push(delivery);
    assert_eq!(
        show(&both).deadline.unwrap().kind(),
        v1::DeadlineKind::Delivery
    );
}

#[test]
fn attention_is_asked_for_after_as_many_failures_as_the_policy_tolerates() {
    let mut order = samples::order("standard");
    order.policy.retry.max_attempts = 0;
    let tolerated = order.policy.attention_after as usize;
    let order = after(order, vec![failed(Step::Screen); tolerated - 1]);
    assert_eq!(show(&order).attention, None);
    let order = after(order, [failed(Step::Screen)]);
    let attention = show(&order).attention.unwrap();
    assert_eq!(attention.step(), v1::Step::Screen);
    assert_eq!(attention.attempts, tolerated as i64);
    assert_eq!(attention.last_error, "no answer");
    assert_eq!(attention.since, Some(timestamp(at(1))));
}

/// `approval`, placed above the threshold: reserved, charged, rejected.
fn rejected() -> Order {
    after(
        samples::order("approval"),
        [
            Change::InventoryReserved {
                effect: Effect::first(Step::ReserveInventory),
                reservation_id: "res-1".to_owned(),
            },
            Change::PaymentCaptured {
                effect: Effect::first(Step::ChargePayment),
                transaction_id: "tx-1".to_owned(),
                amount: 44_98,
            },
            Change::Reviewed {
                decision: ReviewDecision::Reject,
                reviewer: "bob".to_owned(),
                reason: "too much".to_owned(),
            },
        ],
    )
}

fn undone(step: Step, amount: i64) -> Change {
    Change::Compensated {
        effect: Effect::first(step),
        outcome: CompensationOutcome::Done,
        amount,
    }
}

#[test]
fn what_is_undone_shows_and_the_reason_only_when_closed() {
    let undoing = after(rejected(), [undone(Step::RefundPayment, 44_98)]);
    let shown = show(&undoing);
    assert_eq!(shown.state(), v1::OrderState::Cancelling);
    assert_eq!(shown.close_reason(), v1::CloseReason::Unspecified);
    let approval = shown.approval.unwrap();
    assert_eq!(approval.decision(), v1::ReviewDecision::Reject);
    assert_eq!(
        (approval.reviewer.as_str(), approval.reason.as_str()),
        ("bob", "too much")
    );
    let [refund, release] = shown.compensations.as_slice() else {
        panic!("two compensations: {:?}", shown.compensations);
    };
    assert_eq!(refund.step(), v1::CompensationStep::RefundPayment);
    assert_eq!(refund.outcome(), v1::CompensationOutcome::Done);
    assert_eq!(
        (refund.resource.as_str(), refund.attempts),
        ("payment-1", 1)
    );
    assert!(refund.time.is_some());
    assert_eq!(release.step(), v1::CompensationStep::ReleaseReservation);
    assert_eq!(release.outcome(), v1::CompensationOutcome::Pending);
    assert_eq!((release.resource.as_str(), release.attempts), ("res-1", 0));
    let payment = shown.payment.unwrap();
    assert_eq!(payment.authorized_amount, Some(samples::usd(44_98)));
    assert_eq!(payment.captured_amount, Some(samples::usd(44_98)));
    assert_eq!(payment.refunded_amount, Some(samples::usd(44_98)));
    assert_eq!(payment.state(), v1::PaymentState::Refunded);
    let undoing = after(undoing, [undone(Step::ReleaseReservation, 0)]);
    let Some(closed) = phase::todo(&undoing, at(50)).record else {
        panic!("it closes");
    };
    let shown = show(&after(undoing, [closed]));
    assert_eq!(shown.state(), v1::OrderState::Rejected);
    assert_eq!(shown.close_reason(), v1::CloseReason::ApprovalRejected);
    assert!(shown.close_time.is_some());
    assert!(shown.allowed_commands.is_empty());
}

#[test]
fn the_parcel_and_an_unsaid_payment_method_show() {
    let mut order = samples::order("standard");
    order.payment_method.as_mut().unwrap().kind = PaymentMethodType::Unspecified;
    let shipped = Change::Shipped {
        effect: Effect::first(Step::DispatchShipment),
        shipment_id: "ship-1".to_owned(),
        carrier: "post".to_owned(),
        tracking_number: "T1".to_owned(),
        estimated_delivery_time: at(900),
    };
    let shown = show(&after(order, [shipped]));
    let shipment = shown.shipment.unwrap();
    assert_eq!(shipment.state(), v1::ShipmentState::InTransit);
    assert_eq!(shipment.shipment_id, "ship-1");
    assert_eq!(shipment.carrier, "post");
    assert_eq!(shipment.tracking_number, "T1");
    assert_eq!(shipment.estimated_delivery_time, Some(timestamp(at(900))));
    assert_eq!(shipment.ship_time, Some(timestamp(at(1))));
    assert_eq!(shipment.delivery_time, None);
    assert_eq!(shown.deadline.unwrap().kind(), v1::DeadlineKind::Delivery);
    let method = shown.payment.unwrap().method.unwrap();
    assert_eq!(method.r#type(), v1::PaymentMethodType::Unspecified);
}

#[test]
fn the_link_names_the_workflow_and_the_run() {
    let mut stored = stored(samples::order("standard"));
    let ui = UiLinks {
        base_url: "http://localhost:8233/".to_owned(),
        namespace: "my space".to_owned(),
    };
    let shown = super::order(&stored, at(0), Some(&ui));
    let expected = "http://localhost:8233/namespaces/my%20space/workflows/order%2Forder-1";
    assert_eq!(shown.ui_url, expected);
    stored.run_id = Some("run-1".to_owned());
    let shown = super::order(&stored, at(0), Some(&ui));
    assert_eq!(shown.ui_url, format!("{expected}/run-1/history"));
    assert_eq!(shown.run_id, "run-1");
    assert_eq!(super::order(&stored, at(0), None).ui_url, "");
    assert_eq!(
        percent_encoded("aZ09-._~/ä?#").to_string(),
        "aZ09-._~%2F%C3%A4%3F%23"
    );
}
