//! Connections: how many calls, how long, and whether anybody is there.

use nix::sys::signal::Signal;
use orders_test_support::{
    Client, PATIENCE, Placing, ServerOptions, StandIn, TestServer,
    again::is_of_connection,
    beside_shared,
    h2::{GOAWAY, H2, PING, SETTINGS},
    sku, unique,
};
use std::time::{Duration, Instant};
use tonic::{Code, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// The number of the setting for concurrent streams.
const MAX_CONCURRENT_STREAMS: u16 = 3;

#[tokio::test]
async fn a_client_that_is_gone_is_noticed_and_one_that_lives_is_kept() {
    let options = ServerOptions::default()
        .arg("--keepalive-interval")
        .arg("300ms")
        .arg("--keepalive-timeout")
        .arg("2s")
        .arg("--max-concurrent-streams")
        .arg("7");
    let server = beside_shared(options).await;
    let mut gone = H2::connect(&server.address).await;
    gone.alive = false;
    let settings = gone.until(SETTINGS).await.expect("settings");
    let mut pairs = settings.payload.chunks(6);
    let streams = pairs.find(|pair| pair[..2] == MAX_CONCURRENT_STREAMS.to_be_bytes());
    assert_eq!(
        streams.expect("a number of streams")[2..],
        7u32.to_be_bytes()
    );

    let mut lives = H2::connect(&server.address).await;
    let begun = Instant::now();
    let noticed = async {
        while gone.next().await.is_some() {}
        begun.elapsed()
    };
    // The other one is asked again and again, long after that.
    let asked = async {
        for _ in 0..15 {
            lives.until(PING).await.expect("an open connection");
        }
        begun.elapsed()
    };
    let (noticed, asked) = tokio::join!(noticed, asked);
    println!("a client that does not answer is gone after {noticed:?}");
    assert!(noticed < PATIENCE, "{noticed:?}");
    assert!(asked > noticed, "{asked:?}");
}

#[tokio::test]
async fn an_old_connection_ends_kindly() {
    let stand_in = StandIn::start().await;
    let options = ServerOptions::with_temporal(&stand_in.address).arg("--no-worker");
    let options = options.arg("--max-connection-age").arg("1500ms");
    let options = options.arg("--start-wait").arg("1m");
    let mut server = TestServer::start(options.arg("--max-call-time").arg("4s")).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let request = HealthCheckRequest::default();
    let mut watch = HealthClient::new(channel).watch(request).await.unwrap();
    let watch = watch.get_mut();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    // A call that is under way when its connection has become too old.
    let client = Client::connect(&server.address).await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let request = Placing::new("standard", &sku).0;
    let mut orders = client.orders.clone();
    let long = tokio::spawn(async move { orders.place_order(request).await.unwrap() });

    // Opened after both, so theirs are told no later.
    let mut younger = H2::connect(&server.address).await;
    let goaway = younger.until(GOAWAY).await.expect("a GOAWAY");
    assert_eq!(goaway.payload[4..8], [0; 4], "no error");
    while younger.next().await.is_some() {}
    assert!(!long.is_finished());

    // New calls go on, on a connection anew.
    let end = Instant::now() + Duration::from_secs(4);
    let (mut calls, mut unsent) = (0, 0);
    while Instant::now() < end {
        let id = unique("sku");
        match client.try_stock(&id).await {
            Ok(()) => calls += 1,
            // tonic's client had not seen yet that the connection was at its end; the call did not
            // leave it. Other libraries send it again by themselves.
            Err(status) if is_of_connection(&status) => {
                unsent += 1;
                client.try_stock(&id).await.unwrap();
            }
            Err(status) => panic!("{status:?}"),
        }
    }
    println!("{calls} calls over connections of 1.5 s, {unsent} not sent at first");
    assert!(unsent <= 12, "{unsent}");
    // The long call got the server's own answer, and the stream goes on where it was: it still tells
    // of what happens, here the end of the server.
    let answer = long.await.unwrap().into_inner();
    assert_eq!(answer.order.unwrap().run_id, "");
    server.process.signal(Signal::SIGTERM);
    assert_eq!(watch.message().await.unwrap().unwrap().status, 2);
    let end = watch.message().await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    assert!(!is_of_connection(&end), "said by the server: {end:?}");
    assert_eq!(server.ended().await, Some(0));
}
