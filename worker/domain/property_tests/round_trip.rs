//! What is written as JSON or TOML reads back as it was.

use super::{
    driver::run,
    random::config,
    scenario::{Scenario, random_policy, scenario},
};
use crate::{
    command::{CommandRequest, Refusal},
    event::Event,
    order::Order,
    policy::{Policy, book::PolicyBook},
    state::CloseReason,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeSet;

fn again<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let json = serde_json::to_string(value).unwrap();
    serde_json::from_str(&json).unwrap()
}

fn assert_round_trips(scenario: &Scenario) {
    let world = run(scenario, &[]);
    assert_eq!(again::<Order>(&world.order), world.order);
    assert_eq!(again::<Policy>(&scenario.policy), scenario.policy);
    // The order is the fold of the log as it is kept.
    let log: Vec<Event> = world.events.iter().map(again).collect();
    assert_eq!(log, world.events);
    let mut fold = Order::from_placed(&log[0]).unwrap();
    for event in &log {
        fold.apply(event);
        fold = again(&fold);
        let json = serde_json::to_value(&event.change).unwrap();
        assert_eq!(json["type"], event.change.type_name());
    }
    assert_eq!(fold, world.order);
    for arrival in &scenario.commands {
        let request = arrival.request(&world.order);
        let read: CommandRequest = again(&request);
        assert_eq!(read, request);
        assert_eq!(read.fingerprint("order-1"), request.fingerprint("order-1"));
        assert_ne!(read.fingerprint("order-1"), request.fingerprint("order-2"));
        if let Err(refusal) = request.decide(&world.order, world.clock) {
            assert_eq!(again::<Refusal>(&refusal), refusal);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases / 4, ..config() })]

    #[test]
    fn everything_reads_back(scenario in scenario()) {
        assert_round_trips(&scenario);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: config().cases / 8, ..config() })]

    /// The policies of these tests are workable ones, and a file of them reads back.
    #[test]
    fn random_policies_can_work(policy in random_policy()) {
        #[derive(Serialize)]
        struct File<'a> {
            policy: [&'a Policy; 1],
        }
        let text = toml::to_string(&File { policy: [&policy] }).unwrap();
        let book = PolicyBook::with_file(&text).unwrap();
        prop_assert_eq!(book.get("random"), Some(&policy));
    }
}

/// The random orders are worth something: they come to every end that there is.
#[test]
fn random_orders_reach_every_end() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..1_500 {
        let scenario = scenario().new_tree(&mut runner).unwrap().current();
        reached.extend(run(&scenario, &[]).order.close_reason());
    }
    let all: BTreeSet<CloseReason> = CloseReason::ALL.iter().copied().collect();
    assert_eq!(reached, all);
}
