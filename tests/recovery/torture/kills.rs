//! Random orders under failing providers, while a process is killed again and again: every order that
//! was acknowledged comes to an end that the invariants allow.

use super::table::Row;
use crate::recovery::soak::{
    self,
    books::Books,
    checks,
    dice::Dice,
    plan::Plan,
    play::{Played, play},
    policies,
    send::{Answer, Line},
};
use futures::{StreamExt, stream};
use orders::v1::OrderState;
use orders_test_support::{
    Placing, Postgres, ServerOptions, TestServer, TestTemporal, eventually,
    process::Process,
    server::command,
    temporal::{self, free_port},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Orders at the same time.
const AT_ONCE: usize = 24;

/// A recovery that is worth a look.
const SLOW: Duration = Duration::from_secs(10);

/// The longest that the next kill waits for a command to be done.
const RECOVERY: Duration = Duration::from_secs(4);

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// `orders serve`.
    Server,
    /// The Temporal dev server, which keeps its state in a file.
    Temporal,
    /// All processes of the PostgreSQL that keeps the orders.
    Postgres,
}

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// At least so many kills.
    pub kills: usize,
    /// At least so many orders.
    pub orders: usize,
}

/// The processes of one run.
struct Cast {
    victim: Victim,
    options: ServerOptions,
    server: Option<TestServer>,
    temporal: Option<TestTemporal>,
    postgres: Option<Arc<Postgres>>,
    port: u16,
    file: PathBuf,
}

