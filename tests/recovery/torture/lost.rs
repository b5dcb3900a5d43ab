//! The answer of a provider is lost, for each call of each story: it is asked again, and nothing is
//! done twice.

use super::{
    effects::Effects,
    stage::{Reference, Stage, check_stock},
    stories::Story,
    table::Row,
};
use crate::recovery::soak::send::Line;
use futures::{StreamExt, future::join_all, stream};
use orders_domain::step::Step;
use orders_test_support::{TestServer, sku, unique};
use std::{collections::BTreeMap, time::Instant};

/// Servers at the same time.
const AT_ONCE: usize = 3;

/// These stories; each step alone when `each`, and in any case all of them together. The first
/// `losses` answers of each call are lost.
pub async fn row(stories: &[&'static Story], each: bool, losses: &[u32]) -> Row {
    let began = Instant::now();
    let references = &Reference::of_all(stories).await;
    let mut rules: Vec<(Option<Step>, u32)> = vec![(None, 1)];
    if each {
        let all = Step::ALL.iter();
        rules.extend(all.flat_map(|step| losses.iter().map(|count| (Some(*step), *count))));
    }
    let mut row = Row::new("answers lost at each provider call");
    let mut played = stream::iter(rules)
        .map(|(step, count)| async move { one(stories, references, step, count).await })
        .buffer_unordered(AT_ONCE);
    while let Some(found) = played.next().await {
        row.add(found);
    }
    row.took = began.elapsed();
    row
}

async fn one(
    stories: &[&'static Story],
    references: &BTreeMap<&str, Reference>,
    step: Option<Step>,
    count: u32,
) -> Row {
    let mut row = Row::new("");
    let calls = |story: &&&'static Story| {
        let boundaries = &references[story.name].boundaries;
        step.is_none_or(|step| boundaries.contains(&format!("before:{step}")))
    };
    let stories: Vec<&'static Story> = stories.iter().filter(calls).copied().collect();
    if stories.is_empty() {
        return row;
    }
    let rule = match step {
        Some(step) => format!("all:only={step},lost-first={count}"),
        None => format!("all:lost-first={count}"),
    };
    let stage = Stage::new().await;
    let options = stage.options.clone().arg("--simulate").arg(&rule);
    let server = TestServer::start(options).await;
    let line = Line::new(server.client().await);
    let sku = sku();
    line.client().stock(&sku, 100).await;
    let ids: Vec<(String, &Story)> = stories.iter().map(|s| (unique(s.name), *s)).collect();
    let played = join_all(ids.iter().map(|(id, story)| story.play(&line, id, &sku))).await;
    let failed = played.into_iter().filter_map(Result::err);
    row.wrong
        .extend(failed.map(|error| format!("{rule}: {error}")));
    let effects = stage.effects().await;
    row.runs = 1;
    row.orders = ids.len();
    for (id, story) in &ids {
        let expected = &references[story.name].effects;
        let name = format!("{} with {rule}", story.name);
        effects[id].compare(expected, &name, &mut row);
        let lost = format!("ATTEMPT_FAILED of {id}");
        if line.client().count_events(id, "ATTEMPT_FAILED").await == 0 {
            row.wrong.push(format!("{rule}: no {lost}"));
        }
    }
    let ends: Vec<&Effects> = effects.values().collect();
    check_stock(&line, &sku, 100, &ends, &mut row).await;
    server.stop().await;
    row
}
