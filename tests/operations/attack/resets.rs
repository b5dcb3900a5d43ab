//! Calls that are cancelled as soon as they are sent.

use super::{PATIENT, Patience, SHORT, SOURCES, probe::beside, stranger::connect};
use orders_test_support::{
    ServerOptions, TestServer, beside_shared,
    h2::{ACK, GOAWAY, H2, HEADERS, PING, RST_STREAM, bytes},
};
use std::{net::IpAddr, time::Duration};
use tokio::{io::AsyncWriteExt, time::Instant};

/// Calls that are cancelled at once.
const BATCH: u32 = 150;

/// The flags of headers that are complete.
const END_HEADERS: u8 = 4;

/// The error code of a cancelled call.
const CANCEL: [u8; 4] = 8u32.to_be_bytes();

/// The headers of a call, in the form that needs no table.
fn headers() -> Vec<u8> {
    let path = b"/orders.v1.OrderService/PlaceOrder";
    let kind = b"application/grpc";
    // POST, http, then path, authority and content type by the numbers of their names.
    let mut block = vec![0x83, 0x86, 0x04, path.len() as u8];
    block.extend(path);
    block.extend([0x01, 6]);
    block.extend(b"orders");
    block.extend([0x0f, 0x10, kind.len() as u8]);
    block.extend(kind);
    block.extend([0x00, 2]);
    block.extend(b"te");
    block.push(8);
    block.extend(b"trailers");
    block
}

/// Calls from `first` on, each with its cancellation, in one piece.
fn cancelled(first: u32) -> Vec<u8> {
    let block = headers();
    let streams = (0..BATCH).map(|index| first + 2 * index);
    streams
        .flat_map(|stream| {
            let call = bytes(HEADERS, END_HEADERS, stream, &block);
            [call, bytes(RST_STREAM, 0, stream, &CANCEL)].concat()
        })
        .collect()
}

/// Cancels calls on so many connections as fast as it can, connecting anew whenever it is put off.
pub async fn attack(
    server: &TestServer,
    source: IpAddr,
    connections: usize,
    time: Duration,
    patience: Patience,
) {
    let counts = beside(server, patience, async {
        let end = Instant::now() + time;
        let all = (0..connections).map(|_| cancel_until(end, server, source));
        futures::future::join_all(all).await
    });
    let counts = counts.await;
    println!("{} calls were cancelled", counts.iter().sum::<u32>());
}

/// Gives how many calls it could send.
async fn cancel_until(end: Instant, server: &TestServer, source: IpAddr) -> u32 {
    let mut count = 0;
    while Instant::now() < end {
        let stream = connect(&server.address, source).await.unwrap();
        let stream = H2::over(stream).await.into_stream();
        let (mut read, mut write) = stream.into_split();
        let reading = tokio::spawn(async move {
            let mut sink = tokio::io::sink();
            let _ = tokio::io::copy(&mut read, &mut sink).await;
        });
        let mut next = 1;
        loop {
            let batch = cancelled(next);
            let sent = tokio::time::timeout_at(end, write.write_all(&batch)).await;
            if !matches!(sent, Ok(Ok(()))) {
                break;
            }
            next += 2 * BATCH;
            count += BATCH;
            tokio::task::yield_now().await;
        }
        reading.abort();
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_cancelled_disturb_nobody() {
    let server = TestServer::start(ServerOptions::default()).await;
    for source in SOURCES {
        attack(&server, source, 1, SHORT, PATIENT).await;
    }
}

/// Whether a connection outlives eight batches of cancelled calls, each with a sign of life after it.
async fn survives(server: &TestServer) -> bool {
    let mut connection = H2::connect(&server.address).await;
    for round in 0..8 {
        let batch = cancelled(1 + round * 2 * BATCH);
        let ping = bytes(PING, 0, 0, &[7; 8]);
        if connection.write(&[batch, ping].concat()).await.is_err()
            || !answers(&mut connection).await
        {
            return false;
        }
    }
    true
}

/// Whether a ping is answered.
async fn answers(connection: &mut H2) -> bool {
    while let Some(frame) = connection.next().await {
        if frame.kind == GOAWAY {
            println!("GOAWAY {:?}", String::from_utf8_lossy(&frame.payload));
            return false;
        }
        if frame.kind == PING && frame.flags & ACK == ACK {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_connection_survives_its_cancelled_calls() {
    let server = beside_shared(ServerOptions::default()).await;
    assert!(survives(&server).await);
}

#[tokio::test]
async fn how_many_may_wait_is_a_setting() {
    let options = ServerOptions::default()
        .arg("--max-pending-resets")
        .arg("20");
    let server = beside_shared(options).await;
    assert!(!survives(&server).await);
}
