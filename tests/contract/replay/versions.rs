//! Worker versioning: two builds beside each other, and orders that go on from one to the other.

use orders::v1::OrderState;
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, TestTemporal, eventually,
    process::Process,
    sku,
    temporal::{connect, tool},
};
use std::process::Command;
use temporalio_client::UntypedWorkflow;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

const BUILDS: [&str; 2] = ["build-1", "build-2"];

fn cli(temporal: &TestTemporal, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(tool("temporal").unwrap());
    let deployment = ["worker", "deployment"];
    command.args(deployment).args(args);
    let output = command
        .args(["--address", &temporal.address])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

/// What Temporal says of our builds, once it knows that one.
async fn described(temporal: &TestTemporal, build: &str) -> String {
    eventually(&format!("Temporal to know {build}"), async || {
        let described = cli(temporal, &["describe", "--name", "orders"]).ok()?;
        described.contains(build).then_some(described)
    })
    .await
}

/// Makes a build the current one, as `docs/operations.md` says. Temporal wants it to poll both task queues
/// first.
async fn make_current(temporal: &TestTemporal, build: &str) {
    described(temporal, build).await;
    let args = [
        "set-current-version",
        "--yes",
        "--deployment-name",
        "orders",
        "--build-id",
        build,
    ];
    eventually(&format!("{build} to be current"), async || {
        cli(temporal, &args).ok()
    })
    .await;
}

/// The builds that carried out a workflow's tasks, oldest first.
async fn builds_of(temporal: &TestTemporal, workflow_id: &str) -> Vec<String> {
    let client = connect(&temporal.address).await;
    let handle = client.get_workflow_handle::<UntypedWorkflow>(workflow_id);
    let events = handle.fetch_history(Default::default()).into_events().await;
    let build = |attributes| match attributes {
        Some(Attributes::WorkflowTaskCompletedEventAttributes(task)) => {
            Some(task.deployment_version.unwrap_or_default().build_id)
        }
        _ => None,
    };
    events
        .unwrap()
        .into_iter()
        .filter_map(|event| build(event.attributes))
        .collect()
}

fn versioned(options: ServerOptions, build: &str) -> ServerOptions {
    options
        .arg("--deployment-name")
        .arg("orders")
        .arg("--build-id")
        .arg(build)
}

#[tokio::test]
async fn orders_go_on_under_the_build_that_is_current() {
    let temporal = TestTemporal::start().await;
    let data = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address).data_dir(data.path());
    let server = TestServer::start(versioned(options, BUILDS[0])).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    make_current(&temporal, BUILDS[0]).await;
    let held = client.held(&sku).await;
    let order = format!("order/{held}");
    let first = builds_of(&temporal, &order).await;
    assert!(first.iter().all(|build| build == BUILDS[0]), "{first:?}");

    // The second build stands by: what is asked of the order is still done by the first.
    let _second = second_build(&temporal, data.path());
    described(&temporal, BUILDS[1]).await;
    client.move_to(&held, "2 New St").await.unwrap();
    let before = builds_of(&temporal, &order).await;
    assert!(before.iter().all(|build| build == BUILDS[0]), "{before:?}");

    // From here on, the order that the first one began is the second one's, and so are new ones.
    make_current(&temporal, BUILDS[1]).await;
    // It takes a moment until every part of Temporal has heard of it.
    eventually("the second build to take the order over", async || {
        client.move_to(&held, "3 New St").await.unwrap();
        let builds = builds_of(&temporal, &order).await;
        (builds.last()? == BUILDS[1]).then_some(())
    })
    .await;
    client.start_fulfillment(&held).await.unwrap();
    client.until_pickup_requested(&held).await;
    client.confirm_pickup(&held).await.unwrap();
    client.confirm_delivery(&held).await.unwrap();
    client.until(&held, OrderState::Completed).await;
    // And there is no way back.
    let builds = builds_of(&temporal, &order).await;
    assert!(builds.is_sorted(), "{builds:?}");
    assert_eq!(builds.last().unwrap(), BUILDS[1], "{builds:?}");
    eventually(
        "an order of the second build alone, with its lane",
        async || {
            let shipped = in_lane(&client, &sku).await;
            let mut builds = builds_of(&temporal, &format!("order/{shipped}")).await;
            builds.extend(builds_of(&temporal, &format!("shipping/{shipped}")).await);
            builds.iter().all(|build| build == BUILDS[1]).then_some(())
        },
    )
    .await;
    let described = described(&temporal, BUILDS[0]).await;
    println!("{described}");
    assert!(
        BUILDS.iter().all(|build| described.contains(build)),
        "{described}"
    );
}

fn second_build(temporal: &TestTemporal, data: &std::path::Path) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orders"));
    command
        .args([
            "worker",
            "--temporal-address",
            &temporal.address,
            "--data-dir",
        ])
        .arg(data)
        .envs(orders_test_support::server::database_env(data))
        .args(["--deployment-name", "orders", "--build-id", BUILDS[1]]);
    Process::spawn(command)
}

async fn in_lane(client: &Client, sku: &str) -> String {
    let placing = Placing::new("shipping-lane", sku);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::Completed).await;
    id
}

#[test]
fn half_a_version_is_refused() {
    for flag in [["--deployment-name", "orders"], ["--build-id", "build-1"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orders"));
        let output = command.arg("serve").args(flag).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}
