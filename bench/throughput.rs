//! Orders per second of each policy, beside the floor and the peer, turn by turn.

use crate::{
    floor::Floors,
    load::{self, Rate, median},
    peers,
    shape::{SHAPES, Shape},
    system::{System, cpu_seconds},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Turns of each at the highest concurrency.
    pub rounds: usize,
    /// Orders of one turn at the highest concurrency, without waits.
    pub orders: usize,
    /// Orders of one turn of a peer.
    pub peer_orders: usize,
    /// So many at once, lowest first.
    pub at_once: &'static [usize],
}

/// The figures of one policy.
#[derive(Debug, Deserialize, Serialize)]
pub struct Throughput {
    /// The policy.
    pub policy: String,
    /// Ours, by how many at once: the turn in the middle.
    pub ours: BTreeMap<usize, Rate>,
    /// The floor's.
    pub floor: BTreeMap<usize, Rate>,
    /// The peer's, at the highest concurrency.
    pub peer: Rate,
    /// The history events of one order of the peer.
    pub peer_events: usize,
    /// Ours against the floor at the highest concurrency, turn by turn, the one in the middle.
    pub of_floor: f64,
    /// Ours against the peer.
    pub of_peer: f64,
    /// The twin's rate at the highest concurrency, the turn in the middle.
    pub twin: Rate,
    /// Ours against the twin, turn by turn, the one in the middle.
    pub of_twin: f64,
    /// Seconds of processor of the orders process for 1,000 orders.
    pub cpu_seconds_per_1000: f64,
    /// Temporal's for 1,000 orders.
    pub temporal_cpu_seconds_per_1000: f64,
    /// Temporal's for 1,000 floors.
    pub floor_temporal_cpu_seconds_per_1000: f64,
    /// Temporal's for 1,000 twins.
    pub twin_temporal_cpu_seconds_per_1000: f64,
}

/// All of them, one after the other, at the highest concurrency.
struct Turn {
    ours: Rate,
    floor: Rate,
    twin: Rate,
    peer: Rate,
}

/// Measures all policies.
pub async fn measure(system: &System, floors: &Arc<Floors>, effort: Effort) -> Vec<Throughput> {
    let mut measured = Vec::new();
    for shape in SHAPES {
        // What is first pays for caches and connections.
        ours(system, shape, 8, 8).await;
        of_floors(floors, shape, 8, 8).await;
        of_twins(floors, shape, 8, 8).await;
        let figures = one(system, floors, shape, effort).await;
        eprintln!(
            "  {}: {:.1} orders/s, {:.2} of the floor, {:.2} of its twin, {:.1} x its peer",
            shape.policy,
            figures
                .ours
                .values()
                .last()
                .map_or(0.0, |rate| rate.per_second),
            figures.of_floor,
            figures.of_twin,
            figures.of_peer
        );
        measured.push(figures);
    }
    measured
}

async fn one(system: &System, floors: &Arc<Floors>, shape: Shape, effort: Effort) -> Throughput {
    let (mut mine, mut theirs) = (BTreeMap::new(), BTreeMap::new());
    let Some((&most, fewer)) = effort.at_once.split_last() else {
        panic!("nothing to measure");
    };
    for &at_once in fewer {
        let count = count(shape, effort, at_once);
        theirs.insert(at_once, of_floors(floors, shape, count, at_once).await);
        mine.insert(at_once, ours(system, shape, count, at_once).await);
    }
    let (orders, temporal) = (system.server.process.pid(), system.temporal.process.pid());
    let count = count(shape, effort, most);
    let mut turns = Vec::new();
    let (mut cpu, mut temporal_cpu, mut floor_cpu, mut twin_cpu) = (0.0, 0.0, 0.0, 0.0);
    let mut peer_events = 0;
    for _ in 0..effort.rounds {
        let before = cpu_seconds(temporal);
        let floor = of_floors(floors, shape, count, most).await;
        floor_cpu += cpu_seconds(temporal) - before;
        let before = (cpu_seconds(orders), cpu_seconds(temporal));
        let ours = ours(system, shape, count, most).await;
        cpu += cpu_seconds(orders) - before.0;
        temporal_cpu += cpu_seconds(temporal) - before.1;
        let address = &system.temporal.address;
        let before = cpu_seconds(temporal);
        let twin = of_twins(floors, shape, count, most).await;
        twin_cpu += cpu_seconds(temporal) - before;
        let (peer, events) = peers::run(address, shape.peer, effort.peer_orders, most).await;
        peer_events = events;
        turns.push(Turn {
            ours,
            floor,
            twin,
            peer,
        });
    }
    let thousands = (count * effort.rounds) as f64 / 1_000.0;
    let against = |other: fn(&Turn) -> &Rate| {
        median(
            turns
                .iter()
                .map(|turn| turn.ours.per_second / other(turn).per_second),
        )
    };
    let middle = |of: fn(&Turn) -> &Rate| {
        let mut rates: Vec<&Rate> = turns.iter().map(of).collect();
        rates.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
        rates[rates.len() / 2].clone()
    };
    mine.insert(most, middle(|turn| &turn.ours));
    theirs.insert(most, middle(|turn| &turn.floor));
    Throughput {
        policy: shape.policy.to_owned(),
        ours: mine,
        floor: theirs,
        peer: middle(|turn| &turn.peer),
        peer_events,
        of_floor: against(|turn| &turn.floor),
        of_peer: against(|turn| &turn.peer),
        twin: middle(|turn| &turn.twin),
        of_twin: against(|turn| &turn.twin),
        cpu_seconds_per_1000: cpu / thousands,
        temporal_cpu_seconds_per_1000: temporal_cpu / thousands,
        floor_temporal_cpu_seconds_per_1000: floor_cpu / thousands,
        twin_temporal_cpu_seconds_per_1000: twin_cpu / thousands,
    }
}

/// Few where each waits: what is measured then is mostly the wait.
fn count(shape: Shape, effort: Effort, at_once: usize) -> usize {
    let most = effort.at_once.last().copied().unwrap_or(1);
    let orders = (effort.orders * at_once).div_ceil(most);
    match shape.wait {
        Some(_) => orders.min(at_once * 5).max(3),
        None => orders.max(10),
    }
}

async fn ours(system: &System, shape: Shape, count: usize, at_once: usize) -> Rate {
    let (client, sku) = (system.client.clone(), system.sku.clone());
    load::run(count, at_once, move |_| {
        let (client, sku) = (client.clone(), sku.clone());
        async move { drop(shape.order(&client, &sku).await) }
    })
    .await
}

async fn of_floors(floors: &Arc<Floors>, shape: Shape, count: usize, at_once: usize) -> Rate {
    let floors = floors.clone();
    load::run(count, at_once, move |_| {
        let floors = floors.clone();
        async move { floors.one(&shape, crate::harness::unique("floor")).await }
    })
    .await
}

async fn of_twins(floors: &Arc<Floors>, shape: Shape, count: usize, at_once: usize) -> Rate {
    let floors = floors.clone();
    load::run(count, at_once, move |_| {
        let floors = floors.clone();
        async move { floors.twin(&shape, crate::harness::unique("twin")).await }
    })
    .await
}
