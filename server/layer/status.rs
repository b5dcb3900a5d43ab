//! Errors of tonic's own: requests that never reach an RPC. tonic answers them without details, and
//! some with codes that mean something else here (a request that cannot be decoded is INTERNAL, one
//! that is too large OUT_OF_RANGE).

use crate::error::Error;
use futures::future::{BoxFuture, FutureExt};
use http::{HeaderMap, Request, Response};
use std::task::{Context, Poll};
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};

/// The header with which tonic says what it would understand.
const UNDERSTOOD: &str = "grpc-accept-encoding";

/// Turns tonic's own errors into ours.
#[derive(Clone, Copy, Debug)]
pub struct StatusLayer {
    max_request: u32,
}

impl StatusLayer {
    /// With the largest request, in bytes, to be told to those whose requests are larger.
    pub fn new(max_request: u32) -> Self {
        Self { max_request }
    }
}

/// See [`StatusLayer`].
#[derive(Clone, Debug)]
pub struct StatusService<S> {
    inner: S,
    max_request: u32,
}

impl<S> Layer<S> for StatusLayer {
    type Service = StatusService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let max_request = self.max_request;
        StatusService { inner, max_request }
    }
}

impl<S> Service<Request<Body>> for StatusService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        let max_request = self.max_request;
        let answer = self.inner.call(request);
        async move {
            let response = answer.await?;
            Ok(match as_ours(response.headers(), &path, max_request) {
                Some(error) => refused(error, response.headers(), &path),
                None => response,
            })
        }
        .boxed()
    }
}

/// The error of ours that a status of tonic's own stands for. None for everything else: an answer,
/// or an error that has its details (all of ours do).
fn as_ours(headers: &HeaderMap, path: &str, max_request: u32) -> Option<Error> {
    // In the headers, since an error without an answer has nothing before its trailers.
    let status = Status::from_header_map(headers)?;
    if !status.details().is_empty() {
        return None;
    }
    match status.code() {
        Code::Unimplemented if headers.contains_key(UNDERSTOOD) => {
            Some(Error::Encoding(status.message().to_owned()))
        }
        Code::Unimplemented => Some(Error::UnknownMethod(path.to_owned())),
        Code::OutOfRange | Code::ResourceExhausted => Some(Error::TooLarge { most: max_request }),
        Code::Internal => Some(Error::Malformed(status.message().to_owned())),
        _ => None,
    }
}

fn refused(error: Error, before: &HeaderMap, path: &str) -> Response<Body> {
    let (code, reason) = (error.code(), error.reason());
    tracing::info!(path, ?code, reason, %error, "not done");
    let mut response = error.into_status("").into_http();
    if let Some(understood) = before.get(UNDERSTOOD) {
        let understood = understood.clone();
        response.headers_mut().insert(UNDERSTOOD, understood);
    }
    response
}
