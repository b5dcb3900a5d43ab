//! A server that turns calls away at first: who sends again by gRPC's own rules gets through.

use crate::TestServer;
use futures::future::BoxFuture;
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};
use tokio::{net::TcpListener, task::AbortHandle};
use tonic::{
    Code, Status,
    body::Body,
    metadata::MetadataValue,
    server::NamedService,
    transport::{Channel, Server, server::TcpIncoming},
};
use tower::Service;

/// Stands before a real server. The first attempt of a call is answered with UNAVAILABLE and the
/// second with RESOURCE_EXHAUSTED, as by a server that is busy; the third is passed on. The first
/// answer says when to come back. The second does not: there are clients that come back to whoever
/// says so, whatever the code.
///
/// Which attempt it is says the header that gRPC's retries set, and nobody else.
pub struct FlakyServer {
    /// Where it listens, `host:port`.
    pub address: String,
    attempts: Arc<Mutex<Vec<u32>>>,
    task: AbortHandle,
}

impl FlakyServer {
    /// Stands before the order service of that server.
    pub async fn before(server: &TestServer) -> FlakyServer {
        let real = Channel::from_shared(format!("http://{}", server.address)).unwrap();
        let attempts = Arc::default();
        let real = real.connect_lazy();
        let gate = Gate {
            real: real.clone(),
            attempts: Arc::clone(&attempts),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let incoming = TcpIncoming::from(listener);
        let serving = Server::builder()
            .add_service(gate)
            .add_service(Health { real })
            .serve_with_incoming(incoming);
        FlakyServer {
            address,
            attempts,
            task: tokio::spawn(serving).abort_handle(),
        }
    }

    /// How many attempts each call that came had had before, in the sequence of their coming.
    pub fn attempts(&self) -> Vec<u32> {
        self.attempts.lock().unwrap().clone()
    }
}

impl Drop for FlakyServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Gate {
    real: Channel,
    attempts: Arc<Mutex<Vec<u32>>>,
}

impl NamedService for Gate {
    const NAME: &'static str = "orders.v1.OrderService";
}

impl Service<http::Request<Body>> for Gate {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let before = request.headers().get("grpc-previous-rpc-attempts");
        let before = before.map_or(0, |count| count.to_str().unwrap().parse().unwrap());
        self.attempts.lock().unwrap().push(before);
        let mut real = self.real.clone();
        Box::pin(async move {
            Ok(match before {
                0 => turned_away(Code::Unavailable, Some("20")),
                1 => turned_away(Code::ResourceExhausted, None),
                _ => pass_on(&mut real, request).await,
            })
        })
    }
}

/// The server's health, as it is: clients that follow it send nothing before they have seen it.
#[derive(Clone)]
struct Health {
    real: Channel,
}

impl NamedService for Health {
    const NAME: &'static str = "grpc.health.v1.Health";
}

impl Service<http::Request<Body>> for Health {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut real = self.real.clone();
        Box::pin(async move { Ok(pass_on(&mut real, request).await) })
    }
}

fn turned_away(code: Code, come_back: Option<&'static str>) -> http::Response<Body> {
    let mut status = Status::new(code, "come again");
    if let Some(milliseconds) = come_back {
        let value = MetadataValue::from_static(milliseconds);
        status
            .metadata_mut()
            .insert("grpc-retry-pushback-ms", value);
    }
    status.into_http()
}

async fn pass_on(real: &mut Channel, request: http::Request<Body>) -> http::Response<Body> {
    let answer = match std::future::poll_fn(|context| real.poll_ready(context)).await {
        Ok(()) => real.call(request).await,
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| Status::internal(error.to_string()).into_http())
}
