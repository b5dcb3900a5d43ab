//! The recorder: drives orders of every policy on every path, and keeps the histories.

use super::{
    folder,
    gate::assert_replays,
    money,
    stories::{self, until_ended},
};
use crate::process::scenarios::{self, Servers};
use futures::StreamExt;
use orders_test_support::{
    TestTemporal, eventually,
    temporal::{connect, is_known},
};
use std::{collections::BTreeMap, path::Path, time::SystemTime};
use temporalio_client::{
    UntypedWorkflow, WorkflowDescribeOptions, WorkflowExecution, WorkflowExecutionInfo,
    WorkflowFetchHistoryOptions, WorkflowListOptions,
};

/// Names the release to record, as in `v2`. Without it, what is recorded is only replayed.
const RELEASE: &str = "RECORD_RELEASE";

/// Long: all paths, and the stories beside them. `make record RELEASE=v2` keeps what it records.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "records every path: some minutes; `make record` keeps the histories"]
async fn record_every_path() {
    let scratch = tempfile::tempdir().unwrap();
    let release = match std::env::var(RELEASE) {
        Ok(name) => folder::histories().join(name),
        Err(_) => scratch.path().join("now"),
    };
    assert!(
        !release.exists(),
        "{} was recorded before: recorded histories are never changed, name another release",
        release.display()
    );
    record_scenarios(&release).await;
    record_story(&release, "signals", stories::signals().await).await;
    record_story(&release, "cancels", stories::temporal_cancels().await).await;
    record_story(&release, "long", stories::continued_as_new().await).await;
    let temporal = TestTemporal::start().await;
    record_story(&release, "supplies", stories::replenishment(temporal).await).await;
    let temporal = TestTemporal::with_short_histories(10).await;
    record_story(
        &release,
        "long-supplies",
        stories::replenishment(temporal).await,
    )
    .await;
    record_story(&release, "resumed", stories::resumed().await).await;
    record_story(&release, "healed", stories::taken_over().await).await;
    record_story(&release, "same-moment", stories::in_the_same_moment().await).await;
    record_story(&release, "regular", stories::regular_activities().await).await;
    record_story(&release, "moved", stories::moved().await).await;
    record_story(&release, "aborted", stories::aborted().await).await;
    record_story(&release, "outside", money::outside().await).await;
    record_story(&release, "operated", money::operated().await).await;
    record_story(&release, "open", stories::waiting().await).await;
    assert_replays(release.parent().unwrap()).await;
}

/// The table of [`scenarios`].
async fn record_scenarios(release: &Path) {
    let table = scenarios::all();
    let servers = Servers::start(&table).await;
    let (running, _) = scenarios::drive(&servers, table).await;
    for order in running {
        let address = servers.temporal_of(&order.scenario);
        let name = slug(order.scenario.policy, order.scenario.path);
        let id = format!("order/{}", order.order_id);
        until_ended(address, &id).await;
        keep(release, &name, address, &id, None).await;
        let lane = format!("shipping/{}", order.order_id);
        if is_known(address, &lane).await {
            until_ended(address, &lane).await;
            keep(release, &format!("{name}-lane"), address, &lane, None).await;
        }
    }
}

/// All runs of all workflows of a story.
async fn record_story(release: &Path, story: &str, temporal: TestTemporal) {
    let address = &temporal.address;
    // What Temporal lists comes a moment late; the newest run of each workflow is known at once.
    let runs = eventually("the list to be complete", async || {
        let runs = list(address).await;
        for (_, id, _) in &runs {
            let newest = newest_run(address, id).await;
            if !runs.iter().any(|(_, _, run)| *run == newest) {
                return None;
            }
        }
        (!runs.is_empty()).then_some(runs)
    })
    .await;
    let mut count = BTreeMap::<&str, usize>::new();
    for (_, id, run_id) in &runs {
        let run = count.entry(id).or_default();
        *run += 1;
        let name = format!("{story}-{}-{run}", id.replace('/', "-"));
        keep(release, &name, address, id, Some(run_id)).await;
    }
}

/// Start, workflow and id of every run, oldest first.
async fn list(address: &str) -> Vec<(Option<SystemTime>, String, String)> {
    let client = connect(address).await;
    let found = client.list_workflows("", WorkflowListOptions::default());
    let run = |found: WorkflowExecution| {
        let (id, run) = (found.id().to_owned(), found.run_id().to_owned());
        (found.start_time(), id, run)
    };
    let mut runs: Vec<_> = found.map(|found| run(found.unwrap())).collect().await;
    runs.sort();
    runs
}

async fn newest_run(address: &str, workflow_id: &str) -> String {
    let client = connect(address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let described = handle.describe(WorkflowDescribeOptions::default()).await;
    described.unwrap().run_id().to_owned()
}

/// Keeps one run of a workflow, or the newest.
async fn keep(release: &Path, name: &str, address: &str, workflow_id: &str, run: Option<&str>) {
    let info = WorkflowExecutionInfo::builder()
        .namespace("default")
        .workflow_id(workflow_id)
        .maybe_run_id(run)
        .build();
    let handle = info.bind_untyped(connect(address).await);
    folder::write(
        release,
        name,
        handle.fetch_history(WorkflowFetchHistoryOptions::default()),
    )
    .await;
}

/// `standard`, `nobody reviews it for 24 h` becomes `standard-nobody-reviews-it-for-24-h`.
pub fn slug(policy: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    format!("{policy}-{}", words.join("-"))
}
