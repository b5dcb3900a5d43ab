//! A client of HTTP/2 that does as it likes: windows of nothing, requests without an end.

use ::h2::{
    SendStream,
    client::{Builder, ResponseFuture, SendRequest},
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use orders_test_support::{Placing, raw};
use prost::Message;
use std::net::{IpAddr, SocketAddr};
use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A TCP connection to the server from an address of this machine.
pub async fn connect(address: &str, from: IpAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(address.parse().unwrap()).await
}

/// A connection of HTTP/2.
pub struct Stranger {
    send: SendRequest<Bytes>,
    /// Ends when the connection does.
    pub ended: JoinHandle<Result<(), ::h2::Error>>,
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.ended.abort();
    }
}

/// What was answered to a call.
#[derive(Debug)]
pub struct Answered {
    /// The status of gRPC, from the headers or the trailers.
    pub code: Code,
    /// The reason, if it is an error.
    pub reason: String,
}

impl Stranger {
    /// Connects; each answer may have `window` bytes until more are asked for.
    pub async fn connect(address: &str, from: IpAddr, window: u32) -> Stranger {
        Self::over(connect(address, from).await.unwrap(), window).await
    }

    /// Over a connection that is there.
    pub async fn over(stream: TcpStream, window: u32) -> Stranger {
        let mut builder = Builder::new();
        builder
            .initial_window_size(window)
            .max_concurrent_reset_streams(100_000)
            .reset_stream_duration(std::time::Duration::ZERO)
            .initial_max_send_streams(1_000);
        let (send, connection) = builder.handshake(stream).await.unwrap();
        let ended = tokio::spawn(connection);
        Stranger { send, ended }
    }

    /// Sends the headers of a call. Fails once the connection is at its end.
    pub async fn begin(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<(ResponseFuture, SendStream<Bytes>), ::h2::Error> {
        let mut request = Request::post(format!("http://orders{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut ready = self.send.clone().ready().await?;
        ready.send_request(request.body(()).unwrap(), false)
    }

    /// Sends a call.
    pub async fn call(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        message: &impl Message,
    ) -> Result<ResponseFuture, ::h2::Error> {
        let (response, mut body) = self.begin(path, headers).await?;
        let message = raw::frame(0, &message.encode_to_vec());
        body.send_data(message.into(), true)?;
        Ok(response)
    }

    /// Sends a call and reads its answer to the end.
    pub async fn ask(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        message: &impl Message,
    ) -> Answered {
        let response = self.call(path, headers, message).await.unwrap();
        answered(response.await.unwrap()).await
    }
}

/// Reads an answer to its end.
pub async fn answered(response: Response<::h2::RecvStream>) -> Answered {
    let (parts, mut body) = response.into_parts();
    let mut headers: HeaderMap = parts.headers;
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    headers.extend(body.trailers().await.unwrap().unwrap_or_default());
    let status = Status::from_header_map(&headers)
        .unwrap_or_else(|| panic!("no status: {} {headers:?}", parts.status));
    let info = status.get_details_error_info();
    Answered {
        code: status.code(),
        reason: info.map(|info| info.reason).unwrap_or_default(),
    }
}

/// How the beginning of a stream was answered; none while it has not been.
pub async fn opened(response: ResponseFuture) -> Result<::h2::RecvStream, Answered> {
    let response = response.await.unwrap();
    if response.headers().contains_key("grpc-status") {
        return Err(answered(response).await);
    }
    Ok(response.into_body())
}

/// An order of about 120 KiB, of a sku that is there.
pub fn large_order(customer: &str, sku: &str) -> Placing {
    let mut placing = Placing::pre_order(sku, 30);
    let mut item = placing.0.line_items[0].clone();
    item.name = "\u{1f680}".repeat(180);
    placing.0.line_items = vec![item; 150];
    placing.0.customer_id = customer.to_owned();
    placing
}
