//! Stopped in the middle, started again: the order goes on.

use nix::sys::signal::Signal;
use orders::v1::OrderState;
use orders_test_support::{Placing, ServerOptions, TestServer, eventually, sku, temporal};
use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

#[tokio::test]
async fn killed_in_the_middle_the_order_goes_on_charged_once() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default().data_dir(&folder.path().join("data"));
    let mut server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 2).await;
    let waiting = Placing::pre_order(&sku, 30);
    let waiting_id = waiting.id();
    client.place(waiting).await;
    client.until(&waiting_id, OrderState::AwaitingRelease).await;
    // This one is killed while it is being paid.
    let paying = Placing::pre_order(&sku, 30).token("tok-slow");
    let paying_id = paying.id();
    client.place(paying).await;
    let child = child_of(server.process.pid()).await;
    server.process.kill();
    orders_test_support::eventually("the embedded Temporal to be gone", async || {
        (!is_alive(child)).then_some(())
    })
    .await;

    let server = TestServer::start(options).await;
    let client = server.client().await;
    let began = Instant::now();
    let order = client.start_fulfillment(&waiting_id).await.unwrap();
    let took = began.elapsed();
    println!("the first command after the restart took {took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(order.state(), OrderState::InFulfillment);
    client.confirm_pickup(&waiting_id).await.unwrap();
    client.confirm_delivery(&waiting_id).await.unwrap();
    client.until(&waiting_id, OrderState::Completed).await;

    client.until(&paying_id, OrderState::AwaitingRelease).await;
    let charges = "SELECT count(*) FROM payment_entries e JOIN payments p USING (payment_id)
                   WHERE p.order_id = $1";
    for id in [&waiting_id, &paying_id] {
        assert_eq!(server.count(charges, id).await, 1);
    }
    assert_eq!(server.stop().await, Some(0));
}

/// A CLI that does not die with the server, as on systems without a signal at the parent's death.
fn immortal_cli(folder: &Path) -> std::path::PathBuf {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/venv/bin/python");
    let real = temporal::tool("temporal").expect("run `make tools`");
    let script = format!(
        "#!{python}\nimport ctypes, os, sys\nctypes.CDLL(None).prctl(1, 0)\n\
         os.execv({real:?}, [{real:?}] + sys.argv[1:])\n"
    );
    let cli = folder.join("temporal");
    std::fs::write(&cli, script).unwrap();
    std::fs::set_permissions(&cli, std::fs::Permissions::from_mode(0o755)).unwrap();
    cli
}

#[tokio::test]
async fn a_temporal_that_outlived_its_server_is_stopped_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let cli = immortal_cli(folder.path());
    let options = ServerOptions::default()
        .data_dir(&folder.path().join("data"))
        .arg("--temporal-cli")
        .arg(cli.to_str().unwrap());
    let mut server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    client.place(placing).await;
    client.until(&id, OrderState::AwaitingRelease).await;
    let orphan = child_of(server.process.pid()).await;
    server.process.kill();
    assert!(is_alive(orphan), "the emulation does not work");

    let server = TestServer::start(options).await;
    assert!(!is_alive(orphan), "two Temporals are on one database");
    let said = server.process.line_with("a dead server left behind");
    assert!(said.unwrap().contains(&orphan.to_string()));
    let client = server.client().await;
    client.start_fulfillment(&id).await.unwrap();
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test]
async fn the_same_request_to_stop_by_two_signals_is_one() {
    let mut server = TestServer::start(ServerOptions::default()).await;
    // As `timeout -s INT` does: to the process, and at once to its group.
    server.process.signal(Signal::SIGINT);
    server.process.signal(Signal::SIGINT);
    server.process.signal(Signal::SIGTERM);
    assert_eq!(server.ended().await, Some(0));
    let stopped = "the line that says that it stopped cleanly";
    eventually(stopped, async || {
        server.process.line_with("orders: stopped")
    })
    .await;
    assert_eq!(server.process.line_with("asked twice"), None);
}

/// A full disk makes it end, and so may anything else: the server goes on with another one in its place.
#[tokio::test]
async fn an_embedded_temporal_that_dies_is_started_again_in_its_place() {
    let server = TestServer::start(ServerOptions::default()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 3).await;
    let placing = Placing::pre_order(&sku, 30);
    let waiting = placing.id();
    client.place(placing).await;
    client.until(&waiting, OrderState::AwaitingRelease).await;
    for _ in 0..2 {
        let child = child_of(server.process.pid()).await;
        let pid = nix::unistd::Pid::from_raw(child.cast_signed());
        nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
        // Accepted meanwhile, and done when it is back.
        let placed = client.place(Placing::pre_order(&sku, 30)).await.order_id;
        client.until(&placed, OrderState::AwaitingRelease).await;
        assert_ne!(child_of(server.process.pid()).await, child);
    }
    client.cancel(&waiting).await.unwrap();
    client.until(&waiting, OrderState::Cancelled).await;
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test]
async fn stopped_cleanly_it_leaves_nothing_running_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default().data_dir(&folder.path().join("data"));
    let server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = Placing::pre_order(&sku, 30);
    let id = placing.id();
    client.place(placing).await;
    let child = child_of(server.process.pid()).await;
    assert_eq!(server.stop().await, Some(0));
    assert!(
        !is_alive(child),
        "the embedded Temporal outlived the server"
    );

    let server = TestServer::start(options).await;
    let client = server.client().await;
    client.until(&id, OrderState::AwaitingRelease).await;
    client.cancel(&id).await.unwrap();
    client.until(&id, OrderState::Cancelled).await;
}

/// The embedded Temporal of a server. Linux may leave a child out of the list while threads come and go.
async fn child_of(pid: u32) -> u32 {
    eventually("a child process", async || {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let mut children = tasks.flatten().filter_map(|task| {
            let text = std::fs::read_to_string(task.path().join("children")).ok()?;
            text.split_whitespace().next()?.parse().ok()
        });
        children.next()
    })
    .await
}

fn is_alive(pid: u32) -> bool {
    // A zombie is gone as far as anybody can tell.
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status
        .rsplit(')')
        .next()
        .and_then(|rest| rest.split_whitespace().next());
    !matches!(state, None | Some("Z" | "X"))
}
