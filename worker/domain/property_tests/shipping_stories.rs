//! The carrier gets the newest address, and only what is paid for.

use super::{
    ledger::Answer,
    scenario::address,
    story::{
        SMALL, answers, assert_closed, call, calls, cancel, done, happy_path, move_to,
        pass_deadline, pickup, pickup_until_dispatch, placed, preset, say, told, way_out,
    },
    world::{Outcome, World},
};
use crate::{
    command::{Command, Refusal},
    effect::Effect,
    policy::{Policy, ShippingMode},
    state::{CloseReason, OrderState, ShipmentState},
    step::Step,
};

/// A pre-order whose fulfilment has begun.
fn started() -> World {
    let mut world = placed(&pickup_until_dispatch(), SMALL);
    calls(&mut world);
    done(&mut world, Command::StartFulfillment);
    world
}

/// Where the carrier takes it.
fn told_carrier(world: &World) -> String {
    let parcel = world.ledger.parcel.as_ref().expect("a parcel");
    parcel.address.line1.clone()
}

fn is_refused(world: &mut World, command: Command) -> bool {
    matches!(
        say(world, command),
        Outcome::Refused(Refusal::NotAllowed { .. })
    )
}

/// 003: after every transaction before the dispatch the new address is the one that the carrier
/// gets; afterwards it is refused.
#[test]
fn an_address_changes_until_dispatched() {
    for name in [
        "standard",
        "approval",
        "external-payment",
        "pre-order",
        "stock",
        "shipping-lane",
    ] {
        for before in happy_path(&preset(name), SMALL) {
            let mut world = before.clone();
            if world.order.shipment.dispatched {
                assert!(is_refused(&mut world, move_to("new")), "{name}");
                continue;
            }
            done(&mut world, move_to("new"));
            done(&mut world, move_to("newest"));
            while call(&mut world) || way_out(&mut world) {}
            assert_eq!(world.order.state, OrderState::Completed, "{name}");
            assert_eq!(told_carrier(&world), "newest", "{name}");
        }
    }
}

#[test]
fn a_requested_pickup_is_redirected_each_time() {
    let mut world = started();
    calls(&mut world);
    for line1 in ["new", "newest"] {
        let deadlines = world.order.deadlines.clone();
        done(&mut world, move_to(line1));
        assert!(world.order.shipment.redirect_due);
        calls(&mut world);
        assert_eq!(told_carrier(&world), line1);
        assert_eq!(world.order.deadlines, deadlines, "the reminder stays");
    }
    let redirects = world
        .ledger
        .calls
        .iter()
        .filter(|step| **step == Step::RedirectShipment);
    assert_eq!(redirects.count(), 2);
}

/// The request may have told the carrier the old address, although nobody heard its answer.
#[test]
fn a_lost_request_is_redirected_too() {
    for answer in [Answer::Lost, Answer::Silent] {
        let mut world = started();
        answers(&mut world, Step::RequestPickup, &[answer]);
        assert!(call(&mut world));
        done(&mut world, move_to("new"));
        calls(&mut world);
        assert_eq!(told_carrier(&world), "new", "{answer:?}");
    }
}

/// The carrier may have the parcel: the order goes on until it is known, however long it takes.
#[test]
fn a_lost_dispatch_has_no_way_back() {
    for answer in [Answer::Lost, Answer::Silent] {
        let mut world = placed(&preset("standard"), SMALL);
        // Three attempts are all that the policy allows for a step that can be given up.
        let more = [
            answer,
            Answer::Failed,
            Answer::Failed,
            Answer::Failed,
            Answer::Failed,
        ];
        answers(&mut world, Step::DispatchShipment, &more);
        for _ in 0..9 {
            assert!(call(&mut world));
        }
        assert_eq!(world.order.attention().map(|fault| fault.attempts), Some(5));
        assert!(is_refused(&mut world, cancel()));
        assert!(is_refused(&mut world, move_to("new")));
        calls(&mut world);
        pass_deadline(&mut world);
        assert_closed(&world, CloseReason::Completed, &[], "");
    }
}

/// The driver was faster than the carrier's office.
#[test]
fn a_pickup_is_confirmed_before_the_request_was_answered() {
    for answer in [Answer::Lost, Answer::Silent, Answer::Failed] {
        let mut world = started();
        answers(&mut world, Step::RequestPickup, &[answer]);
        assert!(call(&mut world));
        done(&mut world, pickup(Some("NUMBER")));
        assert_eq!(world.order.state, OrderState::InTransit);
        assert!(is_refused(&mut world, cancel()));
        assert_eq!(
            (&*world.order.faults, &*world.order.unknown),
            (&[][..], &[][..])
        );
        calls(&mut world);
        let requests = world.ledger.calls.iter();
        let requests = requests.filter(|step| **step == Step::RequestPickup);
        assert_eq!(requests.count(), 1, "a second van: {answer:?}");
        let shipment = &world.order.shipment;
        assert_eq!(shipment.state, ShipmentState::PickedUp);
        assert_eq!(shipment.tracking_number.as_deref(), Some("NUMBER"));
        assert_eq!(world.order.deadlines, [], "nobody is reminded");
        done(&mut world, Command::ConfirmDelivery);
        assert_closed(&world, CloseReason::Completed, &[], "");
    }
}

