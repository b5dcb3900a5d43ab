//! Clients in other languages, each with code that its own generator made of the contract, take the
//! same tour: they place an order, follow it to its end, and read what they are told when refused.

use orders_test_support::{
    FlakyServer, ServerOptions, TestServer, eventually, process::Process, shared, temporal, unique,
};
use std::process::Command;

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

/// The commands that people are told to run.
const README: &str = include_str!("../clients/README.md");

/// The root of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A command of the README, for other addresses and ids.
fn command(client: &str, address: &str, flaky_address: &str, seed: &str) -> Command {
    let block = README.split(&format!("```sh {client}\n")).nth(1).unwrap();
    let script = block.split("\n```").next().unwrap();
    let mut script = script.to_owned();
    for (told, here) in [
        ("127.0.0.1:50051", address),
        (" - ", &format!(" {flaky_address} ")),
        ("my-tour-1", seed),
    ] {
        assert!(client == "browser" || script.contains(told), "{script}");
        script = script.replace(told, here);
    }
    let mut command = Command::new("bash");
    command.args(["-ec", &script]).current_dir(ROOT);
    command
}

#[tokio::test]
async fn python() {
    takes_the_tour("python").await;
}

#[tokio::test]
#[ignore = "needs Node: make test-all"]
async fn typescript() {
    takes_the_tour("typescript").await;
}

#[tokio::test]
#[ignore = "needs Go: make test-all"]
async fn go() {
    takes_the_tour("go").await;
}

#[tokio::test]
#[ignore = "needs Java: make test-all"]
async fn java() {
    takes_the_tour("java").await;
}

/// Runs a client, which has to end well within the time of a test, and looks at what it left behind.
async fn takes_the_tour(name: &str) {
    let server = shared().await;
    let flaky = FlakyServer::before(server).await;
    let seed = unique(name);
    let mut client = Process::spawn(command(name, &server.address, &flaky.address, &seed));
    ended(&mut client).await;
    shows(&client, &STEPS, "retry").await;

    // Once without the service config, and three times with it.
    assert_eq!(flaky.attempts(), [0, 0, 1, 2]);
    // What was sent again was done once, and what was refused left nothing.
    let orders = [("first", 1), ("still", 1), ("retried", 1), ("invalid", 0)];
    left(server, &seed, &orders).await;
}

#[tokio::test]
#[ignore = "needs Node and Chromium: make test-all"]
async fn browser() {
    let server = shared().await;
    let seed = unique("browser");
    let mut page = opened(server, &seed, "");
    ended(&mut page).await;
    // A service config is nothing that browsers know.
    shows(&page, STEPS.strip_suffix(&["retry"]).unwrap(), "outcome").await;
    left(server, &seed, &[("first", 1), ("still", 1), ("invalid", 0)]).await;
}

#[tokio::test]
#[ignore = "needs Node and Chromium: make test-all"]
async fn pages_of_other_machines_are_refused_by_the_browser_unless_allowed() {
    let shop = format!("http://shop.example:{}", temporal::free_port());
    refused(shared().await, &shop).await;

    let options = ServerOptions::default().arg("--web-origin").arg(&shop);
    let server = TestServer::start(options).await;
    ended(&mut opened(&server, &unique("shop"), &shop)).await;
    // What is named takes the place of loopback.
    refused(&server, "").await;
}

/// A browser does not let a page of this origin call, and nothing arrives.
async fn refused(server: &TestServer, origin: &str) {
    let seed = unique("foreign");
    let mut page = opened(server, &seed, origin);
    let status = eventually("the page's end", async || page.ended()).await;
    assert_eq!(status.code(), Some(1), "{}", page.output());
    for text in ["blocked by CORS policy", "outcome: failed: ConnectError: "] {
        eventually(text, async || page.line_with(text)).await;
    }
    assert_eq!(page.line_with("stock: "), None);
    let count = "SELECT COUNT(*) FROM stock WHERE sku = $1";
    assert_eq!(server.count(count, &format!("{seed}-sku")).await, 0);
}

/// A Chromium that opens the page, which comes from this origin, or from a loopback port.
fn opened(server: &TestServer, seed: &str, origin: &str) -> Process {
    let seed_and_origin = format!("{seed} {origin}");
    Process::spawn(command("browser", &server.address, "", &seed_and_origin))
}

/// How many orders of these names a client left behind.
async fn left(server: &TestServer, seed: &str, orders: &[(&str, i64)]) {
    let count = "SELECT COUNT(*) FROM orders WHERE order_id = $1";
    for (order, times) in orders {
        let found = server.count(count, &format!("{seed}-{order}")).await;
        assert_eq!(found, *times, "{order}");
    }
}

/// Waits until a program has ended, which has to be with 0.
async fn ended(program: &mut Process) {
    let status = eventually("the client's end", async || program.ended()).await;
    let built = "is it built? `make test-tools client-tools`";
    assert_eq!(status.code(), Some(0), "{built}\n{}", program.output());
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
