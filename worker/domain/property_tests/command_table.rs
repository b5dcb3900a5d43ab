//! The table of commands: for each preset, what may be asked in which state, and that everything else is
//! refused.

use super::{
    replies::samples,
    story::{
        BIG, SMALL, call, cancel, done, happy_path, pickup_until_dispatch, placed, preset, review,
    },
    world::{Op, World},
};
use crate::{
    command::{
        CommandKind::{
            self, CancelOrder as Cancel, ConfirmDelivery as Delivery, ConfirmPayment as Pay,
            ConfirmPickup as Pickup, ReviewOrder as Review, StartFulfillment as Start,
            UpdateShippingAddress as Move,
        },
        CommandRequest, Refusal,
    },
    policy::Policy,
    state::{
        OrderState::{
            self, AwaitingApproval, AwaitingPayment, AwaitingRelease, Cancelled, Cancelling,
            Completed, InFulfillment, InTransit, Placed, Rejected,
        },
        ReviewDecision,
    },
};

type Row<'a> = (OrderState, &'a [CommandKind]);

/// Every command in this state: those of the row are accepted, all others refused by name.
fn assert_row(name: &str, world: &World, (state, allowed): Row<'_>) {
    let order = &world.order;
    assert_eq!(order.state, state, "{name}");
    assert_eq!(order.allowed_commands(), allowed, "{name} in {state}");
    for command in samples(order) {
        let kind = command.kind();
        let decision = command.decide(order, order.update_time);
        // Money is recorded at any time.
        if allowed.contains(&kind) || kind == Pay {
            assert!(decision.is_ok(), "{name}: {kind} in {state}");
        } else {
            let refusal = Refusal::not_allowed(kind, order);
            assert_eq!(decision, Err(refusal), "{name}: {kind} in {state}");
        }
    }
}

/// One row for each transaction of an order that goes well.
fn assert_table(name: &str, policy: &Policy, price: i64, rows: &[Row<'_>]) {
    let path = happy_path(policy, price);
    assert_eq!(path.len(), rows.len(), "{name}");
    for (world, row) in path.iter().zip(rows) {
        assert_row(name, world, *row);
    }
}

#[test]
fn standard() {
    let rows: &[Row] = &[
        (Placed, &[Move, Cancel]),
        (Placed, &[Move, Cancel]),
        (Placed, &[Move, Cancel]),
        (AwaitingApproval, &[Review, Move, Cancel]),
        (InFulfillment, &[Move, Cancel]),
        (InFulfillment, &[Move, Cancel]),
        (InTransit, &[Delivery]),
        (InTransit, &[Delivery]),
        (Completed, &[]),
    ];
    assert_table("standard", &preset("standard"), BIG, rows);
    let rows: &[Row] = &[
        (Placed, &[Move, Cancel]),
        (Placed, &[Move, Cancel]),
        (Placed, &[Move, Cancel]),
        (InFulfillment, &[Move, Cancel]),
        (InFulfillment, &[Move, Cancel]),
        (InTransit, &[Delivery]),
        (InTransit, &[Delivery]),
        (Completed, &[]),
    ];
    assert_table("standard", &preset("standard"), SMALL, rows);
}

#[test]
fn pre_order() {
    let rows: &[Row] = &[
        (Placed, &[Move, Cancel]),
        (Placed, &[Move, Cancel]),
        (AwaitingRelease, &[Start, Move, Cancel]),
        (InFulfillment, &[Move]),
        (InFulfillment, &[Pickup, Move]),
        (InTransit, &[Delivery]),
        (InTransit, &[Delivery]),
        (Completed, &[]),
    ];
    assert_table("pre-order", &preset("pre-order"), BIG, rows);
    let rows: &[Row] = &[
        (Placed, &[Move, Cancel]),
        (Placed, &[Move, Cancel]),
        (AwaitingRelease, &[Start, Move, Cancel]),
        (InFulfillment, &[Move, Cancel]),
        (InFulfillment, &[Pickup, Move, Cancel]),
        (InTransit, &[Delivery]),
        (InTransit, &[Delivery]),
        (Completed, &[]),
    ];
    assert_table("until dispatch", &pickup_until_dispatch(), BIG, rows);
}

#[test]
fn approval() {
    let rows: &[Row] = &[
        (Placed, &[Move, Cancel]),
        (Placed, &[Move, Cancel]),
        (AwaitingApproval, &[Review, Move, Cancel]),
        (InFulfillment, &[Move, Cancel]),
        (InTransit, &[Delivery]),
        (InTransit, &[Delivery]),
        (Completed, &[]),
    ];
    assert_table("approval", &preset("approval"), BIG, rows);
}

#[test]
fn external_payment() {
    let rows: &[Row] = &[
        (Placed, &[Pay, Move, Cancel]),
        (AwaitingPayment, &[Pay, Move, Cancel]),
        (InFulfillment, &[Move, Cancel]),
        (InTransit, &[Delivery]),
        (InTransit, &[Delivery]),
        (Completed, &[]),
    ];
    let policy = preset("external-payment");
    assert_table("external-payment", &policy, BIG, rows);
}

/// Nothing may be asked of an order that is being undone, or is closed.
#[test]
fn nothing_on_the_way_back() {
    for name in ["standard", "pre-order", "approval", "external-payment"] {
        let mut world = placed(&preset(name), BIG);
        for _ in 0..2 {
            call(&mut world);
        }
        done(&mut world, cancel());
        while world.order.state == Cancelling {
            assert_row(name, &world, (Cancelling, &[]));
            assert!(call(&mut world));
        }
        assert_row(name, &world, (Cancelled, &[]));
    }
    let mut world = placed(&preset("approval"), BIG);
    while call(&mut world) {}
    done(&mut world, review(ReviewDecision::Reject));
    assert_row("approval", &world, (Cancelling, &[]));
    while call(&mut world) {}
    assert_row("approval", &world, (Rejected, &[]));
}

/// A caller that saw another revision is refused first, whatever is asked.
#[test]
fn a_caller_that_saw_another_revision() {
    let mut world = placed(&preset("standard"), SMALL);
    call(&mut world);
    for (expected, accepted) in [(1, false), (2, true), (3, false)] {
        let mut world = world.clone();
        let request = CommandRequest {
            request_id: "request-1".to_owned(),
            actor: "somebody".to_owned(),
            expected_revision: Some(expected),
            seen_revision: 0,
            attempt: String::new(),
            command: cancel(),
        };
        let decision = request.decide(&world.order, world.clock);
        assert_eq!(decision.is_ok(), accepted);
        if !accepted {
            let actual = world.order.revision;
            assert_eq!(decision, Err(Refusal::Moved { expected, actual }));
        }
        world.transact(&Op::Command(request, None));
        assert_eq!(world.order.state == Cancelled, accepted);
    }
}
