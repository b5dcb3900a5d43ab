//! `orders-replayed` is a trailer (api: an answer to a request that was answered before). tonic
//! lets an RPC set headers only, so this moves it.

use futures::future::{BoxFuture, FutureExt};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use orders::REPLAYED;
use std::task::{Context, Poll};
use tonic::body::Body;
use tower::{Layer, Service};

/// Moves the header to the trailers.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrailerLayer;

/// See [`TrailerLayer`].
#[derive(Clone, Debug)]
pub struct TrailerService<S>(S);

impl<S> Layer<S> for TrailerLayer {
    type Service = TrailerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TrailerService(inner)
    }
}

impl<S> Service<Request<Body>> for TrailerService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.0.call(request);
        answer.map(|answer| answer.map(move_header)).boxed()
    }
}

fn move_header(mut response: Response<Body>) -> Response<Body> {
    if response.headers_mut().remove(REPLAYED).is_none() {
        return response;
    }
    response.map(|body| {
        Body::new(body.map_frame(|mut frame| {
            if let Some(trailers) = frame.trailers_mut() {
                trailers.insert(REPLAYED, HeaderValue::from_static("true"));
            }
            frame
        }))
    })
}
