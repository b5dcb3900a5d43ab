//! `make bench`: what an order costs, side by side with what Temporal itself and others need, in one
//! run on one machine. Ratios travel; the figures themselves do not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that cannot go on should stop, with the line that says where"
)]

mod compare;
mod cost;
mod echo;
mod floor;
mod load;
mod open;
mod peers;
mod place;
mod plan;
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

/// What to measure.
#[derive(Parser)]
struct Args {
    /// Less of everything, in under three minutes.
    #[arg(long)]
    quick: bool,
    /// These parts only; the others stay as the last run of the same form has left them.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// The throughput of these policies only; all other figures stay as they were.
    #[arg(long, value_delimiter = ',', value_parser = shape::policies())]
    policy: Vec<String>,
    /// Only this: the processor time that an order costs, against the build of another revision, as
    /// in `--compare HEAD~5`. Takes about ten minutes, five with `--quick`, and the other build.
    #[arg(long, value_name = "REV")]
    compare: Option<String>,
    /// What the server is started with, beside what it needs.
    #[arg(long, allow_hyphen_values = true)]
    server: Vec<String>,
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
    seconds: 1.0,
    at_once: &[1, 8, 32],
    waiting_seconds: 0.6,
};
const QUICK_THROUGHPUT: throughput::Effort = throughput::Effort {
    rounds: 1,
    seconds: 1.0,
    at_once: &[32],
    waiting_seconds: 0.6,
};
const COMPARE: compare::Effort = compare::Effort {
    pairs: 20,
    seconds: 2.0,
};
const QUICK_COMPARE: compare::Effort = compare::Effort {
    pairs: 10,
    seconds: 2.0,
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
    time: Duration::from_secs(150),
};

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if let Some(file) = args.echo {
        return echo::serve(&file).await;
    }
    system::start_with(args.server.clone());
    if let Some(revision) = args.compare {
        let effort = if args.quick { QUICK_COMPARE } else { COMPARE };
        return compare::measure(&revision, effort, &args.policy).await;
    }
    let mut only = args.only;
    if only.is_empty() && !args.policy.is_empty() {
        only.push(Part::Throughput);
    }
    let wanted = |part| only.is_empty() || only.contains(&part);
    let began = Instant::now();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench.json");
    let before = std::fs::read(file).ok();
    let before = before.and_then(|text| serde_json::from_slice::<Report>(&text).ok());
    // Figures of one form stand beside each other only.
    let before = before.filter(|before| {
        !only.is_empty() && before.quick == args.quick && before.server == args.server
    });
    let mut report = before.unwrap_or_default();
    report.quick = args.quick;
    report.server = args.server;
    let rounds = if args.quick { 1 } else { 3 };
    if wanted(Part::Throughput) {
        eprintln!("throughput ...");
        let effort = if args.quick {
            QUICK_THROUGHPUT
        } else {
            THROUGHPUT
        };
        for measured in throughput::measure(effort, &args.policy).await {
            report.take(measured);
        }
    }
    if [Part::Cost, Part::Place, Part::Reads]
        .into_iter()
        .any(wanted)
    {
        let system = system::System::start().await;
        let floors = Arc::new(floor::Floors::start(&system.temporal.address).await);
        if wanted(Part::Cost) {
            report.cost = cost::measure(&system, &floors).await;
        }
        if wanted(Part::Place) {
            eprintln!("placing ...");
            report.placing = Some(place::measure(&system, &floors, rounds, 60).await);
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
    println!("{}", report.tables());
    std::fs::write(file, serde_json::to_vec_pretty(&report).unwrap()).unwrap();
    let is_whole = report.throughput.len() == shape::SHAPES.len() && report.many.is_some();
    if !report.quick && report.server.is_empty() && is_whole {
        plot::draw(&report).unwrap();
    }
}
