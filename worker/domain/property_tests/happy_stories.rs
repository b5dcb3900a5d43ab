//! Each preset when all goes well: every event with the state after it, and every call.

use super::story::{
    BIG, SMALL, calls, done, happy_path, pass_deadline, pickup, placed, preset, told,
};
use crate::{command::Command, step::Step};

fn assert_story(name: &str, price: i64, story: &[&str], steps: &[Step]) {
    let policy = preset(name);
    let world = happy_path(&policy, price).pop().expect("a path");
    assert_eq!(told(&world), story, "{name}");
    assert_eq!(world.ledger.calls, steps, "{name}");
}

#[test]
fn standard_below_the_threshold() {
    let story = [
        "PLACED PLACED",
        "SCREENED PLACED",
        "INVENTORY_RESERVED PLACED",
        "PAYMENT_AUTHORIZED PLACED",
        "FULFILLMENT_STARTED IN_FULFILLMENT",
        "PAYMENT_CAPTURED IN_FULFILLMENT",
        "SHIPPED IN_TRANSIT",
        "RESERVATION_COMMITTED IN_TRANSIT",
        "DEADLINE_PASSED IN_TRANSIT",
        "CLOSED COMPLETED",
    ];
    let steps = [
        Step::Screen,
        Step::ReserveInventory,
        Step::AuthorizePayment,
        Step::CapturePayment,
        Step::DispatchShipment,
        Step::CommitReservation,
    ];
    assert_story("standard", SMALL, &story, &steps);
    // Exactly 5,000.00 is not above 5,000.
    assert_story("standard", 250_000, &story, &steps);
}

#[test]
fn standard_above_the_threshold() {
    let story = [
        "PLACED PLACED",
        "SCREENED PLACED",
        "INVENTORY_RESERVED PLACED",
        "PAYMENT_AUTHORIZED PLACED",
        "APPROVAL_REQUESTED AWAITING_APPROVAL",
        "REVIEWED PLACED",
        "FULFILLMENT_STARTED IN_FULFILLMENT",
        "PAYMENT_CAPTURED IN_FULFILLMENT",
        "SHIPPED IN_TRANSIT",
        "RESERVATION_COMMITTED IN_TRANSIT",
        "DEADLINE_PASSED IN_TRANSIT",
        "CLOSED COMPLETED",
    ];
    let steps = [
        Step::Screen,
        Step::ReserveInventory,
        Step::AuthorizePayment,
        Step::CapturePayment,
        Step::DispatchShipment,
        Step::CommitReservation,
    ];
    assert_story("standard", BIG, &story, &steps);
    assert_story("standard", 250_001, &story, &steps);
}

#[test]
fn pre_order() {
    let story = [
        "PLACED PLACED",
        "PAYMENT_CAPTURED PLACED",
        "INVENTORY_RESERVED PLACED",
        "HELD AWAITING_RELEASE",
        "FULFILLMENT_STARTED IN_FULFILLMENT",
        "PICKUP_REQUESTED IN_FULFILLMENT",
        "PICKED_UP IN_TRANSIT",
        "RESERVATION_COMMITTED IN_TRANSIT",
        "DELIVERED IN_TRANSIT",
        "CLOSED COMPLETED",
    ];
    let steps = [
        Step::ChargePayment,
        Step::ReserveInventory,
        Step::RequestPickup,
        Step::CommitReservation,
    ];
    assert_story("pre-order", SMALL, &story, &steps);
    assert_story("pre-order", BIG, &story, &steps);
}

#[test]
fn approval() {
    let below = [
        "PLACED PLACED",
        "INVENTORY_RESERVED PLACED",
        "PAYMENT_CAPTURED PLACED",
        "FULFILLMENT_STARTED IN_FULFILLMENT",
        "SHIPPED IN_TRANSIT",
        "RESERVATION_COMMITTED IN_TRANSIT",
        "DEADLINE_PASSED IN_TRANSIT",
        "CLOSED COMPLETED",
    ];
    let above = [
        "PLACED PLACED",
        "INVENTORY_RESERVED PLACED",
        "PAYMENT_CAPTURED PLACED",
        "APPROVAL_REQUESTED AWAITING_APPROVAL",
        "REVIEWED PLACED",
        "FULFILLMENT_STARTED IN_FULFILLMENT",
        "SHIPPED IN_TRANSIT",
        "RESERVATION_COMMITTED IN_TRANSIT",
        "DEADLINE_PASSED IN_TRANSIT",
        "CLOSED COMPLETED",
    ];
    let steps = [
        Step::ReserveInventory,
        Step::ChargePayment,
        Step::DispatchShipment,
        Step::CommitReservation,
    ];
    assert_story("approval", SMALL, &below, &steps);
    assert_story("approval", BIG, &above, &steps);
}

