//! Shedding load: no more calls at a time than the process can take, and of one caller no more than
//! its share. The others are refused at once, before anything is done, so that they may be sent again,
//! here or elsewhere. Without that they would queue until their callers have given up, and be worked
//! on for nobody.

use super::answer;
use crate::{
    accept::{Peer, Permit, Resource},
    error::Error,
};
use futures::future::{BoxFuture, FutureExt};
use http::{Request, Response};
use std::task::{Context, Poll};
use tonic::body::Body;
use tower::{Layer, Service};

/// The services of the API.
const API: &str = "/orders.v1.";

/// The service that must answer most of all when there is too much.
const HEALTH: &str = "/grpc.health.";

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
}

impl Taken {
    /// None for paths that lead nowhere: they are answered at once.
    fn of(path: &str, peer: &Peer) -> Result<Option<Self>, Error> {
        let is_watch = method(path).starts_with("Watch");
        let (resource, is_stream) = match path {
            _ if path.starts_with(API) => (Resource::Calls, is_watch),
            _ if path.starts_with(HEALTH) && is_watch => (Resource::Watches, true),
            _ if path.starts_with(HEALTH) => (Resource::Health, false),
            _ if path.starts_with(REFLECTION) => (Resource::Reflection, true),
            _ => return Ok(None),
        };
        let waiting = if path.starts_with(API) && is_change(path) {
            Some(take_waiting(peer)?)
        } else {
            None
        };
        let list = if path.starts_with(API) && method(path).starts_with("List") {
            Some(take(peer, Resource::Lists)?)
        } else {
            None
        };
        let slot = take(peer, resource)?;
        Ok(Some(Self {
            peer: peer.clone(),
            slot,
            list,
            waiting,
            is_stream,
        }))
    }

    async fn hold(self, path_is_api: bool, body: Body) -> Body {
        drop(self.waiting);
        if self.is_stream {
            // A watch of the API has its own place among the watches by now.
            let permit = Some(self.slot).filter(|_| !path_is_api);
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
        let is_api = path.starts_with(API);
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
            let body = taken.hold(is_api, body).await;
            Ok(Response::from_parts(parts, body))
        }
        .boxed()
    }
}

fn method(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Whether a call changes something. Going by the name holds for every method of the contract; a
/// test compares it with the published service config.
fn is_change(path: &str) -> bool {
    let method = method(path);
    !["Get", "List", "Watch", "Explain"]
        .iter()
        .any(|read| method.starts_with(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_from_reads_as_the_service_config_has_them() {
        let config = include_str!("../../proto/orders/v1/orders_grpc_service_config.json");
        let config: serde_json::Value = serde_json::from_str(config).unwrap();
        let mut changes = 0;
        for group in config["methodConfig"].as_array().unwrap() {
            // Changes are the methods that may take longest; streams have no time at all.
            let expected = group["timeout"] == "30s";
            for name in group["name"].as_array().unwrap() {
                let (service, method) = (&name["service"], &name["method"]);
                let path = format!(
                    "/{}/{}",
                    service.as_str().unwrap(),
                    method.as_str().unwrap()
                );
                assert_eq!(is_change(&path), expected, "{path}");
                changes += usize::from(expected);
            }
        }
        assert_eq!(changes, 13);
    }
}
