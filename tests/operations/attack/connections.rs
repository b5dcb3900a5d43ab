//! Connections that do nothing.

use super::{
    PATIENT, Patience, SHORT, SOURCES,
    probe::beside,
    stranger::{Stranger, connect},
};
use orders::v1::ListPoliciesRequest;
use orders_test_support::{Client, PATIENCE, ServerOptions, TestServer, beside_shared, eventually};
use std::{net::IpAddr, process::Command, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};
use tonic::Code;

/// Opens connections that say nothing, and as many that only say that they speak HTTP/2.
pub async fn attack(
    server: &TestServer,
    source: IpAddr,
    count: usize,
    time: Duration,
    patience: Patience,
) {
    beside(server, patience, async {
        let (mut silent, mut idle) = (Vec::new(), Vec::new());
        for _ in 0..count {
            silent.push(connect(&server.address, source).await.unwrap());
            let mut stream = connect(&server.address, source).await.unwrap();
            let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
            // It may be closed already.
            let _ = stream.write_all(preface).await;
            idle.push(stream);
        }
        sleep(time).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_do_nothing_make_room_for_others() {
    let options = ServerOptions::default().arg("--max-connections").arg("60");
    let server = TestServer::start(options).await;
    for source in SOURCES {
        attack(&server, source, 150, SHORT, PATIENT).await;
    }
}

#[tokio::test]
async fn a_connection_that_shows_nothing_ends_and_an_idle_one_too() {
    let options = ServerOptions::default()
        .arg("--first-bytes-timeout")
        .arg("500ms")
        .arg("--max-connection-idle")
        .arg("2s");
    let server = beside_shared(options).await;
    for begin in ["", "PRI * HTTP/2", "POST /orders.v1.OrderService/Ge"] {
        let mut stream = connect(&server.address, SOURCES[0]).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "{begin:?} is still open");
    }
    let mut idle = Stranger::connect(&server.address, SOURCES[0], 65_535).await;
    let policies = ListPoliciesRequest {};
    let path = "/orders.v1.OrderService/ListPolicies";
    let answered = idle.ask(path, &[], &policies).await;
    assert_eq!(answered.code, Code::Ok);
    // By GOAWAY, so that nothing that is sent meanwhile gets lost.
    let ended = timeout(PATIENCE, &mut idle.ended).await;
    ended.expect("it ends").unwrap().unwrap();
}

#[tokio::test]
async fn without_files_the_server_waits_and_says_so() {
    let server = beside_shared(ServerOptions::default()).await;
    let client = server.client().await;
    let pid = server.process.pid().to_string();
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).map(Iterator::count);
    let Ok(open) = open else {
        return; // Linux alone tells.
    };
    let most = (open + 8).to_string();
    let limited = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--nofile={most}:")])
        .status();
    let limited = limited.expect("prlimit, of util-linux, is installed");
    assert!(limited.success());
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(connect(&server.address, SOURCES[1]).await.unwrap());
    }
    let line = "no connection can be accepted";
    eventually("the log to say so", async || server.process.line_with(line)).await;
    // Those who are connected do not notice, and others get through.
    let list = ListPoliciesRequest {};
    client.orders.clone().list_policies(list).await.unwrap();
    let another = timeout(PATIENCE, Client::connect(&server.address)).await;
    let mut another = another.expect("a connection in time").orders;
    another.list_policies(list).await.unwrap();
    let output = server.process.output();
    let lines = output.lines().filter(|said| said.contains(line)).count();
    assert!(lines < 5, "{lines} lines");
}