/// Plays random orders until there were enough of them and of kills.
pub async fn row(victim: Victim, size: Size, seed: u64) -> Row {
    let began = Instant::now();
    let name = match victim {
        Victim::Server => "kill -9 of `orders serve`",
        Victim::Temporal => "kill -9 of Temporal",
        Victim::Postgres => "kill -9 of PostgreSQL",
    };
    let mut row = Row::new(name);
    let folder = tempfile::tempdir().unwrap();
    let mut cast = Cast::start(victim, folder.path(), seed).await;
    let data = folder.path().join("data");
    let line = Line::new(cast.server.as_ref().unwrap().client().await);
    soak::fill_the_shelves(&line).await;
    let policies = soak::policies_of(&line).await;
    let probe = place_the_probe(&line, seed).await;

    let killed = AtomicBool::new(false);
    let ended = AtomicUsize::new(0);
    let more = |number: u64| number < size.orders as u64 || !killed.load(Ordering::SeqCst);
    let plans = stream::iter(0..).take_while(|number| std::future::ready(more(*number)));
    let playing = plans
        .map(|number| {
            let plan = Plan::throw(seed, number, &policies);
            let (line, ended) = (&line, &ended);
            async move {
                let played = play(line, plan).await;
                ended.fetch_add(1, Ordering::SeqCst);
                played
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<Played>>();
    let watch = Mutex::new(Recovery::default());
    let killing = async {
        let mut dice = Dice::new(seed, 5_000_000);
        for number in 1..=size.kills {
            tokio::time::sleep(Duration::from_millis(dice.between(0, 900))).await;
            cast.kill(&line, &watch, &mut dice).await;
            row.kills += 1;
            // Not for ever: the next kill may well meet a recovery.
            let end = Instant::now() + RECOVERY;
            while watch.lock().unwrap().since.is_some() && Instant::now() < end {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if number % 10 == 0 {
                let ended = ended.load(Ordering::SeqCst);
                println!("{name}: {number} kills, {ended} orders ended");
            }
        }
        killed.store(true, Ordering::SeqCst);
    };
    let probing = look(&line, &probe, &watch, &killed);
    let (played, (), ()) = futures::join!(playing, killing, probing);
    row.recovered(watch.lock().unwrap().longest);
    row.runs = 1;
    row.orders = played.len();

    let asked = super::stories::asked(&probe, super::stories::What::Cancel, 1);
    if line.send(&asked).await != Answer::Done {
        row.wrong.push(format!("{probe} cannot be cancelled"));
    }
    eventually("the end of the probe", async || {
        line.get(&probe).await.close_time.map(drop)
    })
    .await;
    match &cast.postgres {
        // Its books are read by `orders verify` below.
        Some(_) => are_closed(&line, &played, &mut row).await,
        None => check(&data, &played, &mut row).await,
    }
    let address = format!("127.0.0.1:{}", cast.port);
    eventually("the end of every workflow", async || {
        (temporal::count(&address, "ExecutionStatus = 'Running'").await == 0).then_some(())
    })
    .await;
    let bad = temporal::count(&address, temporal::BAD_END).await;
    if bad > 0 {
        row.wrong.push(format!("{bad} workflows failed"));
    }
    let server = cast.server.take().unwrap();
    let database_url = server.database_url.clone();
    if server.stop().await != Some(0) {
        row.wrong.push("the server did not end well".to_owned());
    }
    verify(&data, database_url, &address, &mut row);
    row.took = began.elapsed();
    row
}

/// What the ids of probes begin with.
const PROBE: &str = "probe-";

/// An order that is there all the time, to see when commands are done again.
async fn place_the_probe(line: &Line, seed: u64) -> String {
    for number in 0.. {
        let mut placing = Placing::new("external-payment", "plenty-1").0;
        placing.order_id = format!("{PROBE}{seed}-{number}");
        line.place(&placing).await.unwrap();
        // One whose reservation fails for good, as the dice may have it, is there for a moment only.
        let there = eventually("the probe to wait or to be closed", async || {
            let order = line.get(&placing.order_id).await;
            match order.close_time {
                Some(_) => Some(false),
                None => (order.state() == OrderState::AwaitingPayment).then_some(true),
            }
        });
        if there.await {
            return placing.order_id;
        }
    }
    unreachable!("one of them waits")
}

/// How long commands are not done.
#[derive(Default)]
struct Recovery {
    /// The first kill since the last command that was done.
    since: Option<Instant>,
    longest: Duration,
}

/// Has commands done after each kill, one after the other, and measures how long that takes.
async fn look(line: &Line, probe: &str, watch: &Mutex<Recovery>, killed: &AtomicBool) {
    for number in 0.. {
        let began = Instant::now();
        let waited_for = watch.lock().unwrap().since;
        if let Some(since) = waited_for {
            let mut asked = super::stories::asked(probe, super::stories::What::Move, 1);
            asked.request_id = format!("{probe}/{number}");
            assert_eq!(line.send(&asked).await, Answer::Done, "the probe");
            let mut watch = watch.lock().unwrap();
            let took = since.elapsed();
            watch.longest = watch.longest.max(took);
            watch.since = None;
            if took > SLOW {
                println!("commands were done again {took:.1?} after a kill");
            }
        } else if killed.load(Ordering::SeqCst) {
            return;
        }
        let rest = Duration::from_millis(20).saturating_sub(began.elapsed());
        tokio::time::sleep(rest).await;
    }
}

impl Cast {
    async fn start(victim: Victim, folder: &std::path::Path, seed: u64) -> Cast {
        let (port, file) = (free_port(), folder.join("temporal.db"));
        let temporal = TestTemporal::start_kept(port, &file).await;
        let list = folder.join("policies.toml");
        std::fs::write(&list, policies::file(seed, soak::POLICIES)).unwrap();
        let postgres = match victim {
            Victim::Postgres => {
                let started = tokio::task::spawn_blocking(|| Postgres::start(true));
                Some(Arc::new(started.await.unwrap()))
            }
            _ => None,
        };
        let mut options = ServerOptions::with_temporal(&temporal.address);
        if let Some(postgres) = &postgres {
            options = options.database_url(&postgres.database(folder));
        }
        let options = options
            .data_dir(&folder.join("data"))
            .arg("--policies")
            .arg(list.to_str().unwrap())
            .arg("--simulate")
            .arg(soak::FAILURES)
            .arg("--simulate-seed")
            .arg(&seed.to_string());
        Cast {
            victim,
            server: Some(TestServer::start(options.clone()).await),
            options,
            temporal: Some(temporal),
            postgres,
            port,
            file,
        }
    }

    /// Kills once, and starts what was killed again.
    async fn kill(&mut self, line: &Line, watch: &Mutex<Recovery>, dice: &mut Dice) {
        let dies = || {
            let mut watch = watch.lock().unwrap();
            watch.since.get_or_insert_with(Instant::now);
        };
        match self.victim {
            Victim::Server => {
                let mut server = self.server.take().unwrap();
                server.process.kill();
                dies();
                // Also while it starts.
                if dice.chance(10) {
                    let mut starting = Process::spawn(command(&self.options, &server.data_dir));
                    tokio::time::sleep(Duration::from_millis(dice.between(0, 400))).await;
                    starting.kill();
                }
                let again = TestServer::start(self.options.clone()).await;
                line.turn_to(again.client().await);
                self.server = Some(again);
            }
            Victim::Temporal => {
                self.temporal.take().unwrap().process.kill();
                dies();
                self.temporal = Some(TestTemporal::start_kept(self.port, &self.file).await);
            }
            Victim::Postgres => {
                let postgres = self.postgres.clone().unwrap();
                let killed = postgres.clone();
                tokio::task::spawn_blocking(move || killed.kill())
                    .await
                    .unwrap();
                dies();
                tokio::time::sleep(Duration::from_millis(dice.between(0, 1_500))).await;
                tokio::task::spawn_blocking(move || postgres.restart())
                    .await
                    .unwrap();
            }
        }
    }
}

/// I1 to I8, and that no acknowledged order is lost.
async fn check(data: &std::path::Path, played: &[Played], row: &mut Row) {
    let books = Books::open(data).await;
    let mut entries = books.entries().await;
    entries.retain(|id, _| !id.starts_with(PROBE));
    for played in played {
        let id = &played.plan.placing.order_id;
        let Some(entry) = entries.get(id) else {
            row.wrong.push(format!("{id} is lost"));
            continue;
        };
        let checked = catch_unwind(AssertUnwindSafe(|| checks::one(entry, played)));
        if let Err(panic) = checked {
            let finding = super::words(panic.as_ref());
            match finding.contains("I2") || finding.contains("times") {
                true => row.double.push(finding),
                false => row.wrong.push(finding),
            }
        }
    }
    if entries.len() != played.len() {
        row.wrong.push("orders that nobody placed".to_owned());
    }
    let balance = AssertUnwindSafe(checks::balance(&books, &entries));
    if let Err(panic) = futures::FutureExt::catch_unwind(balance).await {
        row.wrong.push(super::words(panic.as_ref()));
    }
    books.close().await;
}

/// That no acknowledged order is lost, and each is closed.
async fn are_closed(line: &Line, played: &[Played], row: &mut Row) {
    for played in played {
        let order = line.get(&played.plan.placing.order_id).await;
        if order.close_time.is_none() {
            row.wrong.push(format!("{} is not closed", order.order_id));
        }
    }
}

/// The program's own opinion.
fn verify(data: &std::path::Path, database_url: Option<String>, temporal: &str, row: &mut Row) {
    let mut verify = Command::new(env!("CARGO_BIN_EXE_orders"));
    verify.arg("verify").arg("--data-dir").arg(data);
    if let Some(url) = database_url {
        verify.env("ORDERS_DATABASE_URL", url);
    }
    verify.args(["--temporal-address", temporal]);
    let verified = verify.output().unwrap();
    if !verified.status.success() {
        let said = String::from_utf8_lossy(&verified.stdout).into_owned();
        let errors = String::from_utf8_lossy(&verified.stderr);
        row.wrong.push(format!("orders verify: {said}{errors}"));
    }
}
