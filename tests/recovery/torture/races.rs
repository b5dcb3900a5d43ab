//! Many at once: the same command a hundred times, and two that exclude each other at one moment.

use super::{
    asking,
    effects::Effects,
    stage::{Reference, Stage},
    stories::{self, Moment, Story, What, asked},
    table::Row,
};
use crate::recovery::soak::{
    books::{Books, Entry},
    dice::Dice,
    send::{Answer, Line},
};
use futures::{StreamExt, future::join_all, stream};
use jiff::Timestamp;
use orders::v1::OrderState;
use orders_domain::{event::Change, order::Order};
use orders_test_support::{Placing, TestServer, eventually, sku, unique};
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant, SystemTime},
};

/// The same, so many times.
const DUPLICATES: usize = 100;

/// Races at the same time: few, so that the moments are met.
const AT_ONCE: usize = 6;

/// By so many milliseconds the next command comes later when this one won, and else earlier.
const AIM_STEP: i64 = 25;

/// A command of a story, by its number there.
const COMMANDS: &[(&str, usize)] = &[
    ("external-payment", 0),
    ("approval", 0),
    ("pre-order", 0),
    ("pre-order", 1),
    ("pre-order", 2),
    ("pre-order", 3),
    ("pre-order-cancelled", 0),
];

/// Each command (in the short form, every third) a hundred times at once, on `rounds` orders each.
pub async fn duplicates(rounds: usize, short: bool) -> Row {
    let began = Instant::now();
    let mut row = Row::new("100 duplicates of each command");
    let stage = Stage::new().await;
    let server = TestServer::start(stage.options.clone()).await;
    let line = Line::new(server.client().await);
    let sku = sku();
    line.client().stock(&sku, 100_000).await;
    let mut names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
    names.dedup();
    let stories: Vec<&'static Story> = names.into_iter().map(stories::named).collect();
    let references = Reference::of_all(&stories).await;
    for _ in 0..rounds {
        for (name, number) in COMMANDS.iter().step_by(if short { 3 } else { 1 }) {
            let story = stories::named(name);
            let id = unique(name);
            // The placing, too.
            join_all((0..DUPLICATES).map(|_| place(story, &line, &id, &sku))).await;
            let before = story.drive(&line, &id, 0, *number).await;
            let asked = asked(&id, story.asks[*number].what, story.units);
            let answers = join_all((0..DUPLICATES).map(|_| line.send(&asked))).await;
            let done = answers.iter().filter(|answer| **answer == Answer::Done);
            let done = done.count();
            if done != DUPLICATES {
                row.wrong
                    .push(format!("{asked:?}: done for {done} callers"));
            }
            let after = story.drive(&line, &id, number + 1, usize::MAX).await;
            let failed = [before, after].into_iter().filter_map(Result::err);
            row.wrong.extend(failed);
            row.runs += 2;
            row.orders += 1;
            let books = Books::open(&server.data_dir).await;
            let entry = books.entries().await.remove(&id);
            books.close().await;
            for request in [format!("{id}/place"), asked.request_id] {
                let events = entry.iter().flat_map(|entry| &entry.events);
                let of = events.filter(|event| event.request_id.as_ref() == Some(&request));
                match of.count() {
                    1 => {}
                    0 => row.wrong.push(format!("{request}: nothing was done")),
                    many => row.double.push(format!("{request}: done {many} times")),
                }
            }
            let effects = stage.effects().await;
            effects[&id].compare(&references[name].effects, &id, &mut row);
        }
    }
    server.stop().await;
    row.took = began.elapsed();
    row
}

/// The same request for all of them, the release time included.
async fn place(story: &Story, line: &Line, id: &str, sku: &str) {
    let mut placing = Placing::new(story.policy, sku).price(story.units, 0).0;
    placing.order_id = id.to_owned();
    placing.request_id = format!("{id}/place");
    if story.policy == "pre-order" {
        let release = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
        placing.release_time = Some(release.into());
    }
    line.place(&placing).await.unwrap();
}

