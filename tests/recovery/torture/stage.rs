//! A server for the stories: its own data and task queue, on a Temporal that many share.

use super::{effects, effects::Effects, stories, stories::Story, table::Row};
use crate::recovery::soak::{books::Books, send::Line};
use futures::future::join_all;
use orders_test_support::{ServerOptions, TestServer, TestTemporal, unique};
use std::collections::BTreeMap;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The folder and the settings of a server.
pub struct Stage {
    /// Everything that its servers keep.
    pub folder: TempDir,
    /// How its servers are started.
    pub options: ServerOptions,
    /// Where Temporal is.
    pub temporal: String,
}

impl Stage {
    /// One that nobody else uses.
    pub async fn new() -> Stage {
        let temporal = temporal().await.to_owned();
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("policies.toml");
        std::fs::write(&policies, stories::POLICIES).unwrap();
        let options = ServerOptions::with_temporal(&temporal)
            .data_dir(&folder.path().join("data"))
            .arg("--task-queue")
            .arg(&unique("torture"))
            .arg("--policies")
            .arg(policies.to_str().unwrap());
        Stage {
            folder,
            options,
            temporal,
        }
    }

    /// The effects of all its orders.
    pub async fn effects(&self) -> BTreeMap<String, Effects> {
        let books = Books::open(&self.folder.path().join("data")).await;
        let effects = effects::of_all(&books).await;
        books.close().await;
        effects
    }
}

/// A Temporal that the parts of the proof share.
pub async fn temporal() -> &'static str {
    static SHARED: OnceCell<TestTemporal> = OnceCell::const_new();
    &SHARED.get_or_init(TestTemporal::start).await.address
}

/// A story as it is without any harm.
pub struct Reference {
    /// Its effects.
    pub effects: Effects,
    /// The boundaries that the process passes, in the order of their first passing.
    pub boundaries: Vec<String>,
}

impl Reference {
    /// Plays it.
    pub async fn of(story: &Story) -> Reference {
        let stage = Stage::new().await;
        let options = stage
            .options
            .clone()
            .env("ORDERS_TEST_SHOW_BOUNDARIES", "1");
        let server = TestServer::start(options).await;
        let line = Line::new(server.client().await);
        let sku = orders_test_support::sku();
        line.client().stock(&sku, 10).await;
        let ids = [unique(story.name), unique(story.name)];
        let played = join_all(ids.iter().map(|id| story.play(&line, id, &sku))).await;
        for played in played {
            played.unwrap_or_else(|error| panic!("{} without any harm: {error}", story.name));
        }
        let mut effects = stage.effects().await;
        let [first, second] = ids.map(|id| effects.remove(&id).unwrap());
        assert_eq!(first, second, "{} is not the same each time", story.name);
        let mut boundaries: Vec<String> = Vec::new();
        for line in server.process.output().lines() {
            let Some((_, rest)) = line.split_once("boundary ") else {
                continue;
            };
            let name = rest.split(';').next().unwrap_or_default().to_owned();
            if !boundaries.contains(&name) {
                boundaries.push(name);
            }
        }
        assert!(!boundaries.is_empty(), "{}: no boundaries", story.name);
        server.stop().await;
        Reference {
            effects: first,
            boundaries,
        }
    }

    /// Those of several stories.
    pub async fn of_all(stories: &[&'static Story]) -> BTreeMap<&'static str, Reference> {
        use futures::StreamExt;
        let references = futures::stream::iter(stories.to_vec());
        let references = references
            .map(|story| async move { (story.name, Reference::of(story).await) })
            .buffer_unordered(4);
        references.collect().await
    }
}

/// What is left of a sku must be what the ends of the orders say.
pub async fn check_stock(line: &Line, sku: &str, had: i64, ends: &[&Effects], row: &mut Row) {
    let item = line.client().stock_item(sku).await;
    let left: i64 = ends
        .iter()
        .flat_map(|effects| &effects.reservations)
        .filter(|(_, state)| state == "COMMITTED")
        .map(|(pieces, _)| pieces)
        .sum();
    if (item.on_hand(), item.reserved) != (had - left, 0) {
        let (on_hand, reserved) = (item.on_hand(), item.reserved);
        row.wrong.push(format!(
            "stock of {sku}: {on_hand} on hand, {reserved} reserved; {had} were there, {left} left"
        ));
    }
}
