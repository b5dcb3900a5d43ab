//! Streams of health and reflection when the process stops. They have no end of their own, and
//! tonic waits for them: every client that watches the health would hold up the stop.

use crate::error::Error;
use futures::future::{BoxFuture, FutureExt};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::task::{Context, Poll};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::{Layer, Service};

/// The services of gRPC itself.
const OURS_TO_END: &str = "/grpc.";

/// Ends the streams of health and reflection with UNAVAILABLE, once the process stops.
#[derive(Clone, Debug)]
pub struct StoppingLayer(CancellationToken);

impl StoppingLayer {
    /// Then.
    pub fn new(stopping: CancellationToken) -> Self {
        Self(stopping)
    }
}

/// See [`StoppingLayer`].
#[derive(Clone, Debug)]
pub struct StoppingService<S> {
    inner: S,
    stopping: CancellationToken,
}

impl<S> Layer<S> for StoppingLayer {
    type Service = StoppingService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let stopping = self.0.clone();
        StoppingService { inner, stopping }
    }
}

impl<S> Service<Request<Body>> for StoppingService<S>
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
        let ends = request.uri().path().starts_with(OURS_TO_END);
        let answer = self.inner.call(request);
        if !ends {
            return answer.boxed();
        }
        let stopping = self.stopping.clone();
        answer
            .map(|answer| answer.map(|response| response.map(|body| until(stopping, body))))
            .boxed()
    }
}

/// The body, but no longer than that.
fn until(stopping: CancellationToken, body: Body) -> Body {
    let frames = futures::stream::unfold(Some(body), move |body| {
        let stopping = stopping.clone();
        async move {
            let mut body = body?;
            tokio::select! {
                // What is there to be said is said first: that nothing is served any more.
                biased;
                frame = body.frame() => frame.map(|frame| (frame, Some(body))),
                () = stopping.cancelled() => Some((Ok(end()), None)),
            }
        }
    });
    Body::new(StreamBody::new(frames))
}

fn end<D>() -> Frame<D> {
    let mut trailers = HeaderMap::new();
    let status = Error::Stopping("another call".to_owned()).into_status("");
    if status.add_header(&mut trailers).is_err() {
        let code = HeaderValue::from_static("14");
        trailers.insert("grpc-status", code);
    }
    Frame::trailers(trailers)
}
