//! `make bench`: what an order costs, side by side with what Temporal itself and others need, in one
//! run on one machine. Ratios travel; the figures themselves do not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that cannot go on should stop, with the line that says where"
)]

#[path = "../tests"]
#[allow(dead_code, unused_imports, reason = "tests need more of it")]
mod tests {
    pub mod harness;
}

mod cost;
mod echo;
mod floor;
mod load;
mod open;
mod peers;
mod place;
mod plot;
mod reads;
mod report;
mod shape;
mod system;
mod throughput;
mod twin;

use clap::Parser;
use report::Report;
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tests::harness;

/// What to measure.
#[derive(Parser)]
struct Args {
    /// Less of everything, in under three minutes.
    #[arg(long)]
    quick: bool,
    /// These parts only; the others stay as the last run of the same form has left them.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Serves one answer; for the benchmark itself.
    #[arg(long, hide = true)]
    echo: Option<PathBuf>,
    /// Where cargo says that it is a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Orders per second.
    Throughput,
    /// History events, bytes, Actions.
    Cost,
    /// PlaceOrder.
    Place,
    /// GetOrder, ListOrders, WatchOrder.
    Reads,
    /// Memory and pace with many orders.
    Many,
}

const THROUGHPUT: throughput::Effort = throughput::Effort {
    rounds: 3,
    orders: 200,
    peer_orders: 128,
    at_once: &[1, 8, 32, 64],
};
const QUICK_THROUGHPUT: throughput::Effort = throughput::Effort {
    rounds: 1,
    orders: 200,
    peer_orders: 100,
    at_once: &[64],
};
const READS: reads::Effort = reads::Effort {
    rounds: 3,
    calls: 20_000,
    watched: 50,
};
const QUICK_READS: reads::Effort = reads::Effort {
    rounds: 1,
    calls: 5_000,
    watched: 10,
};
const MANY: open::Effort = open::Effort {
    open: &[1_000, 5_000, 10_000, 20_000],
    pace: 300,
    completed: &[2_000, 20_000],
    time: Duration::from_secs(800),
};
const QUICK_MANY: open::Effort = open::Effort {
    open: &[1_000],
    pace: 100,
    completed: &[500, 1_500],
    time: Duration::from_secs(165),
};

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if let Some(file) = args.echo {
        return echo::serve(&file).await;
    }
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let began = Instant::now();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench.json");
    let before = std::fs::read(file).ok();
    let before = before.and_then(|text| serde_json::from_slice::<Report>(&text).ok());
    let before = before.filter(|before| !args.only.is_empty() && before.quick == args.quick);
    let mut report = before.unwrap_or_default();
    report.quick = args.quick;
    let rounds = if args.quick { 1 } else { 3 };
    if args.only.iter().any(|part| *part != Part::Many) || args.only.is_empty() {
        let system = system::System::start().await;
        let floors = Arc::new(floor::Floors::start(&system.temporal.address).await);
        if wanted(Part::Cost) {
            report.cost = cost::measure(&system).await;
        }
        if wanted(Part::Place) {
            eprintln!("placing ...");
            report.placing = Some(place::measure(&system, &floors, rounds, 60).await);
        }
        if wanted(Part::Throughput) {
            eprintln!("throughput ...");
            let effort = if args.quick {
                QUICK_THROUGHPUT
            } else {
                THROUGHPUT
            };
            report.throughput = throughput::measure(&system, &floors, effort).await;
        }
        if wanted(Part::Reads) {
            eprintln!("reads ...");
            let effort = if args.quick { QUICK_READS } else { READS };
            report.reads = Some(reads::measure(&system, effort).await);
        }
        drop(floors);
        assert_eq!(system.server.stop().await, Some(0));
    }
    if wanted(Part::Many) {
        eprintln!("many orders ...");
        let mut effort = if args.quick { QUICK_MANY } else { MANY };
        // All of them need a run of their own: `--only many`.
        effort.time = effort.time.saturating_sub(began.elapsed());
        report.many = Some(open::measure(effort).await);
    }
    report.took_seconds = began.elapsed().as_secs_f64();
    std::fs::write(file, serde_json::to_vec_pretty(&report).unwrap()).unwrap();
    println!("{}", report.tables());
    if !args.quick && !report.throughput.is_empty() && report.many.is_some() {
        plot::draw(&report).unwrap();
    }
}
