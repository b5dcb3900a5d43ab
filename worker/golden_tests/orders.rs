//! Orders: in histories as the input of workflows and the answer of queries, and in the table `orders`.

use super::sample::{Sample, time};
use orders_domain::{
    address::Address,
    command::PaymentOutcome,
    effect::Effect,
    money::Money,
    order::{Approval, Deadline, Fault, LineItem, Order, Payment, Reservation, Shipment, Vouched},
    payment_method::{PaymentMethod, PaymentMethodType},
    policy::{
        CancelCutoff, DeliveryMode, Lane, PaymentMode, Policy, RetryPolicy, SecureOrder,
        ShippingMode,
    },
    received::Received,
    state::{
        CloseReason, DeadlineKind, OrderState, PaymentState, ReservationState, ReviewDecision,
        ShipmentState, VouchState,
    },
    step::{Compensation, CompensationOutcome, Step},
};
use std::time::Duration;

/// Of everything that orders are made of, full and nearly empty.
pub fn samples() -> Vec<Sample> {
    vec![
        Sample::new("policy-full", policy()),
        Sample::new("policy-least", least_policy()),
        Sample::new("order-new", new_order()),
        Sample::new("order-full", order()),
        // As in the table `shipments`.
        Sample::new("address", address()),
        // As queries answer.
        Sample::new("deadline", deadline()),
        Sample::new("compensation", compensation()),
    ]
}

/// With something in every field: a field that is added is added here, too.
pub fn order() -> Order {
    let charge = Effect::first(Step::ChargePayment);
    Order {
        order_id: "order-1".to_owned(),
        customer_id: "customer-1".to_owned(),
        policy: policy(),
        line_items: vec![line_item()],
        total: money(),
        shipping_address: address(),
        payment_method: Some(PaymentMethod {
            kind: PaymentMethodType::CreditCard,
            last4: "4242".to_owned(),
        }),
        release_time: Some(time(60)),
        state: OrderState::Cancelling,
        ending: Some(CloseReason::CustomerCancelled),
        cancel_reason: Some("changed my mind".to_owned()),
        screened: true,
        payment: Payment {
            state: PaymentState::Refunding,
            payment_id: "pay-order-1".to_owned(),
            transaction_id: Some("txn-1".to_owned()),
            authorized: 3998,
            captured: 3998,
            refunded: 1,
            capture_time: Some(time(2)),
            received: Received {
                count: 2,
                amount: 4998,
                surplus: 1000,
                questioned: 1,
                question: "txn-2 is in question".to_owned(),
                since: Some(time(3)),
            },
        },
        reservation: Reservation {
            state: ReservationState::Reserved,
            reservation_id: Some("res-1".to_owned()),
        },
        approval: Approval {
            required: true,
            decision: Some(ReviewDecision::Approve),
            reviewer: Some("admin@example.com".to_owned()),
            reason: Some("verified".to_owned()),
            time: Some(time(3)),
        },
        shipment: Shipment {
            state: ShipmentState::Requested,
            shipment_id: Some("ship-1".to_owned()),
            carrier: Some("carrier-1".to_owned()),
            tracking_number: Some("TRACK-1".to_owned()),
            estimated_delivery_time: Some(time(100)),
            ship_time: Some(time(50)),
            delivery_time: Some(time(90)),
            dispatched: true,
            reminders: 2,
            redirect_due: true,
            redirects: 1,
        },
        deadlines: vec![deadline()],
        faults: vec![Fault {
            effect: second(Step::RefundPayment),
            attempts: 2,
            last_error: "no answer".to_owned(),
            since: time(4),
            retry_time: time(6),
            unknown: true,
            refused: true,
        }],
        done: vec![Effect::first(Step::ReserveInventory), charge],
        unknown: vec![second(Step::RefundPayment)],
        in_flight: Some(Effect::first(Step::CapturePayment)),
        vouched: vec![Vouched {
            effect: charge,
            outcome: PaymentOutcome::Succeeded,
            transaction_id: "txn-1".to_owned(),
            actor: "grace".to_owned(),
            time: time(5),
            state: VouchState::Confirmed,
            confirmed_id: Some("txn-2".to_owned()),
        }],
        used_up: vec![charge],
        compensations: vec![compensation()],
        revision: 7,
        place_time: time(0),
        update_time: time(5),
        close_time: Some(time(7)),
    }
}

