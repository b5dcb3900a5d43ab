//! What people are told of an order, word by word.

use super::{
    story::{
        BIG, SMALL, answers, calls, cancel, done, happy_path, pass_deadline, pickup, placed,
        preset, review,
    },
    world::World,
};
use crate::{
    command::Command,
    message::Message,
    milestone::Audience,
    money::Money,
    order::{LineItem, Order},
    state::ReviewDecision,
    step::Step,
};

/// The messages of an order, oldest first.
pub(super) fn messages(world: &World) -> Vec<Message> {
    let mut order = Order::from_placed(&world.events[0]).expect("placed first");
    let tell = |event| {
        order.apply(event);
        Message::of(event, &order)
    };
    world.events.iter().filter_map(tell).collect()
}

fn milestones(world: &World) -> Vec<String> {
    let messages = messages(world).into_iter();
    messages.map(|message| message.milestone).collect()
}

fn message(world: &World, milestone: &str) -> Message {
    let messages = messages(world).into_iter();
    let mut found = messages.filter(|message| message.milestone == milestone);
    found.next().expect("the milestone")
}

fn told(name: &str, price: i64) -> Vec<String> {
    let world = happy_path(&preset(name), price).pop();
    milestones(&world.expect("a path"))
}

#[test]
fn each_preset_tells_its_milestones_in_order() {
    let pre_order = [
        "received",
        "paid",
        "fulfillment_started",
        "picked_up",
        "delivered",
    ];
    assert_eq!(told("pre-order", SMALL), pre_order);
    let external = [
        "received",
        "paid",
        "fulfillment_started",
        "shipped",
        "delivered",
    ];
    assert_eq!(told("external-payment", SMALL), external);
    let reviewed = [
        "received",
        "approval_needed",
        "fulfillment_started",
        "paid",
        "shipped",
        "delivered",
    ];
    assert_eq!(told("standard", BIG), reviewed);
    // Shipped is the last that anybody hears of these.
    let stock = ["received", "paid", "fulfillment_started", "shipped"];
    assert_eq!(told("stock", SMALL), stock);
}

#[test]
fn a_pre_order_is_told_as_it_was_at_each_moment() {
    let mut world = placed(&preset("pre-order"), SMALL);
    calls(&mut world);
    done(&mut world, Command::StartFulfillment);
    calls(&mut world);
    pass_deadline(&mut world);
    pass_deadline(&mut world);
    done(&mut world, pickup(Some("1Z-7")));
    calls(&mut world);
    done(&mut world, Command::ConfirmDelivery);

    let received = message(&world, "received");
    assert_eq!(received.id(), "order-1/received");
    assert_eq!(received.subject, "Order order-1: received");
    assert_eq!(received.audience, Audience::Customer);
    assert_eq!(received.customer_id, "customer-1");
    let text = "We have received your order.\n\
        \n\
        Order:           order-1\n\
        Placed:          2026-01-01 00:00 UTC\n\
        Item:            2 x sku-0, 50.00 USD each\n\
        Total:           100.00 USD\n\
        Released:        2026-01-03 00:00 UTC\n";
    assert_eq!(received.text, text);

    let second = message(&world, "pickup_reminder/2");
    assert_eq!(second.audience, Audience::Fulfillment);
    let subject = "Order order-1: waits to be picked up (reminder 2)";
    assert_eq!(second.subject, subject);
    let next = world.events.iter().rev();
    let mut next = next.filter(|event| event.change.type_name() == "PICKUP_REMINDED");
    let next = next.next().expect("a reminder").time;
    let next = next + jiff::SignedDuration::from_hours(24);
    let next = next.strftime("Next reminder:   %Y-%m-%d %H:%M UTC\n");
    assert!(second.text.ends_with(&next.to_string()), "{}", second.text);

    let picked_up = message(&world, "picked_up").text;
    assert!(picked_up.starts_with("The carrier has picked up your parcel.\n\n"));
    assert!(
        picked_up.contains("\nTracking number: 1Z-7\n"),
        "{picked_up}"
    );
    assert!(
        picked_up.contains("\nExpected:        2026-01-"),
        "{picked_up}"
    );
    let delivered = message(&world, "delivered").text;
    assert!(
        delivered.contains("\nDelivered:       2026-01-"),
        "{delivered}"
    );
}

