//! What open orders cost, and what closed ones leave behind: memory, and the pace of placing.

use crate::{
    harness::{Client, Placing},
    load::{self, median},
    shape::SHAPES,
    system::{System, resident_mib},
};
use orders::v1::OrderState;
use serde::Serialize;

/// Memory of the orders process after so many orders.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// So many orders.
    pub orders: usize,
    /// Resident, in MiB.
    pub mib: f64,
}

/// The figures of many orders.
#[derive(Debug, Serialize)]
pub struct Many {
    /// With so many pre-orders held.
    pub open: Vec<Memory>,
    /// Pre-orders placed per second with none open.
    pub placing_at_none: f64,
    /// With all of them open.
    pub placing_at_most: f64,
    /// The one against the other.
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
}

const AT_ONCE: usize = 32;

/// Measures them on a system of its own.
pub async fn measure(effort: Effort) -> Many {
    let system = System::start().await;
    let pid = system.server.process.pid();
    complete(&system, 100).await;
    let (placing_at_none, mut placed) = pace(&system, effort.pace).await;
    let mut open = vec![Memory {
        orders: placed,
        mib: resident_mib(pid),
    }];
    let mut placing_at_most = placing_at_none;
    for &goal in effort.open {
        let last = effort.pace * TURNS;
        hold(&system, goal.saturating_sub(placed + last)).await;
        placed = placed.max(goal.saturating_sub(last));
        let (pace, more) = pace(&system, effort.pace).await;
        placing_at_most = pace;
        placed += more;
        open.push(Memory {
            orders: placed,
            mib: resident_mib(pid),
        });
        eprintln!(
            "  {placed} pre-orders held: {:.0} MiB, placing {pace:.0}/s",
            resident_mib(pid)
        );
    }
    let system = system.restarted().await;
    let pid = system.server.process.pid();
    let (mut done, mut completed) = (0, Vec::new());
    for &goal in effort.completed {
        complete(&system, goal - done).await;
        done = goal;
        completed.push(Memory {
            orders: done,
            mib: resident_mib(pid),
        });
        eprintln!("  {done} orders completed: {:.0} MiB", resident_mib(pid));
    }
    assert_eq!(system.server.stop().await, Some(0));
    Many {
        open,
        placing_at_none,
        placing_at_most,
        placing_ratio: placing_at_most / placing_at_none,
        completed,
    }
}

const TURNS: usize = 3;

/// The pace of placing, the turn in the middle, and how many were placed.
async fn pace(system: &System, orders: usize) -> (f64, usize) {
    let mut paces = Vec::new();
    for _ in 0..TURNS {
        paces.push(hold(system, orders).await);
    }
    (median(paces), orders * TURNS)
}

/// Places pre-orders and sees them held; gives how many a second.
async fn hold(system: &System, count: usize) -> f64 {
    if count == 0 {
        return 0.0;
    }
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
    while let Some(told) = watch.message().await.unwrap() {
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
