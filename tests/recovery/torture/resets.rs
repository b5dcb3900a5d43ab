//! A workflow is reset to each of its workflow tasks, while its order is open and after it closed: the
//! same end, and nothing is done a second time.

use super::{
    asking,
    effects::Effects,
    stage::{Reference, Stage, check_stock},
    stories::{Story, until_told},
    table::Row,
};
use crate::recovery::soak::send::Line;
use futures::{StreamExt, future::join_all, stream};
use orders_test_support::{TestServer, eventually, sku, unique};
use std::time::Instant;

/// Stories at the same time.
const AT_ONCE: usize = 3;

/// These stories, each reset to each of its tasks; `most` of them where that is given.
pub async fn row(stories: &[&'static Story], most: Option<usize>) -> Row {
    let began = Instant::now();
    let mut row = Row::new("reset to each workflow task");
    let mut played = stream::iter(stories.to_vec())
        .map(|story| async move { one(story, most.unwrap_or(usize::MAX)).await })
        .buffer_unordered(AT_ONCE);
    while let Some(found) = played.next().await {
        row.add(found);
    }
    row.took = began.elapsed();
    row
}

async fn one(story: &'static Story, most: usize) -> Row {
    let mut row = Row::new("");
    let expected = Reference::of(story).await.effects;
    let stage = Stage::new().await;
    let server = TestServer::start(stage.options.clone()).await;
    let line = Line::new(server.client().await);
    let sku = sku();
    let had = 1_000;
    line.client().stock(&sku, had).await;
    // While it is open, once at each of its waits; the last round is after its end.
    for stop in 0..=story.asks.len() {
        // How many tasks there are shows in one that goes ahead.
        let ahead = unique(story.name);
        story.place(&line, &ahead, &sku).await;
        let mut ids = vec![ahead.clone()];
        drive(story, &line, &ids, 0, stop, &mut row).await;
        settle(&stage, &line, &ids, stop < story.asks.len(), &mut row).await;
        let count = asking::tasks(&stage.temporal, &ahead).await.len().min(most);
        let others: Vec<String> = (1..count).map(|_| unique(story.name)).collect();
        join_all(others.iter().map(|id| story.place(&line, id, &sku))).await;
        drive(story, &line, &others, 0, stop, &mut row).await;
        ids.extend(others);
        let open = stop < story.asks.len();
        settle(&stage, &line, &ids, open, &mut row).await;
        for (number, id) in ids.iter().enumerate() {
            let tasks = asking::tasks(&stage.temporal, id).await;
            let Some(task) = tasks.get(number).or(tasks.last()) else {
                row.wrong.push(format!("{id}: no task to reset to"));
                continue;
            };
            row.runs += 1;
            row.kills += 1;
            if let Err(error) = asking::reset(&stage.temporal, id, *task).await {
                row.wrong
                    .push(format!("{id}: not reset to {task}: {error}"));
            }
        }
        settle(&stage, &line, &ids, open, &mut row).await;
        // A later command still works, and the story goes on to its end.
        drive(story, &line, &ids, stop, usize::MAX, &mut row).await;
        settle(&stage, &line, &ids, false, &mut row).await;
        row.orders += ids.len();
    }
    let effects = stage.effects().await;
    for (id, effects) in &effects {
        effects.compare(&expected, &format!("{id} after a reset"), &mut row);
    }
    let ends: Vec<&Effects> = effects.values().collect();
    check_stock(&line, &sku, had, &ends, &mut row).await;
    server.stop().await;
    row
}

async fn drive(story: &Story, line: &Line, ids: &[String], from: usize, to: usize, row: &mut Row) {
    let driven = join_all(ids.iter().map(|id| story.drive(line, id, from, to))).await;
    row.wrong.extend(driven.into_iter().filter_map(Result::err));
}

/// Waits until Temporal is where the rows are: it knows all of an open order, and is done with a
/// closed one.
async fn settle(stage: &Stage, line: &Line, ids: &[String], open: bool, row: &mut Row) {
    for id in ids {
        if open {
            until_told(&format!("Temporal to know {id}"), line, &stage.temporal, id).await;
            continue;
        }
        eventually(&format!("the end of the workflow of {id}"), async || {
            asking::is_completed(&stage.temporal, id)
                .await
                .then_some(())
        })
        .await;
        let told = asking::order(&stage.temporal, id).await;
        let kept = line.get(id).await;
        if told.as_ref().map(|order| order.revision) != Ok(kept.revision) {
            let told = told.map(|order| (order.revision, order.state));
            row.wrong.push(format!(
                "{id}: Temporal has {told:?}, the row {} {:?}",
                kept.revision,
                kept.state()
            ));
        }
    }
}
