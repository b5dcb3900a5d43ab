//! A worker that starts while Temporal does not describe its namespace: it recovers by itself.

use orders::v1::OrderState;
use orders_test_support::{
    Placing, ServerOptions, StandIn, TestServer, TestTemporal, eventually,
    process::Process,
    server::{command, database_env},
    sku,
    temporal::run_cli,
    unique,
};
use std::{path::Path, process::Command};

/// `orders worker` on a Temporal.
fn worker(address: &str, data_dir: &Path, args: &[&str]) -> Process {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_orders"));
    worker
        .args(["worker", "--temporal-address", address, "--data-dir"])
        .arg(data_dir)
        .args(args)
        .env_remove("TEMPORAL_NAMESPACE")
        .envs(database_env(data_dir));
    Process::spawn(worker)
}

async fn until_polling(stand_in: &StandIn) {
    eventually("the worker to poll", async || {
        (stand_in.open("PollWorkflowTaskQueue") > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_worker_waits_for_its_namespace_and_polls_then() {
    let (stand_in, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    stand_in.lose_namespace();
    let worker = worker(&stand_in.address, folder.path(), &["--run", "orders"]);
    // Long enough for several of the SDK's own tries, had it been asked.
    eventually("several looks", async || {
        (stand_in.calls("DescribeNamespace").len() > 4).then_some(())
    })
    .await;
    assert!(stand_in.calls("PollWorkflowTaskQueue").is_empty());
    assert_eq!(worker.line_with("ready: running orders"), None);
    let said = "temporal operator namespace create --namespace default --address";
    let output = worker.output();
    assert_eq!(output.matches(said).count(), 1, "{output}");
    stand_in.find_namespace();
    until_polling(&stand_in).await;
}

/// What was described is away again when the SDK looks for it, twice for each worker.
#[tokio::test]
async fn a_worker_whose_validation_fails_is_built_again() {
    let (stand_in, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    stand_in.describe_next(&[true, false, false, true, false, false]);
    let worker = worker(&stand_in.address, folder.path(), &["--run", "orders"]);
    until_polling(&stand_in).await;
    let output = worker.output();
    let failed = "could not be described: ";
    assert!(output.contains(failed), "{output}");
    assert!(!output.contains("overlapping"), "{output}");
}

#[tokio::test]
async fn a_namespace_that_is_created_later_is_found_and_made_searchable() {
    let temporal = TestTemporal::start().await;
    let namespace = unique("shop");
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::with_temporal(&temporal.address)
        .arg("--namespace")
        .arg(&namespace);
    let serve = options.clone().data_dir(folder.path());
    let server = TestServer::start(serve).await;
    let idle = folder.path().join("idle");
    let args = ["--namespace", &namespace, "--task-queue", "elsewhere"];
    let worker = worker(&temporal.address, &idle, &args);
    let create = format!(
        "temporal operator namespace create --namespace {namespace} --address {}",
        temporal.address
    );
    for process in [&server.process, &worker] {
        eventually("the command to be named", async || {
            process.line_with(&create)
        })
        .await;
    }
    assert_eq!(worker.line_with("ready: running orders"), None);
    // Orders are taken, and wait.
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let order = client.place(Placing::new("standard", &sku)).await;
    assert_eq!(
        (order.state(), order.run_id.as_str()),
        (OrderState::Placed, "")
    );

    run_cli(
        &temporal.address,
        &["operator", "namespace", "create", "--namespace", &namespace],
    )
    .unwrap();
    eventually("the worker to poll", async || {
        worker.line_with("ready: running orders")
    })
    .await;
    client.until(&order.order_id, OrderState::InTransit).await;
    eventually("the search attributes", async || {
        let args = [
            "operator",
            "search-attribute",
            "list",
            "--namespace",
            &namespace,
        ];
        let known = run_cli(&temporal.address, &args).ok()?;
        let names = ["OrderState", "CustomerId", "OrderPolicy"];
        names.iter().all(|name| known.contains(name)).then_some(())
    })
    .await;
    // Said once, though it was asked for again and again.
    for process in [&server.process, &worker] {
        let output = process.output();
        assert_eq!(output.matches(&create).count(), 1, "{output}");
    }
    assert_eq!(server.stop().await, Some(0));
}

/// It says what it waits for, and is stopped as any other.
#[tokio::test]
async fn a_server_that_waits_for_its_namespace_stops_cleanly() {
    let (stand_in, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    stand_in.lose_namespace();
    let options = ServerOptions::with_temporal(&stand_in.address);
    let mut server = Process::spawn(command(&options, folder.path()));
    eventually("the server to wait", async || {
        server.line_with("namespace create")
    })
    .await;
    eventually("the server to be ready", async || {
        server.line_with("ready on ")
    })
    .await;
    server.signal(nix::sys::signal::Signal::SIGTERM);
    let status = eventually("the server's end", async || server.ended()).await;
    assert_eq!(status.code(), Some(0), "{}", server.output());
}
