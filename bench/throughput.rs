//! Orders per second of each policy, beside the floor, its twin and the peer, turn by turn.

use crate::{
    floor::Floors,
    load::{self, Rate, median},
    peers,
    plan::Plan,
    shape::{SHAPES, Shape},
    system::System,
};
use orders_test_support::{temporal::left_by, unique};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// How much is done. A quick machine does more of it, and as long.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Turns of each at the highest concurrency.
    pub rounds: usize,
    /// Orders of one turn at the highest concurrency: as many as floors in this many seconds.
    pub seconds: f64,
    /// So many at once, lowest first.
    pub at_once: &'static [usize],
    /// So many, too, of orders that wait for a second, as floors in this many seconds: fewer of them
    /// leave the machine idle.
    pub waiting_seconds: f64,
}

/// What that comes to for one policy on this machine.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// Concurrencies at which one turn is enough, lowest first.
    fewer: &'static [usize],
    /// The highest.
    most: usize,
    /// Orders of one turn at the highest.
    orders: usize,
}

impl Effort {
    /// `pace` is how many floors of one message the machine does in a second.
    fn size(&self, shape: Shape, pace: f64) -> Size {
        let (last, others) = self.at_once.split_last().expect("nothing to measure");
        let (fewer, most) = match shape.wait {
            Some(_) => {
                let most = (self.waiting_seconds * pace) as usize;
                let fewer = if others.is_empty() {
                    others
                } else {
                    self.at_once
                };
                (fewer, most.next_multiple_of(16).max(*last))
            }
            None => (others, *last),
        };
        Size {
            fewer,
            most,
            orders: ((self.seconds * pace) as usize).max(2 * most),
        }
    }
}

/// Who is measured, in the sequence of the first turn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Contender {
    Floor,
    Ours,
    Twin,
    Peer,
}

const CONTENDERS: [Contender; 4] = [
    Contender::Floor,
    Contender::Ours,
    Contender::Twin,
    Contender::Peer,
];

/// What one of them did in a turn.
struct Measured {
    rate: Rate,
    /// Seconds of processor of the orders process.
    cpu: f64,
    /// Temporal's.
    temporal_cpu: f64,
}

/// All of them, one after the other, at the highest concurrency.
type Turn = BTreeMap<Contender, Measured>;