#[test]
fn a_cancelled_order_tells_what_was_given_back() {
    let mut world = placed(&preset("pre-order"), SMALL);
    calls(&mut world);
    done(&mut world, cancel());
    calls(&mut world);
    assert_eq!(
        milestones(&world),
        ["received", "paid", "refunded", "cancelled"]
    );
    let refunded = message(&world, "refunded").text;
    assert!(refunded.starts_with("100.00 USD have been given back to you.\n"));
    let cancelled = message(&world, "cancelled").text;
    assert!(cancelled.starts_with("Your order has been cancelled, as requested.\n"));
    let facts = "\nReason:          changed my mind\nRefunded:        100.00 USD\n";
    assert!(cancelled.ends_with(facts), "{cancelled}");
}

#[test]
fn reviewers_decide_and_the_customer_hears_only_the_outcome() {
    let mut world = placed(&preset("approval"), BIG);
    calls(&mut world);
    let needed = message(&world, "approval_needed");
    assert_eq!(needed.audience, Audience::Reviewers);
    assert!(needed.text.contains("\nCustomer:        customer-1\n"));
    assert!(needed.text.contains("\nDecide by:       2026-01-02 "));
    done(&mut world, review(ReviewDecision::Reject));
    calls(&mut world);
    let rejected = [
        "received",
        "paid",
        "approval_needed",
        "approval_rejected",
        "refunded",
        "cancelled",
    ];
    assert_eq!(milestones(&world), rejected);
    for message in messages(&world) {
        assert!(!message.text.contains("because"), "the reviewer's words");
    }
}

#[test]
fn a_refused_order_is_told_why_but_not_a_fraudster() {
    for (step, words) in [
        (Step::Screen, "could not be accepted"),
        (Step::ReserveInventory, "do not have enough"),
        (Step::AuthorizePayment, "the payment was declined"),
    ] {
        let mut world = placed(&preset("standard"), SMALL);
        answers(&mut world, step, &[super::ledger::Answer::Refused]);
        calls(&mut world);
        assert_eq!(milestones(&world), ["received", "cancelled"], "{step}");
        let text = message(&world, "cancelled").text;
        assert!(text.contains(words), "{step}: {text}");
        assert!(!text.contains("as scripted"), "{step}: {text}");
    }
}

#[test]
fn a_callers_words_cannot_look_like_ours() {
    let mut world = placed(&preset("pre-order"), SMALL);
    calls(&mut world);
    let reason = "no\r\n\r\nTotal: 0.00 USD\n\u{85}\u{2028}Refunded: 1".to_owned();
    let cancel = crate::command::CancelOrder { reason };
    done(&mut world, Command::CancelOrder(cancel));
    calls(&mut world);
    let text = message(&world, "cancelled").text;
    let line = "\nReason:          no Total: 0.00 USD Refunded: 1\n";
    assert!(text.contains(line), "{text}");
    assert_eq!(text.matches("\nTotal:").count(), 1);
}

#[test]
fn a_large_order_is_still_a_message() {
    let mut world = placed(&preset("pre-order"), SMALL);
    let items = (0..100).map(|number| LineItem {
        sku: format!("sku-{number}"),
        name: "Thing".to_owned(),
        quantity: 1,
        unit_price: Money::new("USD", 100),
    });
    world.order.line_items = items.collect();
    let received = Message::of(&world.events[0], &world.order).expect("received");
    assert_eq!(received.text.matches("Item: ").count(), 31);
    assert!(
        received
            .text
            .contains("1 x Thing (sku-29), 1.00 USD each\n")
    );
    assert!(received.text.contains("and 70 more\n"));
}
