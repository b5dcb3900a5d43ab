//! Names that stand for themselves in payloads, search attributes and tables.

use super::sample::Sample;
use crate::workflow::search;
use orders_domain::{
    command::{CommandKind, PaymentOutcome},
    payment_method::PaymentMethodType,
    policy::{CancelCutoff, DeliveryMode, Lane, PaymentMode, SecureOrder, ShippingMode},
    state::{
        CloseReason, DeadlineKind, OrderState, PaymentState, ReservationState, ReviewDecision,
        ShipmentState,
    },
    step::{CompensationOutcome, Step},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug};

/// All names of each enumeration. One can be added, never taken away.
pub fn samples() -> Vec<Sample> {
    vec![
        of("step", Step::ALL),
        of("compensation-outcome", CompensationOutcome::ALL),
        of("order-state", OrderState::ALL),
        of("payment-state", PaymentState::ALL),
        of("reservation-state", ReservationState::ALL),
        of("shipment-state", ShipmentState::ALL),
        of("close-reason", CloseReason::ALL),
        of("deadline-kind", DeadlineKind::ALL),
        of("review-decision", ReviewDecision::ALL),
        of("command-kind", CommandKind::ALL),
        of("payment-outcome", PaymentOutcome::ALL),
        of("secure-order", SecureOrder::ALL),
        of("payment-mode", PaymentMode::ALL),
        of("delivery-mode", DeliveryMode::ALL),
        of("shipping-mode", ShippingMode::ALL),
        of("cancel-cutoff", CancelCutoff::ALL),
        of("lane", &LANES.map(known_lane)),
        of("payment-method-type", &METHODS.map(known_method)),
        of("search-attributes", &search::NAMES.map(str::to_owned)),
    ]
}

fn of<T: Serialize + DeserializeOwned + Debug + Clone>(name: &str, all: &[T]) -> Sample {
    let key = |one: &T| {
        serde_json::to_value(one)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    let all: BTreeMap<String, T> = all.iter().map(|one| (key(one), one.clone())).collect();
    Sample::new(format!("names-{name}"), all)
}

const LANES: [Lane; 2] = [Lane::Local, Lane::Regular];

const METHODS: [PaymentMethodType; 5] = [
    PaymentMethodType::Unspecified,
    PaymentMethodType::CreditCard,
    PaymentMethodType::DebitCard,
    PaymentMethodType::Paypal,
    PaymentMethodType::BankTransfer,
];

/// A new one does not compile until it stands in the list above, too.
fn known_lane(lane: Lane) -> Lane {
    match lane {
        Lane::Local | Lane::Regular => lane,
    }
}

fn known_method(method: PaymentMethodType) -> PaymentMethodType {
    match method {
        PaymentMethodType::Unspecified
        | PaymentMethodType::CreditCard
        | PaymentMethodType::DebitCard
        | PaymentMethodType::Paypal
        | PaymentMethodType::BankTransfer => method,
    }
}