/// The figures of one policy.
#[derive(Debug, Deserialize, Serialize)]
pub struct Throughput {
    /// The policy.
    pub policy: String,
    /// Ours, by how many at once: at the highest, the turn in the middle.
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

/// Measures these policies, or all, each on a Temporal of its own: the more workflows one has had, the
/// more it needs for the next one.
pub async fn measure(effort: Effort, policies: &[String]) -> Vec<Throughput> {
    let mut measured = Vec::new();
    let wanted = |shape: &Shape| policies.is_empty() || policies.iter().any(|p| p == shape.policy);
    for shape in SHAPES.into_iter().filter(wanted) {
        let system = System::start().await;
        let address = &system.temporal.address;
        let floors = Arc::new(Floors::start(address).await);
        let id = shape.order(&system.client, &system.sku).await;
        let (events, _) = left_by(address, &format!("order/{id}")).await;
        let field = Field {
            plan: Plan::of(&shape, &events),
            system,
            floors,
            shape,
        };
        // What is first pays for caches and connections.
        field.ours(16, 16).await;
        field.of_floors(16, 16).await;
        field.of_twins(16, 16).await;
        let pace = field.pace().await;
        let figures = field.measure(effort, pace).await;
        let Field { system, floors, .. } = field;
        drop(floors);
        assert_eq!(system.server.stop().await, Some(0));
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

/// Where the contenders of one policy meet.
struct Field {
    system: System,
    floors: Arc<Floors>,
    shape: Shape,
    plan: Plan,
}

impl Field {
    /// Floors of one message in a second.
    async fn pace(&self) -> f64 {
        let (floors, stock) = (self.floors.clone(), SHAPES[0]);
        let rate = load::run(96, 32, move |_| {
            let floors = floors.clone();
            async move { floors.one(&stock, unique("pace")).await }
        });
        rate.await.per_second
    }

    async fn measure(&self, effort: Effort, pace: f64) -> Throughput {
        let shape = self.shape;
        let (mut mine, mut theirs) = (BTreeMap::new(), BTreeMap::new());
        let size = effort.size(shape, pace);
        let Size {
            fewer,
            most,
            orders,
        } = size;
        for &at_once in fewer {
            let count = count(shape, size, at_once);
            theirs.insert(at_once, self.of_floors(count, at_once).await);
            mine.insert(at_once, self.ours(count, at_once).await);
        }
        let mut turns = Vec::new();
        let mut peer_events = Vec::new();
        for round in 0..effort.rounds {
            // Who comes later finds a Temporal that has had more: each round begins with another one.
            let mut contenders = CONTENDERS;
            contenders.rotate_left(round % CONTENDERS.len());
            let mut turn = Turn::new();
            for contender in contenders {
                let before = self.system.cpu_seconds();
                let rate = match contender {
                    Contender::Floor => self.of_floors(orders, most).await,
                    Contender::Ours => self.ours(orders, most).await,
                    Contender::Twin => self.of_twins(orders, most).await,
                    Contender::Peer => {
                        let address = &self.system.temporal.address;
                        let ran = peers::run(address, shape.peer, orders, most);
                        let (rate, events) = ran.await;
                        peer_events.push(events as f64);
                        rate
                    }
                };
                self.system.settle().await;
                let after = self.system.cpu_seconds();
                let measured = Measured {
                    rate,
                    cpu: after.0 - before.0,
                    temporal_cpu: after.1 - before.1,
                };
                turn.insert(contender, measured);
            }
            turns.push(turn);
        }
        let rate = |turn: &Turn, of| turn[&of].rate.clone();
        let against = |other| {
            let ratio =
                |turn: &Turn| rate(turn, Contender::Ours).per_second / rate(turn, other).per_second;
            median(turns.iter().map(ratio))
        };
        let middle = |of| {
            let mut rates: Vec<Rate> = turns.iter().map(|turn| rate(turn, of)).collect();
            rates.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
            rates.swap_remove(rates.len() / 2)
        };
        let per_1000 = |of, seconds: fn(&Measured) -> f64| {
            let all: f64 = turns.iter().map(|turn| seconds(&turn[&of])).sum();
            all * 1_000.0 / (orders * turns.len()) as f64
        };
        mine.insert(most, middle(Contender::Ours));
        theirs.insert(most, middle(Contender::Floor));
        Throughput {
            policy: shape.policy.to_owned(),
            ours: mine,
            floor: theirs,
            peer: middle(Contender::Peer),
            peer_events: median(peer_events) as usize,
            of_floor: against(Contender::Floor),
            of_peer: against(Contender::Peer),
            twin: middle(Contender::Twin),
            of_twin: against(Contender::Twin),
            cpu_seconds_per_1000: per_1000(Contender::Ours, |of| of.cpu),
            temporal_cpu_seconds_per_1000: per_1000(Contender::Ours, |of| of.temporal_cpu),
            floor_temporal_cpu_seconds_per_1000: per_1000(Contender::Floor, |of| of.temporal_cpu),
            twin_temporal_cpu_seconds_per_1000: per_1000(Contender::Twin, |of| of.temporal_cpu),
        }
    }

    async fn ours(&self, count: usize, at_once: usize) -> Rate {
        let (client, sku) = (self.system.client.clone(), self.system.sku.clone());
        let shape = self.shape;
        load::run(count, at_once, move |_| {
            let (client, sku) = (client.clone(), sku.clone());
            async move { drop(shape.order(&client, &sku).await) }
        })
        .await
    }

    async fn of_floors(&self, count: usize, at_once: usize) -> Rate {
        let (floors, shape) = (self.floors.clone(), self.shape);
        load::run(count, at_once, move |_| {
            let floors = floors.clone();
            async move { floors.one(&shape, unique("floor")).await }
        })
        .await
    }

    async fn of_twins(&self, count: usize, at_once: usize) -> Rate {
        let (floors, plan) = (self.floors.clone(), self.plan.clone());
        load::run(count, at_once, move |_| {
            let (floors, plan) = (floors.clone(), plan.clone());
            async move { floors.twin(plan, unique("twin")).await }
        })
        .await
    }
}

/// Few where each waits: what is measured then is mostly the wait.
fn count(shape: Shape, size: Size, at_once: usize) -> usize {
    let orders = (size.orders * at_once).div_ceil(size.most);
    match shape.wait {
        Some(_) => orders.min(at_once * 5).max(3),
        None => orders.max(10),
    }
}
