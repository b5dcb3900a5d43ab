//! `orders replay`, as an operator runs it before a deploy.

use super::worker::run_other_build;
use orders::v1::OrderState;
use orders_domain::order::Order;
use orders_test_support::{
    Cli, Placing, ServerOptions, TestServer, TestTemporal,
    cli::Ran,
    eventually, sku,
    temporal::{connect, count, free_port},
};
use orders_worker::workflow::OrderWorkflow;
use temporalio_client::{UntypedWorkflow, WorkflowQueryOptions, WorkflowStartOptions};
use temporalio_common::data_converters::{PayloadConverter, RawValue};

fn replay(address: &str, more: &[&str]) -> Ran {
    let args = [
        "replay",
        "--log-level",
        "error",
        "--temporal-address",
        address,
    ];
    Cli::at("127.0.0.1:1").run(&[&args[..], more].concat())
}

async fn until_listed(address: &str, query: &str, workflows: usize) {
    eventually(&format!("{workflows} of {query}"), async || {
        (count(address, query).await == workflows).then_some(())
    })
    .await;
}

#[tokio::test]
async fn open_and_closed_orders_replay() {
    let temporal = TestTemporal::start().await;
    let server = TestServer::start(ServerOptions::with_temporal(&temporal.address)).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    for _ in 0..3 {
        client.held(&sku).await;
    }
    let lane = Placing::new("shipping-lane", &sku);
    let id = lane.id();
    client.place(lane).await;
    client.until(&id, OrderState::Completed).await;
    until_listed(&temporal.address, "ExecutionStatus = 'Running'", 3).await;
    until_listed(&temporal.address, "ExecutionStatus = 'Completed'", 2).await;
    let before = client.events(&id).await.len();

    let ran = replay(&temporal.address, &[]);
    let summary =
        "3 open and 2 closed histories replayed on task queue orders, 0 of them cannot go on";
    assert!(ran.out.contains(summary), "{ran:?}");
    assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 1), "{ran:?}");

    let ran = replay(&temporal.address, &["--closed-since", "0s", "--limit", "2"]);
    assert!(ran.out.starts_with("2 open and 0 closed"), "{ran:?}");
    // Where nobody runs orders there is nothing to look at.
    let ran = replay(&temporal.address, &["--task-queue", "others"]);
    assert!(ran.out.starts_with("0 open and 0 closed"), "{ran:?}");
    assert_eq!(client.events(&id).await.len(), before, "it only reads");
}

#[tokio::test]
async fn orders_of_another_build_are_named() {
    let temporal = TestTemporal::start().await;
    let server = TestServer::start(ServerOptions::with_temporal(&temporal.address)).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let held = client.held(&sku).await;
    let temporal_client = connect(&temporal.address).await;
    let handle = temporal_client.get_workflow_handle::<OrderWorkflow>(format!("order/{held}"));
    let order: Option<Order> = handle
        .query(OrderWorkflow::order, (), WorkflowQueryOptions::default())
        .await
        .unwrap();
    let order = order.unwrap();
    drop(server);

    // The same type, on the same queue, but the build that ran it did something else first.
    run_other_build(&temporal, "orders", async || {
        for (id, input) in [
            (
                "order/another-build",
                RawValue::from_value(&order, &PayloadConverter::default()),
            ),
            (
                "order/another-input",
                RawValue::from_value(&42, &PayloadConverter::default()),
            ),
        ] {
            let workflow = UntypedWorkflow::new("OrderWorkflow");
            let options = WorkflowStartOptions::new("orders", id).build();
            let started = temporal_client.start_workflow(workflow, input, options);
            started.await.unwrap();
            eventually("its timer", async || {
                let events = orders_test_support::temporal::history_of(&temporal.address, id).await;
                events
                    .iter()
                    .any(|event| event == "TIMER_STARTED")
                    .then_some(())
            })
            .await;
        }
    })
    .await;
    until_listed(&temporal.address, "ExecutionStatus = 'Running'", 3).await;

    let ran = replay(&temporal.address, &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let line = |id: &str| ran.out.lines().find(|line| line.starts_with(id));
    let changed = line("order/another-build (run ").unwrap();
    assert!(
        changed.contains("the workflow would do something else now: "),
        "{changed}"
    );
    assert!(!changed.contains("failure_info"), "in short: {changed}");
    // This build ends such a workflow at once.
    let other = line("order/another-input (run ").unwrap();
    assert!(
        other.contains("the workflow would do something else now: "),
        "{other}"
    );
    assert_eq!(line(&format!("order/{held}")), None);
    assert!(
        ran.out.contains("3 open and 0 closed histories replayed"),
        "{ran:?}"
    );
    assert!(
        ran.out.contains("2 of them cannot go on with this build"),
        "{ran:?}"
    );
}

#[test]
fn a_temporal_that_is_away_has_an_exit_code_of_its_own() {
    let nowhere = format!("127.0.0.1:{}", free_port());
    let ran = replay(&nowhere, &[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains(&nowhere), "{ran:?}");
    let args = ["replay", "--log-level", "error"];
    let mut command = Cli::at("127.0.0.1:1").command(&args);
    let command = command
        .env_remove("TEMPORAL_ADDRESS")
        .env_remove("ORDERS_TEMPORAL_ADDRESS");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
