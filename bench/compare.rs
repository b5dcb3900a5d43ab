//! `--compare REV`: processor time for an order, this build beside the one of another revision.
//!
//! Both run at the same time, each with a Temporal of its own, and take turns: old new new old. A ratio of
//! each pair leaves out what the machine did meanwhile; processor time does not depend on who waited for whom.

use crate::{
    load,
    shape::{SHAPES, Shape},
    system::System,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Pairs of turns of each policy.
    pub pairs: usize,
    /// About how long one turn takes, in seconds.
    pub seconds: f64,
}

/// Orders that a contender runs before it counts, of each policy.
const WARM_UP: usize = 96;

/// Orders under way at once.
const AT_ONCE: usize = 32;

/// Processor milliseconds for one order.
struct Spent {
    /// Of the orders process.
    orders: f64,
    /// Of the orders process and its Temporal.
    all: f64,
}

/// The two builds, under load in turn.
struct Pair {
    old: System,
    new: System,
}

/// Builds the other revision, measures both, and prints a table.
pub async fn measure(revision: &str, effort: Effort, policies: &[String]) {
    let old = Pair::start(&build(revision)).await;
    println!(
        "Processor time of this build against {revision}: the median of {} pairs, with its 95 % interval",
        effort.pairs
    );
    println!("| policy | orders process | with Temporal | ms an order | ms with Temporal |");
    println!("|---|--:|--:|--:|--:|");
    let wanted = |shape: &Shape| policies.is_empty() || policies.iter().any(|p| p == shape.policy);
    let (mut orders, mut all) = (Vec::new(), Vec::new());
    for shape in SHAPES.into_iter().filter(wanted) {
        let turns = old.measure(shape, effort).await;
        let own: Vec<f64> = turns.iter().map(|(a, b)| b.orders / a.orders).collect();
        let both: Vec<f64> = turns.iter().map(|(a, b)| b.all / a.all).collect();
        println!(
            "| {} | {} | {} | {:.2} | {:.2} |",
            shape.policy,
            interval(&own),
            interval(&both),
            load::median(turns.iter().map(|(_, new)| new.orders)),
            load::median(turns.iter().map(|(_, new)| new.all)),
        );
        orders.extend(own);
        all.extend(both);
    }
    println!(
        "| all of them | {} | {} | | |",
        interval(&orders),
        interval(&all)
    );
    assert_eq!(old.old.server.stop().await, Some(0));
    assert_eq!(old.new.server.stop().await, Some(0));
}

impl Pair {
    async fn start(old: &Path) -> Pair {
        Pair {
            old: System::start_program(Some(old)).await,
            new: System::start().await,
        }
    }

    /// Returns the cost of an order in the old and the new build, for each pair.
    async fn measure(&self, shape: Shape, effort: Effort) -> Vec<(Spent, Spent)> {
        let at_once = if shape.wait.is_some() {
            4 * AT_ONCE
        } else {
            AT_ONCE
        };
        let mut pace = f64::MAX;
        for system in [&self.old, &self.new] {
            pace = pace.min(run(system, shape, WARM_UP.max(at_once), at_once).await);
        }
        let count = ((pace * effort.seconds) as usize).max(2 * at_once);
        let mut turns = Vec::new();
        for number in 0..effort.pairs {
            // Old new, new old: what grows from turn to turn meets both.
            turns.push(if number % 2 == 0 {
                let old = spent(&self.old, shape, count, at_once).await;
                (old, spent(&self.new, shape, count, at_once).await)
            } else {
                let new = spent(&self.new, shape, count, at_once).await;
                (spent(&self.old, shape, count, at_once).await, new)
            });
        }
        turns
    }
}

async fn spent(system: &System, shape: Shape, count: usize, at_once: usize) -> Spent {
    let before = system.cpu_seconds();
    run(system, shape, count, at_once).await;
    system.settle().await;
    let after = system.cpu_seconds();
    let each = |seconds: f64| seconds * 1_000.0 / count as f64;
    Spent {
        orders: each(after.0 - before.0),
        all: each(after.0 - before.0 + after.1 - before.1),
    }
}

/// Runs orders to their end; orders per second.
async fn run(system: &System, shape: Shape, count: usize, at_once: usize) -> f64 {
    let (client, sku) = (system.client.clone(), system.sku.clone());
    let rate = load::run(count, at_once, move |_| {
        let (client, sku) = (client.clone(), sku.clone());
        async move { drop(shape.order(&client, &sku).await) }
    });
    rate.await.per_second
}

/// The median, and the interval that holds the true one in at least 95 of 100 cases: by the ranks of the
/// sorted values (a sign test), which supposes nothing about how they are spread.
fn interval(ratios: &[f64]) -> String {
    let mut sorted = ratios.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len();
    // The most values that may be left out at each end.
    let (mut left_out, mut chance, mut tail) = (0, 0.5_f64.powi(count as i32), 0.0);
    while tail + chance <= 0.025 {
        tail += chance;
        left_out += 1;
        chance *= (count - left_out + 1) as f64 / left_out as f64;
    }
    let low = sorted[left_out.saturating_sub(1)];
    let high = sorted[count - left_out.max(1)];
    format!(
        "{:.3} ({low:.3} to {high:.3})",
        load::median(sorted.iter().copied())
    )
}

/// Builds the program of another revision, and returns its path.
fn build(revision: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let git = |args: &[&str]| {
        let output = Command::new("git")
            .current_dir(root)
            .args(args)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {args:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let commit = git(&["rev-parse", "--verify", &format!("{revision}^{{commit}}")]);
    let folder = root.join("target/compare").join(&commit);
    let program = folder.join("orders");
    if program.exists() {
        return program;
    }
    let tree = folder.join("tree");
    let path = tree.to_str().unwrap();
    git(&["worktree", "prune"]);
    git(&["worktree", "add", "--detach", "--force", path, &commit]);
    eprintln!("building {revision} ...");
    // In the same target folder, so that dependencies are not built anew; cargo links this build's own
    // program again when it is asked for it.
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "-p",
            "orders-server",
            "--bin",
            "orders",
        ])
        .env("CARGO_TARGET_DIR", root.join("target"))
        .current_dir(&tree)
        .status();
    assert!(status.unwrap().success(), "{revision} cannot be built");
    std::fs::copy(root.join("target/release/orders"), &program).unwrap();
    git(&["worktree", "remove", "--force", path]);
    program
}
