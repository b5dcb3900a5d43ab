//! Handshakes that are begun and never ended.

use super::Port;
use crate::operations::attack::{
    SOURCES,
    probe::{PATIENT, beside_client},
    stranger::connect,
};
use orders_test_support::{PATIENCE, TestServer};
use std::{net::IpAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

/// So many of each kind: those that say nothing, and those that begin.
const EACH: usize = 500;

/// How long a handshake may take.
const FIRST_BYTES: &str = "5s";

/// The beginning of a ClientHello; 500 bytes of it are missing.
const BEGUN: &[u8] = b"\x16\x03\x01\x01\xf8\x01\0\x01\xf4\x03\x03";

async fn half_open(server: &TestServer, source: IpAddr) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for index in 0..2 * EACH {
        let mut stream = connect(&server.address, source).await.unwrap();
        if index % 2 == 0 {
            // It may be closed already.
            let _ = stream.write_all(BEGUN).await;
        }
        open.push(stream);
    }
    open
}

/// Waits until the server has ended a connection.
async fn end(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "a connection is still open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_half_open_handshakes_delay_nobody_and_end() {
    orders_server::accept::raise_limit();
    let port = Port::new();
    let options = port.options().arg("--first-bytes-timeout");
    let server = TestServer::start(options.arg(FIRST_BYTES)).await;
    let client = async || port.client().api(&server.address).await.unwrap();
    for source in SOURCES {
        let attack = async {
            let begun = Instant::now();
            let mut open = half_open(&server, source).await;
            println!("1,000 half-open handshakes in {:?}", begun.elapsed());
            sleep(Duration::from_secs(1)).await;
            for stream in &mut open {
                end(stream).await;
            }
            println!("all of them had ended after {:?}", begun.elapsed());
        };
        beside_client(&server, client, PATIENT, attack).await;
    }
    // A single one has the whole time, and no more.
    let begun = Instant::now();
    let mut alone = connect(&server.address, SOURCES[0]).await.unwrap();
    end(&mut alone).await;
    assert!(
        begun.elapsed() >= Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    let line = server.process.line_with("it did not end in time");
    assert!(line.is_some(), "the log says why");
}
