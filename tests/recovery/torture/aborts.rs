//! The process dies at a named boundary of a step, and is started again, perhaps after a cancellation:
//! the orders come to the same end, with the same effects.

use super::{
    asking,
    effects::Effects,
    stage::{Reference, Stage, check_stock},
    stories::Story,
    table::Row,
};
use crate::recovery::soak::{books::Books, dice::Dice, send::Line};
use futures::{StreamExt, future::join_all, stream};
use orders_domain::{order::Order, policy::CancelCutoff, state::OrderState, step::Step};
use orders_test_support::{TestServer, eventually, sku, unique};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

/// Orders in flight at each abort.
const ORDERS: usize = 3;

/// Servers at the same time: most of the time each waits for Temporal to notice.
const AT_ONCE: usize = 6;

/// One abort.
struct Cell {
    story: &'static Story,
    boundary: String,
    /// Which passing of the boundary it is.
    number: u64,
    /// Whether the orders are cancelled before the restart.
    cancel: bool,
    /// Whether each provider asks for a moment, so that each step is committed for itself.
    alone: bool,
}

/// What an abort left behind.
struct Died {
    /// The server that was started after it.
    server: TestServer,
    /// The orders as they were between the two.
    before: BTreeMap<String, Order>,
    /// The orders whose workflow was asked to cancel.
    asked: BTreeSet<String>,
    /// Whether the boundary was met.
    met: bool,
}

