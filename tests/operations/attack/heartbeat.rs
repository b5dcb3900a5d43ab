//! Quiet watches: a proxy that ends what is silent leaves them open.

use orders_test_support::{Client, ServerOptions, TestServer, sku, watch::next};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// After so long without a byte from the server the proxy gives up.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// A proxy in front of the server; gives its address.
async fn proxy(server: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = server.to_owned();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(&server).await.unwrap();
            let (mut from_client, mut to_client) = near.into_split();
            let (mut from_server, mut to_server) = far.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut bytes = [0; 8192];
                while let Ok(Ok(count)) = timeout(READ_TIMEOUT, from_server.read(&mut bytes)).await
                {
                    if count == 0 || to_client.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_quiet_watch_stays_open_through_a_proxy_and_goes_on_from_its_heartbeats() {
    let options = ServerOptions::default()
        .arg("--watch-heartbeat")
        .arg("500ms");
    let server = TestServer::start(options).await;
    let client = Client::connect(&proxy(&server.address).await).await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let id = client.held(&sku).await;
    let revision = client.get(&id).await.revision;
    let mut one = client.watch(&id, revision).await.unwrap();
    let filter = "customer_id = \"customer-1\"";
    let (_, mut many) = client.watch_many(filter, "").await.unwrap();
    let mut position = String::new();
    // Twice as long as the proxy waits.
    for _ in 0..12 {
        let beat = next(&mut one).await.unwrap().unwrap();
        assert!(beat.heartbeat && beat.event.is_none() && beat.order.is_none());
        let beat = next(&mut many).await.unwrap().unwrap();
        assert!(beat.heartbeat && beat.event.is_none() && beat.order.is_none());
        position = beat.position;
    }
    client.cancel(&id).await.unwrap();
    loop {
        let answer = next(&mut one).await.unwrap().unwrap();
        if !answer.heartbeat {
            assert_eq!(answer.event.unwrap().revision, revision + 1);
            break;
        }
    }
    let (_, mut resumed) = client.watch_many(filter, &position).await.unwrap();
    let answer = next(&mut resumed).await.unwrap().unwrap();
    assert_eq!(
        answer.event.unwrap().revision,
        revision + 1,
        "nothing is missed"
    );
}

#[tokio::test]
async fn heartbeats_can_be_turned_off() {
    let options = ServerOptions::default().arg("--watch-heartbeat").arg("0s");
    let server = orders_test_support::beside_shared(options).await;
    let client = server.client().await;
    let (_, mut many) = client.watch_many("", "").await.unwrap();
    let told = timeout(Duration::from_secs(1), many.message()).await;
    assert!(told.is_err(), "{told:?}");
}
