//! What open orders cost, and what closed ones leave behind: memory, and the pace of placing.

use crate::{
    load,
    shape::SHAPES,
    system::{System, cpu_seconds},
};
use orders::v1::OrderState;
use orders_test_support::{Client, Placing, watch::next};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Memory of the orders process after so many orders.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Memory {
    /// So many orders.
    pub orders: usize,
    /// Resident, in MiB.
    pub mib: f64,
}

/// Placing pre-orders until they are held: the turn in the middle.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Pace {
    /// So many in a second.
    pub per_second: f64,
    /// Milliseconds of processor of the orders process for one.
    pub cpu_ms: f64,
    /// Temporal's.
    pub temporal_cpu_ms: f64,
}

/// The figures of many orders, as far as the time allowed.
#[derive(Debug, Deserialize, Serialize)]
pub struct Many {
    /// Whether there were as many as there should be.
    pub is_whole: bool,
    /// With so many pre-orders held.
    pub open: Vec<Memory>,
    /// Placing pre-orders on a system without any.
    pub placing_at_none: Pace,
    /// With all of them open.
    pub placing_at_most: Pace,
    /// The one against the other, turn by turn, the one in the middle.
    pub placing_ratio: f64,
    /// After so many orders were completed, in a process of its own.
    pub completed: Vec<Memory>,
}

/// How many.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Open orders at which to look, fewest first.
    pub open: &'static [usize],
    /// Orders of one turn of the pace of placing.
    pub pace: usize,
    /// Completed orders at which to look, fewest first.
    pub completed: &'static [usize],
    /// When time is short there are fewer orders: no more are begun after this.
    pub time: Duration,
}

const AT_ONCE: usize = 32;

/// The time is looked at after so many.
const PART: usize = 250;

/// Measures them on a system of its own.
pub async fn measure(effort: Effort) -> Many {
    let began = Instant::now();
    let system = System::start().await;
    complete(&system, 100).await;
    let mut open = vec![memory(&system, 0)];
    let mut placed = 0;
    for &goal in effort.open {
        let before = placed;
        while placed < goal && began.elapsed() < effort.time / 2 {
            let more = PART.min(goal - placed);
            hold(&system, more).await;
            placed += more;
        }
        if placed == before {
            break;
        }
        open.push(memory(&system, placed));
        eprintln!("  {placed} held: {:.0} MiB", open[open.len() - 1].mib);
    }
    let (placing_at_most, placing_at_none, placing_ratio) = pace(&system, effort.pace).await;
    let system = system.restarted().await;
    let (mut done, mut completed) = (0, Vec::new());
    for &goal in effort.completed {
        let before = done;
        while done < goal && began.elapsed() < effort.time {
            let more = PART.min(goal - done);
            complete(&system, more).await;
            done += more;
        }
        if done == before {
            break;
        }
        completed.push(memory(&system, done));
        eprintln!(
            "  {done} completed: {:.0} MiB",
            completed[completed.len() - 1].mib
        );
    }
    assert_eq!(system.server.stop().await, Some(0));
    let (held, done) = (open.last(), completed.last());
    Many {
        is_whole: held.map(|memory| memory.orders) == effort.open.last().copied()
            && done.map(|memory| memory.orders) == effort.completed.last().copied(),
        open,
        placing_at_none,
        placing_at_most,
        placing_ratio,
        completed,
    }
}

fn memory(system: &System, orders: usize) -> Memory {
    let mib = system.server.process.memory() as f64 / (1 << 20) as f64;
    Memory { orders, mib }
}

const TURNS: usize = 3;

/// The pace of placing there and on a system that has no orders yet, in turn, since a machine is not
/// always as fast; and the one against the other.
async fn pace(full: &System, orders: usize) -> (Pace, Pace, f64) {
    let empty = System::start().await;
    complete(&empty, 100).await;
    let mut turns = Vec::new();
    for _ in 0..TURNS {
        let at_none = turn(&empty, orders).await;
        turns.push((turn(full, orders).await, at_none));
    }
    assert_eq!(empty.server.stop().await, Some(0));
    let ratio = |(full, empty): &(Pace, Pace)| full.per_second / empty.per_second;
    turns.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let middle = turns[TURNS / 2];
    (middle.0, middle.1, ratio(&middle))
}

async fn turn(system: &System, orders: usize) -> Pace {
    let pids = [system.server.process.pid(), system.temporal.process.pid()];
    let before = pids.map(cpu_seconds);
    let per_second = hold(system, orders).await;
    let after = pids.map(cpu_seconds);
    let [cpu_ms, temporal_cpu_ms] =
        [0, 1].map(|at| (after[at] - before[at]) * 1_000.0 / orders as f64);
    Pace {
        per_second,
        cpu_ms,
        temporal_cpu_ms,
    }
}

/// Places pre-orders and sees them held; gives how many a second.
async fn hold(system: &System, count: usize) -> f64 {
    let (client, sku) = (system.client.clone(), system.sku.clone());
    let rate = load::run(count, AT_ONCE, move |_| {
        let (client, sku) = (client.clone(), sku.clone());
        async move { held(&client, &sku).await }
    });
    rate.await.per_second
}

/// A pre-order that is charged and reserved, and waits for its release.
async fn held(client: &Client, sku: &str) {
    let placing = Placing::pre_order(sku, 30);
    let id = placing.id();
    client.place(placing).await;
    let mut watch = client.watch(&id, 0).await.unwrap();
    while let Some(told) = next(&mut watch).await.unwrap() {
        if told.order.unwrap().state() == OrderState::AwaitingRelease {
            return;
        }
    }
    panic!("the watch of {id} ended before the order was held");
}

async fn complete(system: &System, count: usize) {
    let (client, sku) = (system.client.clone(), system.sku.clone());
    load::run(count, AT_ONCE, move |_| {
        let (client, sku) = (client.clone(), sku.clone());
        async move { drop(SHAPES[0].order(&client, &sku).await) }
    })
    .await;
}