/// Two that exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Race {
    /// CancelOrder, and the end of the wait for a payment or a release.
    CancelDeadline,
    /// ConfirmPayment, and the end of the wait for it.
    ConfirmTimeout,
    /// CancelOrder, and the charge with all that follows.
    CancelCharge,
}

/// How one race ended.
struct Ended {
    /// The answer to the command.
    answer: Answer,
    /// Whether the command came first. Money that comes too late is acknowledged as well, so the answer does not
    /// say it.
    won: bool,
}

/// So many races of each kind.
pub async fn races(each: usize, seed: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, race) in [
        ("cancel against deadline", Race::CancelDeadline),
        ("confirm against timeout", Race::ConfirmTimeout),
        ("cancel against charge", Race::CancelCharge),
    ] {
        rows.push(run(name, race, each, seed).await);
    }
    rows
}

async fn run(name: &str, race: Race, each: usize, seed: u64) -> Row {
    let began = Instant::now();
    let mut row = Row::new(name);
    let stage = Stage::new().await;
    let options = stage.options.clone().arg("--simulate");
    let server = TestServer::start(options.arg("payment:latency=30ms")).await;
    let line = Line::new(server.client().await);
    let sku = sku();
    let had = each as i64 + 10;
    line.client().stock(&sku, had).await;
    let mut dice = Dice::new(seed, 6_000_000);
    let plans: Vec<(String, i64)> = (0..each)
        .map(|_| (unique("race"), dice.between(0, 80) as i64))
        .collect();
    // How long a charge takes, and how late a timer is, is the machine's affair: the aim follows who won.
    let aim = &AtomicI64::new(race.first_aim());
    let run = stream::iter(plans).map(|(id, offset)| {
        let (line, sku) = (&line, &sku);
        async move {
            let offset = aim.load(Ordering::SeqCst) + offset - 40;
            let ended = race.run(line, &id, sku, offset).await;
            let won = ended.as_ref().is_ok_and(|ended| ended.won);
            aim.fetch_add(if won { AIM_STEP } else { -AIM_STEP }, Ordering::SeqCst);
            (id, ended)
        }
    });
    let ended: Vec<(String, Result<Ended, String>)> = run.buffer_unordered(AT_ONCE).collect().await;
    let books = Books::open(&server.data_dir).await;
    let entries = books.entries().await;
    books.close().await;
    let effects = stage.effects().await;
    let mut won = 0;
    for (id, ended) in ended {
        row.runs += 1;
        row.orders += 1;
        match ended {
            Err(error) => row.wrong.push(error),
            Ok(Ended { answer, won: first }) => {
                won += usize::from(first);
                race.judge(&entries[&id], &effects[&id], answer, &mut row);
                same_in_temporal(&stage, &entries[&id], &mut row).await;
            }
        }
    }
    println!("{name}: the command won {won} of {each}");
    if each >= 100 && (won == 0 || won == each) {
        row.wrong
            .push(format!("no race: the command won {won} of {each}"));
    }
    let ends: Vec<&Effects> = effects.values().collect();
    super::stage::check_stock(&line, &sku, had, &ends, &mut row).await;
    server.stop().await;
    row.took = began.elapsed();
    row
}

impl Race {
    /// When the first command comes, in milliseconds after the placing or the deadline.
    fn first_aim(self) -> i64 {
        match self {
            Race::CancelCharge => 200,
            Race::CancelDeadline | Race::ConfirmTimeout => 0,
        }
    }