/// All aborts of these stories, or so many of them, chosen by the seed.
pub async fn row(stories: &[&'static Story], sample: Option<usize>, seed: u64) -> Row {
    let began = Instant::now();
    let references = Reference::of_all(stories).await;
    let mut dice = Dice::new(seed, 4_000_000);
    let mut cells = Vec::new();
    for story in stories {
        for (boundary, alone) in boundaries(&references[story.name]) {
            for cancel in [false, true] {
                cells.push(Cell {
                    story,
                    boundary: boundary.clone(),
                    number: dice.between(1, ORDERS as u64),
                    cancel,
                    alone,
                });
            }
        }
    }
    let all = cells.len();
    if let Some(sample) = sample {
        // Fisher and Yates, so that every run takes others.
        for last in (1..cells.len()).rev() {
            cells.swap(last, dice.between(0, last as u64) as usize);
        }
        cells.truncate(sample);
    }
    let mut row = Row::new(&format!("abort at a boundary ({} of {all})", cells.len()));
    let references = &references;
    let mut played = stream::iter(cells)
        .map(|cell| async move { cell.play(&references[cell.story.name].effects).await })
        .buffer_unordered(AT_ONCE);
    while let Some(found) = played.next().await {
        row.add(found);
    }
    row.took = began.elapsed();
    row
}

/// Those that the process passes, and for each of an activity the moment when Temporal knows it. Then
/// those that it passes only where each step is committed for itself.
fn boundaries(reference: &Reference) -> Vec<(String, bool)> {
    let passed = reference.boundaries.iter();
    let told = passed
        .clone()
        .filter_map(|name| Some(format!("told:{}", name.strip_prefix("after:")?)));
    let steps = passed.clone().filter_map(|name| {
        let step = name.strip_prefix("before:")?;
        Step::ALL.iter().find(|known| known.as_str() == step)
    });
    let alone = steps.map(|step| format!("after:{step}"));
    let alone = alone.filter(|name| !reference.boundaries.contains(name));
    let together = passed.cloned().chain(told).map(|name| (name, false));
    together.chain(alone.map(|name| (name, true))).collect()
}

impl Cell {
    fn name(&self) -> String {
        let cancel = if self.cancel { ", cancelled" } else { "" };
        let alone = if self.alone { ", alone" } else { "" };
        let (story, boundary, number) = (self.story.name, &self.boundary, self.number);
        format!("{story} at {boundary}#{number}{alone}{cancel}")
    }

    async fn play(&self, expected: &Effects) -> Row {
        let mut row = Row::new("");
        row.runs = 1;
        row.orders = ORDERS;
        let mut stage = Stage::new().await;
        if self.alone {
            stage.options = stage.options.arg("--simulate").arg("all:latency=1ms");
        }
        let at = format!("{}#{}", self.boundary, self.number);
        let doomed = stage.options.clone().env("ORDERS_TEST_ABORT_AT", &at);
        let server = TestServer::start(doomed).await;
        let line = Line::new(server.client().await);
        let sku = sku();
        let had = ORDERS as i64 + 2;
        line.client().stock(&sku, had).await;
        let ids: Vec<String> = (0..ORDERS).map(|_| unique(self.story.name)).collect();
        let ended = AtomicUsize::new(0);
        let playing = join_all(ids.iter().map(async |id| {
            let played = self.story.play(&line, id, &sku).await;
            ended.fetch_add(1, Ordering::SeqCst);
            played
        }));
        let dying = self.die(server, &stage, &line, &ids, &ended);
        let (
            played,
            Died {
                server,
                before,
                asked,
                met,
            },
        ) = futures::join!(playing, dying);
        row.kills = usize::from(met);
        if !met {
            row.wrong.push(format!("{}: never came there", self.name()));
        }
        for error in played.into_iter().filter_map(Result::err) {
            // What was cancelled refuses the rest of its story.
            if !self.cancel || error.contains("no end") {
                row.wrong.push(format!("{}: {error}", self.name()));
            }
        }
        let effects = stage.effects().await;
        let ends: Vec<&Effects> = ids.iter().filter_map(|id| effects.get(id)).collect();
        if ends.len() != ORDERS || effects.len() != ORDERS {
            row.wrong.push(format!("{}: an order is lost", self.name()));
        }
        for (id, effects) in &effects {
            match asked.contains(id) {
                true => self.judge_cancelled(effects, expected, before.get(id), &mut row),
                false => effects.compare(expected, &self.name(), &mut row),
            }
        }
        check_stock(&line, &sku, had, &ends, &mut row).await;
        for id in &ids {
            eventually("the end of the workflow", async || {
                asking::is_completed(&stage.temporal, id)
                    .await
                    .then_some(())
            })
            .await;
        }
        if server.stop().await != Some(0) {
            row.wrong.push(format!("{}: bad exit", self.name()));
        }
        row
    }

    /// Waits until the server has died at the boundary (or is killed there from outside), and starts
    /// another.
    async fn die(
        &self,
        mut server: TestServer,
        stage: &Stage,
        line: &Line,
        ids: &[String],
        ended: &AtomicUsize,
    ) -> Died {
        let told = self.boundary.strip_prefix("told:");
        let mut met = false;
        while !met && ended.load(Ordering::SeqCst) < ORDERS {
            if let Some(activity) = told {
                let id = &ids[self.number as usize - 1];
                met = asking::knows(&stage.temporal, id, activity).await;
            }
            met |= server.process.ended().is_some();
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        // The last of all passings may come after the last order was seen to be closed.
        if told.is_some() && !met {
            met = true;
        } else if !met {
            let grace = tokio::time::Instant::now() + std::time::Duration::from_secs(2);
            while !met && tokio::time::Instant::now() < grace {
                met = server.process.ended().is_some();
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
        server.process.kill();
        let books = Books::open(&server.data_dir).await;
        let entries = books.entries().await.into_iter();
        let before = entries.map(|(id, entry)| (id, entry.order)).collect();
        books.close().await;
        let mut asked = BTreeSet::new();
        if self.cancel {
            for id in ids {
                // The process may have died before it had started the order's workflow.
                if asking::cancel(&stage.temporal, id).await {
                    asked.insert(id.clone());
                }
            }
        }
        let again = TestServer::start(stage.options.clone()).await;
        line.turn_to(again.client().await);
        Died {
            server: again,
            before,
            asked,
            met,
        }
    }

    /// Without a cancellation the end is that of the story; with one it is undone, where that was still
    /// possible, and else the story's again.
    fn judge_cancelled(
        &self,
        effects: &Effects,
        expected: &Effects,
        before: Option<&Order>,
        row: &mut Row,
    ) {
        let name = self.name();
        // A cancellation that came too late is recorded as refused.
        let mut without = effects.clone();
        without.log.retain(|event| *event != "COMMAND_REFUSED");
        // A rejection that was on its way already undoes the order just as well. And Temporal keeps a
        // command of the story that the dead server had sent: it comes before the cancellation, and an
        // order that waited for nothing else has left when that comes, and says so.
        let waited = before.is_some_and(|order| {
            matches!(
                order.state,
                OrderState::AwaitingPayment
                    | OrderState::AwaitingApproval
                    | OrderState::AwaitingRelease
            )
        });
        let left = waited && follows(&effects.log, "FULFILLMENT_STARTED", "COMMAND_REFUSED");
        let fine = effects.is_undone() || left || !before.is_some_and(must_be_undone);
        if without == *expected && fine {
            return;
        }
        let late = before.is_some_and(|order| order.shipment.dispatched || order.state.is_closed());
        let cancelled = effects.end.starts_with("CANCELLED");
        if without.is_double(expected) {
            row.double.push(format!("{name}: {effects:?}"));
        } else if late || !cancelled || !effects.is_undone() {
            row.wrong.push(format!(
                "{name}: {effects:?} where {:?} was before the cancellation",
                before.map(|order| order.state)
            ));
        }
    }
}

/// Whether `later` stands in the log after `earlier`.
fn follows(log: &[&str], earlier: &str, later: &str) -> bool {
    let mut rest = log.iter().skip_while(|event| **event != earlier);
    rest.any(|event| *event == later)
}

/// Whether an order that was so when it was cancelled can only end undone. Where each step is a task of
/// Temporal's, one that is under way may be earlier than the cancellation.
fn must_be_undone(order: &Order) -> bool {
    use orders_domain::policy::Lane;
    let possible = match order.policy.cancel_until {
        CancelCutoff::Dispatch => !order.shipment.dispatched,
        CancelCutoff::Fulfillment => matches!(
            order.state,
            OrderState::Placed
                | OrderState::AwaitingPayment
                | OrderState::AwaitingApproval
                | OrderState::AwaitingRelease
        ),
    };
    let local = order.policy.lane == Lane::Local && order.policy.name != "shipping-lane";
    possible && local && order.ending.is_none() && !order.state.is_closed()
}
