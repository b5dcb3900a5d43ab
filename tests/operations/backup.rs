//! The database and Temporal from different moments, in both directions, with real folders; and a
//! backup that is taken while the server works.

use crate::operations::verify::{until_found, verify};
use futures::{StreamExt, stream};
use orders::v1::{Order, OrderState};
use orders_test_support::{Cli, Client, Placing, ServerOptions, TestServer, eventually, sku};
use std::{path::Path, sync::atomic::Ordering};

const CHARGES: &str = "SELECT count(*) FROM payment_entries e JOIN payments p USING (payment_id)
     WHERE p.order_id = $1 AND kind = 'CHARGE'";

const KEPT: &str = "SELECT captured - refunded FROM payments WHERE order_id = $1";

fn options(data: &Path) -> ServerOptions {
    ServerOptions::default().data_dir(data)
}

/// Puts one of the two databases aside, or back.
fn copy(from: &Path, to: &Path, name: &str) {
    std::fs::create_dir_all(to).unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(to.join(format!("{name}{ending}")));
    }
    std::fs::copy(from.join(name), to.join(name)).unwrap();
    let log = from.join(format!("{name}-wal"));
    if log.exists() {
        std::fs::copy(log, to.join(format!("{name}-wal"))).unwrap();
    }
}

async fn to_the_end(client: &Client, id: &str) -> Order {
    client.start_fulfillment(id).await.unwrap();
    client.confirm_pickup(id).await.unwrap();
    client.confirm_delivery(id).await.unwrap();
    client.until(id, OrderState::Completed).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: make test-all"]
async fn a_database_older_than_temporal_goes_on_from_the_database() {
    if orders_test_support::postgres::chosen() {
        return println!("a server's backups are PostgreSQL's own");
    }
    let folder = tempfile::tempdir().unwrap();
    let (data, aside) = (folder.path().join("data"), folder.path().join("aside"));
    let server = TestServer::start(options(&data)).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let started = client.held(&sku).await;
    let refunded = client.held(&sku).await;
    let completed = client.held(&sku).await;
    let untouched = client.held(&sku).await;
    assert_eq!(server.stop().await, Some(0));
    copy(&data, &aside, "orders.db");

    // What the backup does not have.
    let server = TestServer::start(options(&data)).await;
    let client = server.client().await;
    client.start_fulfillment(&started).await.unwrap();
    client.until_pickup_requested(&started).await;
    client.cancel(&refunded).await.unwrap();
    client.until(&refunded, OrderState::Cancelled).await;
    to_the_end(&client, &completed).await;
    let placing = Placing::pre_order(&sku, 30);
    let later = placing.id();
    client.place(placing.clone()).await;
    client.until(&later, OrderState::AwaitingRelease).await;
    assert_eq!(server.stop().await, Some(0));
    copy(&aside, &data, "orders.db");

    let expected = [
        ("workflow-ahead", started.as_str()),
        // Their workflows have ended; the database knows nothing of that.
        ("workflow-ahead", refunded.as_str()),
        ("workflow-ahead", completed.as_str()),
        ("order-missing", later.as_str()),
    ];
    let ran = until_found(&data, &[], &expected).await;
    assert_eq!(ran.code, Some(1));
    let shown = tokio::task::block_in_place(|| verify(&data, &[]));
    println!("{}", shown.out);
    for word in ["FULFILLMENT_STARTED", "customer-1", "1999 USD"] {
        assert!(shown.out.contains(word), "{word}: {}", shown.out);
    }
    let ran = tokio::task::block_in_place(|| verify(&data, &["--repair"]));
    println!("{}", ran.out);
    assert!(
        ran.out.contains("1 findings, 0 warnings, 3 repaired"),
        "{ran:?}"
    );
    assert_eq!(ran.code, Some(1), "one is for people");

    // They go on from the database, as if the rest had not been.
    let server = TestServer::start(options(&data)).await;
    let client = server.client().await;
    for id in [&started, &refunded, &completed, &untouched] {
        assert_eq!(client.get(id).await.state(), OrderState::AwaitingRelease);
        to_the_end(&client, id).await;
        assert_eq!(server.count(CHARGES, id).await, 1, "{id}");
        assert_eq!(server.count(KEPT, id).await, 1999, "{id}");
    }
    until_found(&data, &[], &[("order-missing", &later)]).await;
    // The order that only Temporal knows is placed again: the workflow of the lost placing gives way to its own.
    client.place(placing).await;
    client.until(&later, OrderState::AwaitingRelease).await;
    to_the_end(&client, &later).await;
    assert_eq!(server.count(CHARGES, &later).await, 1);
    until_found(&data, &[], &[]).await;
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: make test-all"]
async fn a_temporal_older_than_the_database_catches_up() {
    if orders_test_support::postgres::chosen() {
        return println!("a server's backups are PostgreSQL's own");
    }
    let folder = tempfile::tempdir().unwrap();
    let (data, aside) = (folder.path().join("data"), folder.path().join("aside"));
    let server = TestServer::start(options(&data)).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let started = client.held(&sku).await;
    let refunded = client.held(&sku).await;
    assert_eq!(server.stop().await, Some(0));
    copy(&data, &aside, "temporal.db");
    let server = TestServer::start(options(&data)).await;
    let client = server.client().await;
    client.start_fulfillment(&started).await.unwrap();
    client.until_pickup_requested(&started).await;
    client.cancel(&refunded).await.unwrap();
    client.until(&refunded, OrderState::Cancelled).await;
    let later = client.held(&sku).await;
    assert_eq!(server.stop().await, Some(0));
    copy(&aside, &data, "temporal.db");

    // Orders that are behind in Temporal are no finding: they catch up by themselves.
    let expected = [
        ("workflow-left-open", refunded.as_str()),
        ("workflow-missing", later.as_str()),
    ];
    until_found(&data, &[], &expected).await;
    let ran = tokio::task::block_in_place(|| verify(&data, &["--repair"]));
    println!("{}", ran.out);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let server = TestServer::start(options(&data)).await;
    let client = server.client().await;
    assert_eq!(client.get(&refunded).await.state(), OrderState::Cancelled);
    client.confirm_pickup(&started).await.unwrap();
    client.confirm_delivery(&started).await.unwrap();
    client.until(&started, OrderState::Completed).await;
    to_the_end(&client, &later).await;
    for (id, kept) in [(&started, 1999), (&later, 1999), (&refunded, 0)] {
        assert_eq!(server.count(CHARGES, id).await, 1, "{id}");
        assert_eq!(server.count(KEPT, id).await, kept, "{id}");
    }
    until_found(&data, &[], &[]).await;
    assert_eq!(server.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_server_at_work_can_be_started_and_loses_nothing_older() {
    if orders_test_support::postgres::chosen() {
        return println!("a server's backups are PostgreSQL's own");
    }
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let server = TestServer::start(options(&data)).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1_000).await;
    let before = client.held(&sku).await;
    let placed = std::sync::atomic::AtomicUsize::new(0);
    let place = async |_| {
        let placing = Placing::pre_order(&sku, 30);
        let id = placing.id();
        client.place(placing).await;
        placed.fetch_add(1, Ordering::Relaxed);
        id
    };
    let placing = stream::iter(0..40).map(place).buffer_unordered(4);
    let arguments = [data.clone(), backup.clone()];
    let copy_twice = move || {
        let [data, backup] = arguments.map(|path| path.to_str().unwrap().to_owned());
        let ran = |to: &str| Cli::at("127.0.0.1:1").run(&["backup", to, "--data-dir", &data]);
        (ran(&backup), ran(&backup))
    };
    let copying = async {
        // Amid the load: orders whose steps are under way are in it, too.
        eventually("some orders", async || {
            (placed.load(Ordering::Relaxed) >= 10).then_some(())
        })
        .await;
        tokio::task::spawn_blocking(copy_twice).await
    };
    let (ids, copied) = futures::join!(placing.collect::<Vec<String>>(), copying);
    let (first, second) = copied.unwrap();
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(second.code, Some(3), "it must not write over a backup");
    assert!(second.err.contains("not empty"), "{second:?}");
    drop(server);

    let ran = tokio::task::block_in_place(|| verify(&backup, &["--repair"]));
    println!("{}", ran.out);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // The backup is a data folder.
    let server = TestServer::start(options(&backup)).await;
    let client = server.client().await;
    to_the_end(&client, &before).await;
    let mut kept = 0;
    for id in &ids {
        // Those that were placed after the copy are not in it.
        if client.try_get(id).await.is_err() {
            continue;
        }
        kept += 1;
        client.until(id, OrderState::AwaitingRelease).await;
        assert_eq!(server.count(CHARGES, id).await, 1, "{id}");
    }
    println!("{kept} of {} orders were in the backup", ids.len());
    assert!(kept >= 10, "those that were acknowledged before it");
    eventually("a clean store", async || {
        let ran = tokio::task::block_in_place(|| verify(&backup, &[]));
        (ran.code == Some(0)).then_some(())
    })
    .await;
    assert_eq!(server.stop().await, Some(0));
}

#[test]
fn without_a_database_nothing_is_copied_or_made() {
    let folder = tempfile::tempdir().unwrap();
    let (wrong, backup) = (folder.path().join("wrong"), folder.path().join("backup"));
    let [data_dir, to] = [&wrong, &backup].map(|path| path.to_str().unwrap());
    let ran = Cli::at("127.0.0.1:1").run(&["backup", to, "--data-dir", data_dir]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(ran.out, "", "it says something of what it does not do");
    assert!(ran.err.contains("--data-dir"), "{ran:?}");
    assert!(!wrong.exists() && !backup.exists());
}
