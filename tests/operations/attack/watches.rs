//! Streams: how many one caller may have.

use super::{
    PATIENT, Patience, SHORT, SOURCES,
    probe::beside,
    stranger::{Stranger, opened},
};
use orders::v1::WatchOrdersRequest;
use orders_test_support::{ServerOptions, TestServer, beside_shared};
use std::{net::IpAddr, time::Duration};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;

const WATCH: &str = "/orders.v1.OrderService/WatchOrders";
const HEALTH: &str = "/grpc.health.v1.Health/Watch";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// A connection with its open watches.
struct Watching {
    stranger: Stranger,
    open: Vec<::h2::RecvStream>,
    refused: usize,
}

impl Watching {
    async fn connect(server: &TestServer, source: IpAddr) -> Watching {
        Watching {
            stranger: Stranger::connect(&server.address, source, 0).await,
            open: Vec::new(),
            refused: 0,
        }
    }

    async fn open(&mut self, path: &str, count: usize) {
        for _ in 0..count {
            let answer = match path {
                HEALTH => {
                    let request = HealthCheckRequest::default();
                    self.stranger.call(path, &[], &request).await
                }
                _ => {
                    let request = WatchOrdersRequest::default();
                    self.stranger.call(path, &[], &request).await
                }
            };
            match opened(answer.unwrap()).await {
                Ok(stream) => self.open.push(stream),
                Err(answered) => {
                    assert_eq!(answered.code, Code::ResourceExhausted);
                    assert_eq!(answered.reason, "TOO_MANY_WATCHES");
                    self.refused += 1;
                }
            }
        }
    }
}

/// Opens watches on many connections and keeps them.
pub async fn attack(server: &TestServer, source: IpAddr, time: Duration, patience: Patience) {
    beside(server, patience, async {
        let mut all = Vec::new();
        for _ in 0..10 {
            let mut watching = Watching::connect(server, source).await;
            watching.open(WATCH, 300).await;
            all.push(watching);
        }
        tokio::time::sleep(time).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_of_one_address_leave_watches_to_others() {
    let server = TestServer::start(ServerOptions::default().arg("--max-watches").arg("200")).await;
    let [own, other] = SOURCES;
    let opened = beside(&server, PATIENT, async {
        let mut all = Vec::new();
        for _ in 0..2 {
            let mut watching = Watching::connect(&server, other).await;
            watching.open(WATCH, 100).await;
            all.push(watching);
        }
        let mut same = Watching::connect(&server, other).await;
        same.open(WATCH, 1).await;
        assert_eq!(same.refused, 0, "a new connection of the same address");
        all.push(same);
        for index in 0..23 {
            let mut watching = Watching::connect(&server, other).await;
            watching.open([WATCH, HEALTH][index % 2], 10).await;
            all.push(watching);
        }
        let mut another = Watching::connect(&server, own).await;
        another.open(WATCH, 8).await;
        assert_eq!(another.refused, 0, "another address");
        tokio::time::sleep(SHORT / 3).await;
        all.iter().map(|one| one.open.len()).sum::<usize>()
    });
    let opened = opened.await;
    println!("{opened} of 200 watches for 26 connections of one address");
    assert!((120..=160).contains(&opened), "{opened}");
}

#[tokio::test]
async fn reflection_streams_are_counted() {
    let server = beside_shared(ServerOptions::default()).await;
    let mut many = Watching::connect(&server, SOURCES[0]).await;
    let mut bodies = Vec::new();
    for _ in 0..260 {
        let (response, body) = many.stranger.begin(REFLECTION, &[]).await.unwrap();
        bodies.push(body);
        match opened(response).await {
            Ok(stream) => many.open.push(stream),
            Err(answered) => {
                assert_eq!(answered.code, Code::ResourceExhausted);
                many.refused += 1;
            }
        }
    }
    println!("{} reflection streams on one connection", many.open.len());
    assert!(many.refused > 0);
    let mut another = Stranger::connect(&server.address, SOURCES[0], 0).await;
    let (response, _body) = another.begin(REFLECTION, &[]).await.unwrap();
    assert!(opened(response).await.is_ok());
}
