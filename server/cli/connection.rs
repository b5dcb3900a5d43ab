//! Calls of the server: within the time limit, and sent again while that is safe and helps.

use super::{
    failure::Failure,
    options::{ClientOptions, Format},
    tls,
};
use backon::{BackoffBuilder, ExponentialBuilder};
use orders::RETRIED;
use orders::endpoint::{EndpointError, KeepAlive, endpoint};
use orders::v1::{
    inventory_service_client::InventoryServiceClient,
    operator_service_client::OperatorServiceClient, order_service_client::OrderServiceClient,
};
use std::{cell::Cell, error::Error, time::Duration};
use tokio::time::Instant;
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_types::StatusExt;

/// The pauses before the same is sent again to a server that says nothing about it.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(100))
    .with_max_delay(LONGEST_PAUSE)
    .with_jitter()
    .without_max_times();
/// The longest of those pauses, without its jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The reason of a server for a call whose time is up.
const LATE: &str = "DEADLINE_EXCEEDED";
/// While a call waits, a silent server is pinged: a watch would never notice that its host is gone.
const KEEP_ALIVE: KeepAlive = KeepAlive {
    interval: Duration::from_secs(20),
    timeout: Duration::from_secs(10),
};
/// A page of large orders is larger than the 4 MB that tonic takes by itself.
const ANSWER_MOST: usize = 256 * 1024 * 1024;

/// A server, and until when the command may take.
#[derive(Debug)]
pub struct Connection {
    channel: Channel,
    server: String,
    end: Instant,
    timeout: Duration,
    /// Whether to say that the server is not reached, while it is tried again.
    tell: Cell<bool>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer<A> {
    /// The message.
    pub message: A,
    /// Whether the request had been answered before.
    pub replayed: bool,
}

impl Connection {
    /// A connection that is made with the first call.
    ///
    /// # Errors
    /// When the address cannot be one, or a file of the TLS options cannot be used.
    pub fn new(options: &ClientOptions) -> Result<Self, Failure> {
        let tls = options.tls.files();
        let server = if options.server.contains("://") {
            options.server.clone()
        } else if tls.flag().is_some() {
            format!("https://{}", options.server)
        } else {
            format!("http://{}", options.server)
        };
        let endpoint = endpoint(&server, KEEP_ALIVE, &tls).map_err(|cause| match cause {
            EndpointError::Pem(cause) => Failure::usage(cause.to_string()),
            cause => Failure::usage(format!(
                "--server {server} cannot be used ({cause}): give it as http://HOST:PORT or https://HOST:PORT"
            )),
        })?;
        Ok(Self {
            channel: endpoint.connect_lazy(),
            end: Instant::now() + options.timeout,
            timeout: options.timeout,
            tell: Cell::new(options.output == Format::Text),
            server,
        })
    }

    /// The order service.
    pub fn orders(&self) -> OrderServiceClient<Channel> {
        OrderServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MOST)
    }

    /// The inventory service.
    pub fn inventory(&self) -> InventoryServiceClient<Channel> {
        InventoryServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MOST)
    }

    /// The operator service.
    pub fn operator(&self) -> OperatorServiceClient<Channel> {
        OperatorServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_MOST)
    }

    /// What is left of the time limit.
    pub fn remaining(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// The time limit begins anew.
    pub fn renew(&mut self) {
        self.end = Instant::now() + self.timeout;
    }

    /// Calls, and calls again with the same request while the server is not reached or says when
    /// to come back, and time is left. That is safe: reads change nothing, and a change is done
    /// once for its request id.
    pub async fn call<Q: Clone, A>(
        &self,
        request: &Q,
        rpc: impl AsyncFn(Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<Answer<A>, Failure> {
        let answer = self.send(request, async |mut request| {
            request.set_timeout(self.remaining());
            let response = rpc(request).await?;
            let replayed = response.metadata().get(orders::REPLAYED);
            Ok(Answer {
                replayed: replayed.is_some(),
                message: response.into_inner(),
            })
        });
        answer.await
    }

    /// Opens a stream, as [`call`](Self::call) calls. The time limit is that of its beginning; the
    /// stream itself may last.
    pub async fn open<Q: Clone, A>(
        &self,
        request: &Q,
        rpc: impl AsyncFn(Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<Response<A>, Failure> {
        self.send(request, rpc).await
    }

    async fn send<Q: Clone, A>(
        &self,
        request: &Q,
        rpc: impl AsyncFn(Request<Q>) -> Result<A, Status>,
    ) -> Result<A, Failure> {
        let mut pauses = PAUSES.build();
        loop {
            let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
            let sent = Request::new(request.clone());
            let Ok(answered) = tokio::time::timeout_at(self.end, rpc(sent)).await else {
                return Err(self.late());
            };
            let status = match answered {
                Ok(answer) => return Ok(answer),
                Err(status) => status,
            };
            let told = match RETRIED.contains(&status.code()) {
                true => status.get_details_retry_info(),
                false => None,
            };
            let told = told.and_then(|info| info.retry_delay);
            if let Some(cause) = self.refused_by_tls(&status) {
                let message = format!("{} cannot be reached: {cause}", self.server);
                return Err(Failure::usage(message));
            }
            let (failure, wait) = match told {
                Some(delay) => (Failure::status(&status), delay),
                None if self.is_late(&status) => return Err(self.late()),
                None if is_broken_connection(&status) => (self.unreachable(&status), pause),
                None => return Err(Failure::status(&status)),
            };
            if wait >= self.remaining() {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// A stream broke: how long to wait before it is opened again from where it was. None when
    /// that would not help.
    pub fn pause_before_reopening(&self, status: &Status) -> Option<Duration> {
        let broken = is_broken_connection(status);
        let told = match RETRIED.contains(&status.code()) {
            true => status.get_details_retry_info(),
            false => None,
        };
        let told = told.and_then(|info| info.retry_delay);
        told.or(broken.then_some(LONGEST_PAUSE))
    }

    /// Whether the status means that the time of the command is up. A server answers a little before that,
    /// in words for a change, since it cannot know whether its caller asked for one.
    fn is_late(&self, status: &Status) -> bool {
        match status.code() {
            Code::Cancelled => self.remaining().is_zero(),
            Code::DeadlineExceeded => {
                let info = status.get_details_error_info();
                let is_time_of_call = info.is_none_or(|info| info.reason == LATE);
                is_time_of_call && self.remaining() < self.timeout / 10
            }
            _ => false,
        }
    }

    /// Returns why the connection failed in TLS, if it did. A status that a server sent has no source.
    fn refused_by_tls(&self, status: &Status) -> Option<String> {
        tls::refusal(status.source()?, self.server.starts_with("https:"))
    }

    fn late(&self) -> Failure {
        let Self {
            server, timeout, ..
        } = self;
        Failure::late(format!("{server} did not answer within {timeout:?}"))
    }

    fn unreachable(&self, status: &Status) -> Failure {
        let cause = root_cause(status);
        let message = format!("{} cannot be reached: {cause}", self.server);
        if self.tell.replace(false) {
            eprintln!("orders: {message}; trying for {:?}", self.timeout);
        }
        Failure::unreachable(message)
    }
}

/// Whether the status was made here, since the connection was not there or broke, and was not
/// sent by a server of ours.
fn is_broken_connection(status: &Status) -> bool {
    let ours = status.get_details_error_info().is_some();
    !ours && (status.code() == Code::Unavailable || status.source().is_some())
}

/// What is at the bottom of an error: "connection refused" says more than "transport error".
fn root_cause<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
}