    fn policy(self, id: &str) -> &'static str {
        match self {
            // Ids end with a number: half of them wait for the one, half for the other.
            Race::CancelDeadline if id.ends_with(['1', '3', '5', '7', '9']) => "torture-release",
            Race::CancelDeadline | Race::ConfirmTimeout => "torture-payment",
            // In the local lane one workflow task does it all, and no command comes between.
            Race::CancelCharge => "torture-charge",
        }
    }

    /// Places an order, sends the command at its moment, and waits for the end.
    async fn run(self, line: &Line, id: &str, sku: &str, offset: i64) -> Result<Ended, String> {
        let story = Story {
            name: "race",
            policy: self.policy(id),
            units: 20,
            asks: &[stories::Ask {
                when: Moment::Unpaid,
                what: What::Pay,
            }],
        };
        story.place(line, id, sku).await;
        let what = match self {
            Race::ConfirmTimeout => What::Pay,
            _ => What::Cancel,
        };
        let asked = asked(id, what, story.units);
        if self == Race::CancelCharge {
            tokio::time::sleep(Duration::from_millis(offset.max(0) as u64)).await;
        } else {
            // On a busy machine it may have passed before it was seen: then the command comes too late.
            let deadline = eventually("the deadline", async || {
                let order = line.get(id).await;
                let end = order.deadline.and_then(|deadline| deadline.expire_time);
                (end.is_some() || order.close_time.is_some()).then_some(end)
            })
            .await;
            let end = deadline.map_or_else(Timestamp::now, |deadline| {
                Timestamp::new(deadline.seconds, deadline.nanos).unwrap()
            });
            let left = end.duration_since(Timestamp::now()).as_millis() as i64 + offset;
            tokio::time::sleep(Duration::from_millis(left.max(0) as u64)).await;
        }
        let answer = line.send(&asked).await;
        // Nothing more is asked.
        story.drive(line, id, 1, usize::MAX).await?;
        let won = match self {
            Race::ConfirmTimeout => line.get(id).await.state() == OrderState::Completed,
            Race::CancelDeadline | Race::CancelCharge => answer == Answer::Done,
        };
        Ok(Ended { answer, won })
    }

    fn judge(self, entry: &Entry, effects: &Effects, answer: Answer, row: &mut Row) {
        let count = |of: fn(&Change) -> bool| {
            let events = entry.events.iter();
            events.filter(|event| of(&event.change)).count()
        };
        let cancelled = count(|change| matches!(change, Change::CancelRequested { .. }));
        // Money that comes too late is acknowledged, and counts for nothing.
        let paid = count(
            |change| matches!(change, Change::PaymentConfirmed { counted, .. } if *counted > 0),
        );
        let passed = count(|change| matches!(change, Change::DeadlinePassed { .. }));
        let done = usize::from(answer == Answer::Done);
        let right = match self {
            Race::CancelDeadline => cancelled == done && passed == 1 - done,
            Race::ConfirmTimeout => done == 1 && paid + passed == 1,
            Race::CancelCharge => cancelled == done,
        };
        let completes = match self {
            Race::CancelDeadline => false,
            Race::ConfirmTimeout => paid == 1,
            Race::CancelCharge => done == 0,
        };
        let total = entry.order.total.minor;
        let ended = match completes {
            true => effects.end.starts_with("COMPLETED") && effects.sums == (total, 0),
            false => effects.end.starts_with("CANCELLED") && effects.is_undone(),
        };
        let id = &entry.order.order_id;
        if cancelled + passed + paid > 1 || effects.is_double(effects) {
            row.double.push(format!("{id}: {self:?}: {effects:?}"));
        } else if !right || !ended {
            row.wrong.push(format!(
                "{id}: {self:?} was answered {answer:?}: {effects:?}"
            ));
        }
    }
}

/// The closed workflow says what the row says.
async fn same_in_temporal(stage: &Stage, entry: &Entry, row: &mut Row) {
    let id = &entry.order.order_id;
    eventually("the end of the workflow", async || {
        asking::is_completed(&stage.temporal, id)
            .await
            .then_some(())
    })
    .await;
    let told = asking::order(&stage.temporal, id).await;
    // Money that came after the close is only in the store where the workflow had ended.
    let mut at_close = Order::from_placed(&entry.events[0]);
    for event in &entry.events {
        let open = at_close.as_mut().filter(|order| !order.state.is_closed());
        if let Some(order) = open {
            order.apply(event);
        }
    }
    let same = told.as_ref() == Ok(&entry.order) || told.as_ref().ok() == at_close.as_ref();
    if !same {
        row.wrong.push(format!("{id}: Temporal has {told:?}"));
    }
}
