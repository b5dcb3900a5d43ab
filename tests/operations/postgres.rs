//! On PostgreSQL, whatever the other tests use: what a user meets who moves to it.

mod callers;
mod refused;

use orders::v1::{OrderState, PlaceOrderRequest};
use orders_test_support::{
    Placing, Postgres, Refused, ServerOptions, TestServer, TestTemporal, eventually, server, sku,
    unique,
};
use std::{path::Path, process::Command, time::Duration};
use tonic::Code;

const CHARGES: &str = "SELECT COUNT(*) FROM payment_entries e JOIN payments p
     ON p.payment_id = e.payment_id WHERE p.order_id = $1 AND e.kind = 'CHARGE'";

#[tokio::test]
async fn orders_go_through_their_commands_and_a_restart() {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let url = Postgres::shared().database(folder.path());
    let options = ServerOptions::with_temporal(&temporal.address)
        .data_dir(folder.path())
        .database_url(&url);
    let server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 10).await;
    let held = client.held(&sku).await;
    let cancelled = client.held(&sku).await;
    client.cancel(&cancelled).await.unwrap();
    client.until(&cancelled, OrderState::Cancelled).await;
    assert!(!folder.path().join("orders.db").exists());
    assert!(!server.process.output().contains("s3cret"));
    assert_eq!(server.stop().await, Some(0));

    let server = TestServer::start(options.arg("--no-migrate")).await;
    let client = server.client().await;
    client.start_fulfillment(&held).await.unwrap();
    client.confirm_pickup(&held).await.unwrap();
    client.confirm_delivery(&held).await.unwrap();
    let told = client.watch_to_the_end(&held, 0).await;
    let revisions: Vec<i64> = told.iter().map(|(event, _)| event.revision).collect();
    let expected: Vec<i64> = (1..=revisions.len() as i64).collect();
    assert_eq!(revisions, expected);
    assert_eq!(told.last().unwrap().1.state(), OrderState::Completed);
    assert_eq!(server.count(CHARGES, &held).await, 1);
    let stock = client.stock_item(&sku).await;
    assert_eq!((stock.on_hand(), stock.reserved), (9, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_it_comes_back_and_every_order_ends_right() {
    const ORDERS: usize = 40;
    const AWAY: Duration = Duration::from_secs(10);
    let (temporal, postgres) = tokio::join!(
        TestTemporal::start(),
        tokio::task::spawn_blocking(|| Postgres::start(true)),
    );
    let postgres = postgres.unwrap();
    let url = postgres.database(Path::new("orders"));
    let options = ServerOptions::with_temporal(&temporal.address).database_url(&url);
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1_000).await;
    let place = async |request: PlaceOrderRequest| {
        eventually("the order to be taken", async || {
            match client.orders.clone().place_order(request.clone()).await {
                Ok(_) => Some(()),
                Err(status) => {
                    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                    None
                }
            }
        })
        .await;
    };
    let placings: Vec<Placing> = (0..ORDERS).map(|_| Placing::new("stock", &sku)).collect();
    let ids: Vec<String> = placings.iter().map(Placing::id).collect();
    let load = futures::future::join_all(placings.into_iter().enumerate().map(
        async |(number, placing)| {
            tokio::time::sleep(Duration::from_millis(20) * number as u32).await;
            place(placing.0).await;
        },
    ));
    let outage = async {
        eventually("some orders to be under way", async || {
            let placed = client.try_get(&ids[ORDERS / 4]).await;
            placed.is_ok().then_some(())
        })
        .await;
        postgres.kill();
        let killed = tokio::time::Instant::now();
        let mut reader = client.orders.clone();
        let away = reader.get_order(orders::v1::GetOrderRequest {
            order_id: ids[0].clone(),
            consistency: 0,
        });
        let away = Refused::from(away.await.unwrap_err());
        assert_eq!(away.code, Code::Unavailable, "{away:?}");
        assert_eq!(away.reason, "DATABASE_UNAVAILABLE");
        assert!(away.details.retry_info().is_some(), "{away:?}");
        tokio::time::sleep_until(killed + AWAY).await;
        postgres.restart();
        tokio::time::Instant::now()
    };
    let (_, back) = tokio::join!(load, outage);
    for id in &ids {
        client.until(id, OrderState::Completed).await;
        assert_eq!(server.count(CHARGES, id).await, 1, "{id}");
    }
    println!("all orders ended {:?} after the restart", back.elapsed());
    let stock = client.stock_item(&sku).await;
    assert_eq!(
        (stock.on_hand(), stock.reserved),
        (1_000 - ORDERS as i64, 0)
    );
    assert!(!server.process.output().contains("s3cret"));
    // Before PostgreSQL ends.
    assert_eq!(server.stop().await, Some(0));
}

#[test]
fn a_start_without_its_database_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str], url: &str| {
        let options = ServerOptions::default().database_url(url);
        let mut command = match args {
            ["serve", rest @ ..] => {
                let mut command = server::command(&options, folder.path());
                command.args(rest);
                command
            }
            _ => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_orders"));
                command.args(args).env("ORDERS_DATABASE_URL", url);
                command
            }
        };
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("s3cret"), "{said}");
        (output.status.code(), said)
    };
    let nowhere = "postgres://me:s3cret@127.0.0.1:1/orders";
    let (code, said) = run(&["serve"], nowhere);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("127.0.0.1:1/orders cannot be opened"),
        "{said}"
    );
    for wrong in ["mysql://me:s3cret@db/orders", "postgres://me:s3cret/x@db"] {
        let (code, said) = run(&["serve"], wrong);
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains("--database-url (ORDERS_DATABASE_URL)"),
            "{said}"
        );
    }
    let empty = Postgres::shared().database(Path::new(&unique("empty")));
    let (code, said) = run(&["serve", "--no-migrate"], &empty);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("run `orders migrate`"), "{said}");
    let (code, said) = run(&["migrate"], &empty);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("applied migration 1: orders"), "{said}");
    let (code, said) = run(&["migrate"], &empty);
    assert_eq!(
        (code, said.contains("was up to date")),
        (Some(0), true),
        "{said}"
    );
    let (_, help) = run(&["serve", "--help"], nowhere);
    assert!(help.contains("--database-url"), "{help}");
}
