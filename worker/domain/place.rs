//! Placing: what makes a new order, and what makes it impossible.

use super::{
    address::Address,
    event::{Change, Event},
    later::later,
    money::{Money, MoneyError},
    order::{Approval, LineItem, Order, Payment, Reservation, Shipment},
    payment_method::{PaymentMethod, PaymentToken},
    policy::{PaymentMode, Policy},
    received::Received,
    state::{OrderState, PaymentState, ReservationState, ShipmentState},
};
use jiff::Timestamp;

/// What a customer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOrder {
    /// Unique for ever.
    pub order_id: String,
    /// Whose order it is.
    pub customer_id: String,
    /// What is ordered.
    pub line_items: Vec<LineItem>,
    /// Where it goes.
    pub shipping_address: Address,
    /// What it is paid with.
    pub payment_method: Option<PaymentMethod>,
    /// The provider's token for that. No part of the order that is made: it is kept apart.
    pub payment_token: Option<PaymentToken>,
    /// Unique over all orders; none makes one from the order id.
    pub payment_id: Option<String>,
    /// When a pre-order is released.
    pub release_time: Option<Timestamp>,
}

/// How the payment ids begin that are made from an order's id.
const PAYMENT_ID_PREFIX: &str = "pay-";

/// The payment id of an order that was placed without one.
pub fn own_payment_id(order_id: &str) -> String {
    format!("{PAYMENT_ID_PREFIX}{order_id}")
}

/// Whether a caller's payment id belongs to another order, which may not be placed yet.
pub fn is_payment_id_of_another(payment_id: &str, order_id: &str) -> bool {
    payment_id.starts_with(PAYMENT_ID_PREFIX) && payment_id != own_payment_id(order_id)
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, as a path in the proto: `line_items[2].quantity`.
    pub field: String,
    /// What is wrong and what would be right.
    pub description: String,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            description: description.into(),
        }
    }
}

/// The sum of quantity times unit price.
///
/// # Errors
/// When the line items mix currencies or the sum does not fit. No line items count as zero of
/// no currency.
pub fn total(line_items: &[LineItem]) -> Result<Money, MoneyError> {
    let mut prices = line_items
        .iter()
        .map(|item| item.unit_price.times(item.quantity));
    let first = prices.next().unwrap_or_else(|| Ok(Money::new("", 0)))?;
    prices.try_fold(first, |sum, price| sum.plus(&price?))
}

/// What is wrong with the total, whatever the policy.
pub fn total_violation(line_items: &[LineItem]) -> Option<Violation> {
    let description = match total(line_items) {
        Err(error) => format!("the total cannot be computed: {error}"),
        Ok(total) if total.minor <= 0 => "the total must be more than zero".to_owned(),
        Ok(_) => return None,
    };
    Some(Violation::new("line_items", description))
}

/// Everything by which `new` does not fit `policy` at `now`; empty when it does. The total is looked
/// at by [`total_violation`].
pub fn violations(new: &NewOrder, policy: &Policy, now: Timestamp) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut add = |field: &str, description: &str| found.push(Violation::new(field, description));
    if policy.payment != PaymentMode::External && new.payment_token.is_none() {
        let field = match new.payment_method {
            Some(_) => "payment_method.token",
            None => "payment_method",
        };
        add(field, "is required by this policy");
    }
    match (policy.release_grace, new.release_time) {
        (None, Some(_)) => add(
            "release_time",
            "this policy does not hold orders: leave it out",
        ),
        (Some(_), None) => add("release_time", "is required by this policy"),
        (Some(grace), Some(release)) if later(release, grace) <= now => add(
            "release_time",
            "the time to start fulfilment (release time plus the policy's grace period) has passed",
        ),
        _ => {}
    }
    found
}

/// The first event of a new order, with the order as it is then. Call [`violations`] and
/// [`total_violation`] first.
///
/// # Errors
/// When the total cannot be computed.
pub fn place(
    new: NewOrder,
    policy: &Policy,
    actor: &str,
    request_id: &str,
    now: Timestamp,
) -> Result<Event, MoneyError> {
    let total = total(&new.line_items)?;
    let required = policy
        .approval_above
        .is_some_and(|units| total.exceeds_units(units));
    let payment_id = new.payment_id;
    let order = Order {
        payment: Payment {
            state: PaymentState::None,
            payment_id: payment_id.unwrap_or_else(|| own_payment_id(&new.order_id)),
            transaction_id: None,
            authorized: 0,
            captured: 0,
            refunded: 0,
            capture_time: None,
            received: Received::default(),
        },
        order_id: new.order_id,
        customer_id: new.customer_id,
        policy: policy.clone(),
        line_items: new.line_items,
        total,
        shipping_address: new.shipping_address,
        payment_method: new.payment_method,
        release_time: new.release_time,
        state: OrderState::Placed,
        ending: None,
        cancel_reason: None,
        screened: false,
        reservation: Reservation {
            state: ReservationState::None,
            reservation_id: None,
        },
        approval: Approval {
            required,
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
        place_time: now,
        update_time: now,
        close_time: None,
    };
    Ok(Event {
        revision: 1,
        time: now,
        actor: actor.to_owned(),
        request_id: Some(request_id.to_owned()),
        change: Change::Placed {
            order: Box::new(order),
        },
    })
}
