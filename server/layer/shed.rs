//! Shedding load: no more calls at a time than the process can take, and of one caller no more than
//! its share. The others are refused at once, before anything is done, so that they may be sent again,
//! here or elsewhere. Without that they would queue until their callers have given up, and be worked
//! on for nobody.

use super::answer;
use crate::{
    accept::{Peer, Permit, Resource},
    error::Error,
    method::{self, Kind},
};
use futures::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use std::task::{Context, Poll};
use tonic::body::Body;
use tower::{Layer, Service};

/// The service that must answer most of all when there is too much.
const HEALTH: &str = "/grpc.health.";

/// Its RPC that is a stream.
const HEALTH_WATCH: &str = "/grpc.health.v1.Health/Watch";

/// The services whose calls are all streams.
const REFLECTION: &str = "/grpc.reflection.";

/// Takes a slot of a call that waits for Temporal, beside the one of every call.
///
/// Changes, and reads that ask the workflow, wait for Temporal up to their deadline. When it is slow
/// or away they pile up: they may take three quarters of the slots, so that there is one for a read,
/// which takes a millisecond.
///
/// # Errors
/// When there is none.
pub fn take_waiting(peer: &Peer) -> Result<Permit, Error> {
    take(peer, Resource::Waiting)
}

fn take(peer: &Peer, resource: Resource) -> Result<Permit, Error> {
    let permit = peer.caller.take(resource, 1);
    permit.ok_or_else(|| match resource {
        Resource::Watches | Resource::Reflection => Error::TooManyWatches {
            most: peer.caller.size(resource) as u32,
        },
        _ => Error::Overloaded {
            most: peer.caller.size(Resource::Calls) as u32,
        },
    })
}

/// Gives every call its slot, or refuses it. A call keeps it until its answer is written; a stream
/// gives it back when it is open, and is counted among the streams from then on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShedLayer;

/// See [`ShedLayer`].
#[derive(Clone, Debug)]
pub struct ShedService<S>(S);

impl<S> Layer<S> for ShedLayer {
    type Service = ShedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ShedService(inner)
    }
}

/// What a call takes.
struct Taken {
    peer: Peer,
    slot: Permit,
    /// Of a list: as long as its slot, since its answer is large.
    list: Option<Permit>,
    /// Of a change: until it is done.
    waiting: Option<Permit>,
    is_stream: bool,
    /// Whether it is a call of the API.
    is_api: bool,
}

impl Taken {
    /// None for paths that lead nowhere: they are answered at once.
    fn of(path: &str, peer: &Peer) -> Result<Option<Self>, Error> {
        let method = method::find(path);
        let (resource, is_stream) = match method {
            Some(method) => (Resource::Calls, method.kind == Kind::Stream),
            None if path == HEALTH_WATCH => (Resource::Watches, true),
            None if path.starts_with(HEALTH) => (Resource::Health, false),
            None if path.starts_with(REFLECTION) => (Resource::Reflection, true),
            None => return Ok(None),
        };
        let waiting = match method {
            Some(method) if method.kind == Kind::Change => Some(take_waiting(peer)?),
            _ => None,
        };
        let list = match method {
            Some(method) if method.is_list => Some(take(peer, Resource::Lists)?),
            _ => None,
        };
        let slot = take(peer, resource)?;
        Ok(Some(Self {
            peer: peer.clone(),
            slot,
            list,
            waiting,
            is_stream,
            is_api: method.is_some(),
        }))
    }

    async fn hold(self, body: Body) -> Body {
        drop(self.waiting);
        if self.is_stream {
            // A watch of the API has its own place among the watches by now.
            let permit = Some(self.slot).filter(|_| !self.is_api);
            return answer::stream(body, permit, self.peer);
        }
        answer::unary(body, (self.slot, self.list), self.peer).await
    }
}

impl<S> Service<Request<Body>> for ShedService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let taken = match request.extensions().get::<Peer>() {
            Some(peer) => Taken::of(path, peer),
            None => Ok(None),
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                let reason = error.reason();
                tracing::info!(path, reason, %error, "not done");
                let refused = error.into_status("").into_http();
                return futures::future::ready(Ok(refused)).boxed();
            }
        };
        let answer = self.0.call(request);
        async move {
            let answer = answer.await?;
            let Some(taken) = taken else {
                return Ok(answer);
            };
            let (parts, body) = answer.into_parts();
            let body = taken.hold(body).await;
            Ok(Response::from_parts(parts, body))
        }
        .boxed()
    }
}
