//! A disk that is really full, where the database meets it: when it writes a commit to its log.

use crate::operations::verify::verify;
use orders::v1::OrderState;
use orders_test_support::{
    Client, PATIENCE, Placing, ServerOptions, TestServer, TestTemporal, eventually, postgres,
    process::Process, sku,
};
use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// This test's own name, by which it runs itself again.
const NAME: &str =
    "recovery::outages::disk::a_disk_that_was_full_takes_writes_again_without_a_restart";

/// Set in the process that may mount.
const INSIDE: &str = "ORDERS_TEST_MAY_MOUNT";

const SERVING: i32 = 1;
const COMMANDS: &str = "orders.v1.OrderService";
const STOCK: &str = "orders.v1.InventoryService";

#[tokio::test]
async fn a_disk_that_was_full_takes_writes_again_without_a_restart() {
    if postgres::chosen() {
        return println!("about the disk of a SQLite file");
    }
    match std::env::var_os(INSIDE) {
        Some(_) => on_a_small_disk().await,
        None => run_where_one_may_mount().await,
    }
}

/// Runs this test again in a mount namespace of its own, where root may mount, and in a user namespace
/// everybody else: what is mounted there is gone with it, however it ends.
async fn run_where_one_may_mount() {
    let ways = [["--mount"].as_slice(), &["--map-root-user", "--mount"]];
    let may_mount = |way: &&&[&str]| {
        let tried = Command::new("unshare").args(**way).arg("true").status();
        tried.expect("`unshare` of util-linux").success()
    };
    let way = ways.iter().find(may_mount);
    let way = way.expect("this test mounts a tmpfs: run it as root, or allow user namespaces");
    let mut command = Command::new("unshare");
    command
        .args(*way)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(INSIDE, "1");
    let mut process = Process::spawn(command);
    // Each wait inside has its bound, so that one of those fails first and says what it waited for.
    let end = tokio::time::Instant::now() + 6 * PATIENCE;
    let ended = loop {
        if let Some(ended) = process.ended() {
            break ended;
        }
        assert!(tokio::time::Instant::now() < end, "{}", process.output());
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    println!("{}", process.output());
    assert!(ended.success(), "it failed inside");
    assert!(process.line_with("1 passed").is_some(), "it did not run");
}

/// Fills the disk but for `left` bytes; freed when the file is removed.
fn fill(folder: &Path, left: u64) -> PathBuf {
    let path = folder.join("ballast");
    let mut file = File::create(&path).unwrap();
    let block = [0x78; 4096];
    let mut size = 0_u64;
    loop {
        match file.write(&block) {
            Ok(written) => size += written as u64,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
                break;
            }
        }
    }
    file.set_len(size.saturating_sub(left)).unwrap();
    path
}

async fn health(server: &TestServer, service: &str) -> i32 {
    let endpoint = Channel::from_shared(format!("http://{}", server.address)).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    let service = service.to_owned();
    let checked = client.check(HealthCheckRequest { service }).await;
    checked.unwrap().into_inner().status
}

async fn until_health(server: &TestServer, serving: bool) {
    let what = format!("commands to be served: {serving}");
    eventually(&what, async || {
        let (commands, stock) = (health(server, COMMANDS).await, health(server, STOCK).await);
        let as_wanted = [commands, stock].map(|status| (status == SERVING) == serving);
        (as_wanted == [true, true]).then_some(())
    })
    .await;
}

/// Places orders until one is refused; gives the others' ids, and that one.
async fn place_until_refused(client: &Client, sku: &str) -> (Vec<String>, Placing) {
    let mut placed = Vec::new();
    loop {
        assert!(placed.len() < 500, "the disk is never full");
        let placing = Placing::new("quick-standard", sku);
        match client.try_place(placing.clone()).await {
            Ok(order) => placed.push(order.order_id),
            Err(refused) => {
                assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
                assert_eq!(refused.reason, "DATABASE_UNAVAILABLE", "{refused:?}");
                assert!(refused.details.retry_info().is_some(), "{refused:?}");
                return (placed, placing);
            }
        }
    }
}

async fn on_a_small_disk() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs"]);
    assert!(mount.arg(&data).status().unwrap().success());
    let temporal = TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address).policies();
    let mut server = TestServer::start(options.data_dir(&data)).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10_000).await;
    let mut acknowledged = Vec::new();
    // Nothing fits; the first pages of a commit do; a few commits do.
    for left in [0, 8 * 1024, 512 * 1024] {
        until_health(&server, true).await;
        let ballast = fill(&data, left);
        let (placed, refused) = place_until_refused(&client, &sku).await;
        println!("{} orders fit into {left} bytes", placed.len());
        acknowledged.extend(placed);
        until_health(&server, false).await;
        assert_eq!(health(&server, "").await, SERVING, "reads work");
        let gone = client.try_get(&refused.id()).await.unwrap_err();
        assert_eq!(gone, Code::NotFound);

        std::fs::remove_file(ballast).unwrap();
        until_health(&server, true).await;
        // The very same request is taken now.
        acknowledged.push(client.place(refused).await.order_id);
    }
    for id in &acknowledged {
        client.until(id, OrderState::Completed).await;
    }
    assert!(server.process.ended().is_none());
    let stock = client.stock_item(&sku).await;
    let left = 10_000 - acknowledged.len() as i64;
    assert_eq!((stock.on_hand(), stock.reserved), (left, 0));
    let ran = verify(&data, &["--temporal-address", &temporal.address]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("0 findings, 0 warnings"), "{}", ran.out);
    // Before its disk goes.
    assert_eq!(server.stop().await, Some(0));
}