/// A van that nobody asked for has not come: the confirmation is refused until the carrier was asked.
#[test]
fn no_pickup_before_the_carrier_was_asked() {
    let mut world = started();
    assert!(is_refused(&mut world, pickup(None)));
    let refusal = pickup(None).decide(&world.order, world.clock).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "CONFIRM_PICKUP is not allowed while the order is IN_FULFILLMENT: the carrier was not asked \
         for the pickup yet; send it again in a moment"
    );
    calls(&mut world);
    done(&mut world, pickup(None));
}

/// A parcel is not handed over before the authorized money was taken.
#[test]
fn no_pickup_before_the_capture() {
    let policy = Policy {
        pickup_reminder: preset("pre-order").pickup_reminder,
        ..preset("standard")
    };
    let mut world = placed(&policy, SMALL);
    answers(&mut world, Step::CapturePayment, &[Answer::Lost]);
    while world.order.state != OrderState::InFulfillment {
        assert!(call(&mut world));
    }
    assert!(is_refused(&mut world, pickup(None)));
    assert!(call(&mut world));
    assert!(is_refused(&mut world, pickup(None)), "the answer was lost");
    assert!(call(&mut world));
    assert!(call(&mut world));
    done(&mut world, pickup(None));
    calls(&mut world);
    pass_deadline(&mut world);
    assert_closed(&world, CloseReason::Completed, &[], "");
}

/// The address is changed, and before the carrier hears of it the pickup is confirmed: that is refused
/// until the carrier knows the address, however often telling it fails, and so no parcel is under way
/// to an old one.
#[test]
fn an_address_that_was_accepted_reaches_the_carrier() {
    let mut world = started();
    calls(&mut world);
    done(&mut world, move_to("new"));
    answers(&mut world, Step::RedirectShipment, &[Answer::Failed]);
    for _ in 0..2 {
        let refusal = pickup(None).decide(&world.order, world.clock).unwrap_err();
        assert!(refusal.to_string().contains("being told the new address"));
        assert!(is_refused(&mut world, pickup(None)));
        call(&mut world);
    }
    assert_eq!(told_carrier(&world), "new");
    done(&mut world, pickup(None));
    assert!(is_refused(&mut world, move_to("newest")));
    calls(&mut world);
    assert_eq!(world.order.shipping_address, address("new"));
    let last = told(&world).split_off(world.events.len() - 3);
    assert_eq!(
        last,
        [
            "SHIPMENT_REDIRECTED IN_FULFILLMENT",
            "PICKED_UP IN_TRANSIT",
            "RESERVATION_COMMITTED IN_TRANSIT"
        ]
    );
}

/// A request for the pickup that failed counts for its confirmation, so it counts for a new address as
/// well: no parcel leaves for an address that the carrier was never told.
#[test]
fn an_address_that_changes_after_a_failed_request_reaches_the_carrier() {
    for answer in [Answer::Failed, Answer::Silent, Answer::Lost] {
        let mut world = started();
        answers(&mut world, Step::RequestPickup, &[answer, Answer::Failed]);
        assert!(call(&mut world));
        done(&mut world, move_to("new"));
        for _ in 0..2 {
            assert!(is_refused(&mut world, pickup(None)), "{answer:?}");
            assert!(call(&mut world));
        }
        calls(&mut world);
        assert_eq!(told_carrier(&world), "new", "{answer:?}");
        done(&mut world, pickup(None));
        calls(&mut world);
        done(&mut world, Command::ConfirmDelivery);
        assert_closed(&world, CloseReason::Completed, &[], "");
    }
}

/// A prepared package has an address, too: a request that fails after the address has changed leaves
/// the carrier with the old one, so the pickup cannot be confirmed before a request succeeds.
#[test]
fn a_prepared_package_gets_the_new_address() {
    let policy = Policy {
        shipping: ShippingMode::Lane,
        ..pickup_until_dispatch()
    };
    for answer in [Answer::Failed, Answer::Silent, Answer::Lost] {
        let mut world = placed(&policy, SMALL);
        calls(&mut world);
        done(&mut world, Command::StartFulfillment);
        assert!(call(&mut world));
        let prepared = Effect::first(Step::PreparePackage);
        assert_eq!(world.order.done.last(), Some(&prepared));
        done(&mut world, move_to("new"));
        answers(&mut world, Step::RequestPickup, &[answer]);
        assert!(call(&mut world));
        assert!(is_refused(&mut world, pickup(None)), "{answer:?}");
        calls(&mut world);
        assert_eq!(told_carrier(&world), "new", "{answer:?}");
        done(&mut world, pickup(None));
        calls(&mut world);
        done(&mut world, Command::ConfirmDelivery);
        assert_closed(&world, CloseReason::Completed, &[], "");
    }
}
