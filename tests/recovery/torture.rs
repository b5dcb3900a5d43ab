//! The proof: nothing lost, nothing twice, whatever dies at whatever moment. `make torture` runs all
//! of it and prints a table; a short form of each part runs with the other tests.
//!
//! What is random follows from a seed: `TORTURE_SEED=...` takes the same one again. `TORTURE_ROWS=ad`
//! runs parts a and d only, `TORTURE_FULL=1` every abort there is.

mod aborts;
mod asking;
mod effects;
mod kills;
mod lost;
mod races;
mod resets;
mod stage;
mod stories;
mod table;

use crate::recovery::soak::{random_seed, setting};
use futures::FutureExt;
use kills::{Size, Victim};
use orders_test_support::postgres;
use std::{
    any::Any,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use stories::{STORIES, Story, named};
use table::Row;

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without words".to_owned())
}

fn seed() -> u64 {
    let seed = setting("TORTURE_SEED").unwrap_or_else(random_seed);
    println!("TORTURE_SEED={seed} throws the same again");
    seed
}

fn show(rows: &[Row]) {
    println!("{}", table::table(rows));
    for row in rows {
        row.assert_clean();
    }
}

#[tokio::test]
async fn killed_servers_lose_nothing() {
    if postgres::chosen() {
        return println!("its books are read from a SQLite file");
    }
    let size = Size {
        kills: 3,
        orders: 30,
    };
    show(&[kills::row(Victim::Server, size, seed()).await]);
}

#[tokio::test]
async fn a_killed_temporal_loses_nothing() {
    if postgres::chosen() {
        return println!("its books are read from a SQLite file");
    }
    let size = Size {
        kills: 1,
        orders: 16,
    };
    show(&[kills::row(Victim::Temporal, size, seed()).await]);
}

#[tokio::test]
async fn a_killed_postgresql_loses_nothing() {
    let size = Size {
        kills: 1,
        orders: 16,
    };
    show(&[kills::row(Victim::Postgres, size, seed()).await]);
}

#[tokio::test]
async fn aborts_change_no_end() {
    if postgres::chosen() {
        return println!("its books are read from a SQLite file");
    }
    let stories = ["standard-reviewed", "pre-order-cancelled"].map(named);
    show(&[aborts::row(&stories, Some(6), seed()).await]);
}

#[tokio::test]
async fn resets_change_no_end() {
    if postgres::chosen() {
        return println!("its books are read from a SQLite file");
    }
    show(&[resets::row(
        &["external-payment", "approval-rejected"].map(named),
        Some(3),
    )
    .await]);
}

#[tokio::test]
async fn lost_answers_change_no_end() {
    if postgres::chosen() {
        return println!("its books are read from a SQLite file");
    }
    let stories = ["standard-cancelled", "stock", "shipping-lane"].map(named);
    show(&[lost::row(&stories, false, &[1]).await]);
}

#[tokio::test]
async fn duplicates_and_races_have_one_outcome() {
    if postgres::chosen() {
        return println!("its books are read from a SQLite file");
    }
    let mut rows = races::races(8, seed()).await;
    rows.push(races::duplicates(1, true).await);
    show(&rows);
}

/// All of it ends within this. (Not the full form.)
const LONGEST: Duration = Duration::from_secs(14 * 60);

/// A part of the proof that hangs or panics is a finding, and the others go on.
async fn part(name: &str, end: Instant, run: impl Future<Output = Vec<Row>>) -> Vec<Row> {
    let began = Instant::now();
    let limit = end.saturating_duration_since(began);
    let run = tokio::time::timeout(limit, AssertUnwindSafe(run).catch_unwind());
    let finding = match run.await {
        Ok(Ok(rows)) => {
            println!("{}", table::table(&rows));
            return rows;
        }
        Ok(Err(panic)) => words(panic.as_ref()),
        Err(_) => format!("no end within {limit:?}"),
    };
    let mut row = Row::new(name);
    println!("{name}: {finding}");
    row.wrong.push(finding);
    row.took = began.elapsed();
    vec![row]
}

#[tokio::test]
#[ignore = "takes a quarter of an hour: make torture"]
async fn the_proof() {
    let seed = seed();
    let chosen = std::env::var("TORTURE_ROWS").unwrap_or_else(|_| "abcdefg".to_owned());
    let all: Vec<&'static Story> = STORIES.iter().collect();
    let sample = match setting("TORTURE_FULL") {
        Some(_) => None,
        None => Some(setting("TORTURE_ABORTS").unwrap_or(100) as usize),
    };
    let server = Size {
        kills: setting("TORTURE_KILLS").unwrap_or(100) as usize,
        orders: setting("TORTURE_ORDERS").unwrap_or(1_000) as usize,
    };
    let temporal = Size {
        kills: 10,
        orders: 150,
    };
    let races = setting("TORTURE_RACES").unwrap_or(200) as usize;
    let full = setting("TORTURE_FULL").is_some();
    let end = Instant::now() + LONGEST * if full { 20 } else { 1 };
    let row = async |row: char| match row {
        'a' => {
            let run = kills::row(Victim::Server, server, seed).map(|row| vec![row]);
            part("kill -9 of `orders serve`", end, run).await
        }
        'b' => {
            let run = kills::row(Victim::Temporal, temporal, seed).map(|row| vec![row]);
            part("kill -9 of Temporal", end, run).await
        }
        'c' => {
            let run = kills::row(Victim::Postgres, temporal, seed).map(|row| vec![row]);
            part("kill -9 of PostgreSQL", end, run).await
        }
        'd' => {
            let run = aborts::row(&all, sample, seed).map(|row| vec![row]);
            part("abort at a boundary", end, run).await
        }
        'e' => {
            let run = resets::row(&all, None).map(|row| vec![row]);
            part("reset to each workflow task", end, run).await
        }
        'f' => {
            let run = lost::row(&all, true, &[1]).map(|row| vec![row]);
            part("answers lost at each provider call", end, run).await
        }
        'g' => {
            let run = races::duplicates(2, false).map(|row| vec![row]);
            let mut found = part("100 duplicates of each command", end, run).await;
            found.extend(part("races", end, races::races(races, seed)).await);
            found
        }
        other => panic!("TORTURE_ROWS={other}: one of a, b, c, d, e, f, g"),
    };
    // Side by side: most of the time they wait.
    let lane = async |lane: &str| {
        let mut rows = Vec::new();
        for name in lane.chars().filter(|row| chosen.contains(*row)) {
            rows.extend(row(name).await);
        }
        rows
    };
    let (mut rows, second, third) = tokio::join!(lane("a"), lane("bcde"), lane("fg"));
    rows.extend(second.into_iter().chain(third));
    let text = table::table(&rows);
    let json = table::json(seed, &rows);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let file = folder.unwrap().join("torture.json");
    std::fs::write(&file, json).unwrap();
    println!("TORTURE_SEED={seed}\n{text}\nalso in {}", file.display());
    for row in &rows {
        row.assert_clean();
    }
}
