//! Where a request of a connection becomes a call: it is counted, and its caller is put beside it.

use super::{
    connection::{Connection, OpenCall, Peer},
    registry::Registry,
    trusted::TrustedProxies,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tonic::body::Body;
use tower::Service;

/// The service as one connection sees it.
#[derive(Clone, Debug)]
pub struct Entry<S> {
    pub(super) inner: S,
    pub(super) connection: Arc<Connection>,
    pub(super) registry: Arc<Registry>,
    pub(super) trusted: TrustedProxies,
}

impl<S> Entry<S> {
    fn peer<B>(&self, request: &Request<B>) -> Peer {
        let connection = self.connection.clone();
        let named = if connection.names_clients {
            self.trusted.forwarded(request.headers())
        } else {
            None
        };
        let caller = match named {
            Some(client) => connection.forwarded(self.registry.address(client)),
            None => connection.caller().clone(),
        };
        Peer { caller, connection }
    }
}

impl<S> Service<Request<Incoming>> for Entry<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Counted>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let mut open = self.connection.begin();
        let peer = self.peer(&request);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if answer.body().is_end_stream() {
                open.answered();
            }
            Ok(answer.map(|body| Counted { body, open }))
        })
    }
}

/// The body of an answer: the call counts as open until it is dropped.
#[derive(Debug)]
pub struct Counted {
    body: Body,
    open: OpenCall,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        // The last one, or nothing more.
        if self.body.is_end_stream() || frame.is_none() {
            self.open.answered();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