#[test]
fn external_payment() {
    let story = [
        "PLACED PLACED",
        "INVENTORY_RESERVED PLACED",
        "PAYMENT_REQUESTED AWAITING_PAYMENT",
        "PAYMENT_CONFIRMED PLACED",
        "FULFILLMENT_STARTED IN_FULFILLMENT",
        "SHIPPED IN_TRANSIT",
        "RESERVATION_COMMITTED IN_TRANSIT",
        "DEADLINE_PASSED IN_TRANSIT",
        "CLOSED COMPLETED",
    ];
    let steps = [
        Step::ReserveInventory,
        Step::DispatchShipment,
        Step::CommitReservation,
    ];
    assert_story("external-payment", SMALL, &story, &steps);
    assert_story("external-payment", BIG, &story, &steps);
}

#[test]
fn stock() {
    let story = [
        "PLACED PLACED",
        "SCREENED PLACED",
        "INVENTORY_RESERVED PLACED",
        "PAYMENT_CAPTURED PLACED",
        "FULFILLMENT_STARTED IN_FULFILLMENT",
        "SHIPPED IN_TRANSIT",
        "RESERVATION_COMMITTED IN_TRANSIT",
        "CLOSED COMPLETED",
    ];
    let steps = [
        Step::Screen,
        Step::ReserveInventory,
        Step::ChargePayment,
        Step::DispatchShipment,
        Step::CommitReservation,
    ];
    assert_story("stock", SMALL, &story, &steps);
    assert_story("stock", BIG, &story, &steps);
}

#[test]
fn shipping_lane() {
    let story = [
        "PLACED PLACED",
        "PAYMENT_CAPTURED PLACED",
        "FULFILLMENT_STARTED IN_FULFILLMENT",
        "PACKAGE_PREPARED IN_FULFILLMENT",
        "SHIPPED IN_TRANSIT",
        "CLOSED COMPLETED",
    ];
    let steps = [
        Step::ChargePayment,
        Step::PreparePackage,
        Step::DispatchShipment,
    ];
    assert_story("shipping-lane", SMALL, &story, &steps);
    assert_story("shipping-lane", BIG, &story, &steps);
}

/// 000: a reminder every 24 hours until the pickup is confirmed, and none after.
#[test]
fn a_late_pickup_is_reminded_of() {
    let mut world = placed(&preset("pre-order"), SMALL);
    calls(&mut world);
    done(&mut world, Command::StartFulfillment);
    calls(&mut world);
    let start = world.clock;
    pass_deadline(&mut world);
    pass_deadline(&mut world);
    assert_eq!(world.order.shipment.reminders, 2);
    assert_eq!(world.clock.duration_since(start).as_hours(), 48);
    done(&mut world, pickup(Some("NUMBER")));
    assert_eq!(world.order.deadlines, []);
    let number = world.order.shipment.tracking_number.as_deref();
    assert_eq!(number, Some("NUMBER"));
    let estimated = world
        .order
        .shipment
        .estimated_delivery_time
        .expect("a time");
    assert_eq!(estimated.duration_since(world.clock).as_hours(), 72);
}

/// A delivery that counts as done after a time can be confirmed before.
#[test]
fn a_delivery_is_confirmed_before_its_time() {
    for name in ["standard", "approval", "external-payment"] {
        let path = happy_path(&preset(name), SMALL);
        let in_transit = path.iter().rev().nth(1).expect("a path");
        let mut world = in_transit.clone();
        done(&mut world, Command::ConfirmDelivery);
        let end = told(&world).split_off(world.events.len() - 2);
        assert_eq!(end, ["DELIVERED IN_TRANSIT", "CLOSED COMPLETED"]);
    }
}
