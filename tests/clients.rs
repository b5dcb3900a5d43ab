//! Clients in other languages, each with code that its own generator made of the contract, take the
//! same tour: they place an order, follow it to its end, and read what they are told when refused.

use crate::harness::{
    FlakyServer, ServerOptions, TestServer, eventually, process::Process, shared, temporal, unique,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What every client shows, in this sequence, each on a line of its own.
const STEPS: [&str; 10] = [
    "stock",
    "place",
    "replay",
    "watch",
    "resume",
    "invalid",
    "precondition",
    "not-found",
    "deadline",
    "retry",
];

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The folder of one client.
fn folder(client: &str) -> PathBuf {
    root().join("tests/clients").join(client)
}

/// A file that `make client-tools` made.
fn made(file: PathBuf) -> PathBuf {
    let missing = "is not there: run `make client-tools`";
    assert!(file.exists(), "{} {missing}", file.display());
    file
}

#[tokio::test]
async fn python() {
    let python = made(root().join(".tools/venv/bin/python"));
    let mut generate = Command::new("sh");
    generate.arg(folder("python").join("build"));
    ended(&mut Process::spawn(generate)).await;
    let mut client = Command::new(python);
    client
        .arg(folder("python").join("tour.py"))
        .env("PYTHONPATH", folder("python").join("generated"));
    takes_the_tour("python", client).await;
}

#[tokio::test]
#[ignore = "needs Node: make test-all"]
async fn typescript() {
    let mut client = Command::new("node");
    client.arg(made(folder("typescript").join("generated/tour.js")));
    takes_the_tour("typescript", client).await;
}

#[tokio::test]
#[ignore = "needs Go: make test-all"]
async fn go() {
    let client = Command::new(made(folder("go").join("generated/tour")));
    takes_the_tour("go", client).await;
}

#[tokio::test]
#[ignore = "needs Java: make test-all"]
async fn java() {
    let target = folder("java").join("target");
    let classes = made(target.join("classes"));
    let libraries = made(target.join("lib")).join("*");
    let path = format!("{}:{}", classes.display(), libraries.display());
    let mut client = Command::new("java");
    client.args(["-cp", &path, "example.orders.Main"]);
    takes_the_tour("java", client).await;
}

#[tokio::test]
#[ignore = "needs Node and Chromium: make test-all"]
async fn browser() {
    let server = shared().await;
    let seed = unique("browser");
    let mut page = opened(server, &seed, None);
    ended(&mut page).await;
    // A service config is nothing that browsers know.
    shows(&page, STEPS.strip_suffix(&["retry"]).unwrap(), "outcome").await;
    left(server, &seed, &[("first", 1), ("still", 1), ("invalid", 0)]).await;
}

#[tokio::test]
#[ignore = "needs Node and Chromium: make test-all"]
async fn pages_of_other_machines_are_refused_by_the_browser_unless_allowed() {
    let origin = format!("http://shop.example:{}", temporal::free_port());
    let refused = async |server: &TestServer, origin: Option<&str>| {
        let seed = unique("foreign");
        let mut page = opened(server, &seed, origin);
        let status = eventually("the page's end", async || page.ended()).await;
        assert_eq!(status.code(), Some(1), "{}", page.output());
        for text in ["blocked by CORS policy", "outcome: failed: ConnectError: "] {
            eventually(text, async || page.line_with(text)).await;
        }
        assert_eq!(page.line_with("stock: "), None);
        let count = "SELECT COUNT(*) FROM stock WHERE sku = ?";
        assert_eq!(server.count(count, &format!("{seed}-sku")).await, 0);
    };
    refused(shared().await, Some(&origin)).await;

    let options = ServerOptions::default().arg("--web-origin").arg(&origin);
    let server = TestServer::start(options).await;
    let mut page = opened(&server, &unique("shop"), Some(&origin));
    ended(&mut page).await;
    refused(&server, None).await;
}

/// A Chromium that opens the page of `browser/`, at an origin or at a loopback port of its own.
fn opened(server: &TestServer, seed: &str, origin: Option<&str>) -> Process {
    let chromium = temporal::tool("chromium").expect("Chromium: run `make client-tools`");
    let mut command = Command::new("node");
    command
        .arg(made(folder("browser").join("generated/open.js")))
        .arg(chromium)
        .args([&server.address, seed])
        .args(origin);
    Process::spawn(command)
}

/// Runs a client, which has to end well within the time of a test, and looks at what it left behind.
async fn takes_the_tour(name: &str, mut client: Command) {
    let server = shared().await;
    let flaky = FlakyServer::before(server).await;
    let seed = unique(name);
    let config = root().join("proto/orders/v1/orders_grpc_service_config.json");
    client.args([&server.address, &flaky.address]);
    client.arg(config).arg(&seed);
    let mut client = Process::spawn(client);
    ended(&mut client).await;
    shows(&client, &STEPS, "retry").await;

    // Once without the service config, and three times with it.
    assert_eq!(flaky.attempts(), [0, 0, 1, 2]);
    // What was sent again was done once, and what was refused left nothing.
    let orders = [("first", 1), ("still", 1), ("retried", 1), ("invalid", 0)];
    left(server, &seed, &orders).await;
}

/// How many orders of these names a client left behind.
async fn left(server: &TestServer, seed: &str, orders: &[(&str, i64)]) {
    let count = "SELECT COUNT(*) FROM orders WHERE order_id = ?";
    for (order, times) in orders {
        let found = server.count(count, &format!("{seed}-{order}")).await;
        assert_eq!(found, *times, "{order}");
    }
}

/// Waits until a program has ended, which has to be with 0.
async fn ended(program: &mut Process) {
    let status = eventually("the client's end", async || program.ended()).await;
    assert_eq!(status.code(), Some(0), "{}", program.output());
}

/// What a client has shown once its last line was read: these steps, which are printed.
async fn shows(client: &Process, steps: &[&str], last: &str) {
    let last = format!("{last}: ");
    eventually(&last, async || client.line_with(&last)).await;
    let output = client.output();
    println!("{output}");
    let shown = output.lines().filter_map(|line| line.split_once(": "));
    let shown: Vec<_> = shown
        .map(|(step, _)| step)
        .filter(|step| steps.contains(step))
        .collect();
    assert_eq!(shown, steps, "{output}");
}
