//! What a read is measured against: a tonic server in a process of its own that knows one answer.

use orders::v1::{GetOrderRequest, GetOrderResponse};
use orders_test_support::{Client, process::Process};
use prost::Message;
use std::{convert::Infallible, path::Path, process::Command};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status, body::Body, codegen::http, server::NamedService, transport::Server,
};

/// Gives the same answer to each GetOrder.
#[derive(Clone)]
struct Echo(GetOrderResponse);

impl tonic::server::UnaryService<GetOrderRequest> for Echo {
    type Response = GetOrderResponse;
    type Future = std::future::Ready<Result<Response<GetOrderResponse>, Status>>;

    fn call(&mut self, _request: Request<GetOrderRequest>) -> Self::Future {
        std::future::ready(Ok(Response::new(self.0.clone())))
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "orders.v1.OrderService";
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = futures::future::BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move {
            let codec = tonic_prost::ProstCodec::default();
            Ok(tonic::server::Grpc::new(codec).unary(echo, request).await)
        })
    }
}

/// Serves the answer in `file` until killed, and says where.
pub async fn serve(file: &Path) {
    let answer = std::fs::read(file).unwrap();
    let answer = GetOrderResponse::decode(answer.as_slice()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("ready on {}", listener.local_addr().unwrap());
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder().add_service(Echo(answer));
    server.serve_with_incoming(incoming).await.unwrap();
}

/// Starts that as a process; gives it and a client of it.
pub async fn start(folder: &Path, answer: &GetOrderResponse) -> (Process, Client) {
    let file = folder.join("answer");
    std::fs::write(&file, answer.encode_to_vec()).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--echo").arg(&file);
    let process = Process::spawn(command);
    let line =
        orders_test_support::eventually("the echo", async || process.line_with("ready on ")).await;
    let address = line.split("ready on ").nth(1).unwrap().to_owned();
    let client = Client::connect(&address).await;
    (process, client)
}
