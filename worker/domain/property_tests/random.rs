//! Random orders under random policies, failures, commands and crashes.

use super::{
    driver::{Lag, run},
    message_stories::messages,
    scenario::scenario,
    world::World,
};
use crate::step::Step;
use proptest::{collection::vec, prelude::*, sample::select};
use std::collections::BTreeSet;

/// Four times as many cases as proptest's own default, or as PROPTEST_CASES asks for.
pub(super) fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 4 * ProptestConfig::default().cases,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    }
}

fn lag() -> impl Strategy<Value = Lag> {
    prop_oneof![
        4 => Just(Lag::None),
        3 => Just(Lag::Forget),
        2 => Just(Lag::RollBack),
        2 => any::<u8>().prop_map(Lag::Reset),
        2 => select(Step::ALL).prop_map(Lag::LateStep),
        1 => any::<u8>().prop_map(Lag::LateDeadline),
    ]
}

/// The end state and the external effects, without times.
fn end(world: &World) -> impl PartialEq + std::fmt::Debug {
    let order = &world.order;
    let payment = &order.payment;
    let undone: Vec<_> = order
        .compensations
        .iter()
        .map(|c| (c.effect, c.undoes, c.attempts, c.outcome))
        .collect();
    (
        (
            order.state,
            order.ending,
            order.cancel_reason.clone(),
            order.shipping_address.clone(),
        ),
        (
            payment.state,
            payment.authorized,
            payment.captured,
            payment.refunded,
        ),
        (
            order.reservation.clone(),
            order.approval.decision,
            order.screened,
        ),
        (
            order.shipment.state,
            order.shipment.dispatched,
            order.shipment.tracking_number.clone(),
        ),
        (order.done.clone(), order.unknown.clone(), undone),
        world.ledger.clone(),
    )
}

proptest! {
    #![proptest_config(config())]

    /// Every invariant after every transaction, and an end once the failures stop.
    #[test]
    fn every_order_keeps_its_invariants_and_ends(scenario in scenario()) {
        let world = run(&scenario, &[]);
        // The store keeps one message of an id: a second one would be lost.
        let ids = messages(&world).into_iter().map(|message| message.id());
        let mut seen = BTreeSet::new();
        for id in ids {
            prop_assert!(seen.insert(id.clone()), "{id} twice");
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// I8: a driver that forgets, starts anew, comes late or is killed before its commit changes
    /// neither the end state nor the effects.
    #[test]
    fn crashes_change_nothing(scenario in scenario(), lags in vec(lag(), 0..60)) {
        let direct = run(&scenario, &[]);
        let lagging = run(&scenario, &lags);
        prop_assert_eq!(end(&lagging), end(&direct));
    }
}