/// As it was placed, with nothing that may be missing.
pub fn new_order() -> Order {
    let full = order();
    Order {
        line_items: vec![LineItem {
            name: String::new(),
            ..line_item()
        }],
        payment_method: None,
        release_time: None,
        state: OrderState::Placed,
        ending: None,
        cancel_reason: None,
        screened: false,
        payment: Payment {
            state: PaymentState::None,
            transaction_id: None,
            authorized: 0,
            captured: 0,
            refunded: 0,
            capture_time: None,
            received: Received::default(),
            ..full.payment
        },
        reservation: Reservation {
            state: ReservationState::None,
            reservation_id: None,
        },
        approval: Approval {
            required: false,
            decision: None,
            reviewer: None,
            reason: None,
            time: None,
        },
        shipment: Shipment {
            state: ShipmentState::None,
            shipment_id: None,
            carrier: None,
            tracking_number: None,
            estimated_delivery_time: None,
            ship_time: None,
            delivery_time: None,
            dispatched: false,
            reminders: 0,
            redirect_due: false,
            redirects: 0,
        },
        deadlines: Vec::new(),
        faults: Vec::new(),
        done: Vec::new(),
        unknown: Vec::new(),
        in_flight: None,
        vouched: Vec::new(),
        used_up: Vec::new(),
        compensations: Vec::new(),
        revision: 1,
        update_time: full.place_time,
        close_time: None,
        ..full
    }
}

/// With another number than the default in every field.
fn policy() -> Policy {
    let retry = |attempts| RetryPolicy {
        max_attempts: attempts,
        initial_interval: Duration::from_millis(100),
        backoff: 1.5,
        max_interval: Duration::from_secs(30),
    };
    Policy {
        name: "full".to_owned(),
        description: "Everything at once.".to_owned(),
        fraud_check: true,
        secure: SecureOrder::PayThenReserve,
        payment: PaymentMode::AuthorizeCapture,
        payment_timeout: Some(Duration::from_secs(3600)),
        approval_above: Some(5000),
        approval_timeout: Some(Duration::from_secs(86_400)),
        release_grace: Some(Duration::from_secs(7 * 86_400)),
        pickup_reminder: Some(Duration::from_secs(86_400)),
        delivery: DeliveryMode::AutoAfter,
        delivery_after: Some(Duration::from_secs(30)),
        shipping: ShippingMode::Lane,
        estimated_delivery: Duration::from_secs(2 * 86_400),
        cancel_until: CancelCutoff::Fulfillment,
        retry: retry(3),
        payment_retry: Some(retry(5)),
        shipping_retry: Some(retry(50)),
        attempt_timeout: Duration::from_millis(250),
        reservation_expiry: Some(Duration::from_secs(30 * 86_400)),
        authorization_expiry: Some(Duration::from_secs(7 * 86_400)),
        attention_after: 4,
        lane: Lane::Regular,
    }
}

/// With the default in every field that has one.
fn least_policy() -> Policy {
    Policy {
        name: "least".to_owned(),
        description: String::new(),
        fraud_check: false,
        payment: PaymentMode::Sale,
        payment_timeout: None,
        approval_above: None,
        approval_timeout: None,
        release_grace: None,
        pickup_reminder: None,
        delivery: DeliveryMode::Confirm,
        delivery_after: None,
        shipping: ShippingMode::Inline,
        estimated_delivery: Duration::from_secs(3 * 86_400),
        payment_retry: None,
        shipping_retry: None,
        attempt_timeout: Duration::from_secs(1),
        reservation_expiry: None,
        authorization_expiry: None,
        attention_after: 5,
        lane: Lane::Local,
        ..policy()
    }
}

pub fn money() -> Money {
    Money::new("USD", 3998)
}

pub fn deadline() -> Deadline {
    Deadline {
        kind: DeadlineKind::PickupReminder,
        subject: 2,
        expire_time: time(70),
    }
}

pub fn address() -> Address {
    Address {
        line1: "1 Main St".to_owned(),
        line2: "2nd floor".to_owned(),
        city: "San Francisco".to_owned(),
        region: "CA".to_owned(),
        postal_code: "94105".to_owned(),
        country_code: "US".to_owned(),
    }
}

fn line_item() -> LineItem {
    LineItem {
        sku: "sku-1".to_owned(),
        name: "Thing".to_owned(),
        quantity: 2,
        unit_price: Money::new("USD", 1999),
    }
}

fn compensation() -> Compensation {
    Compensation {
        effect: second(Step::RefundPayment),
        undoes: Effect::first(Step::ChargePayment),
        resource: "pay-order-1".to_owned(),
        attempts: 2,
        outcome: CompensationOutcome::NotNeeded,
        time: Some(time(7)),
    }
}

/// The second effect of a step.
pub fn second(step: Step) -> Effect {
    Effect { step, number: 2 }
}
