//! Reads a request to its end before anything else is done for it. A call that is not sent in full
//! holds a little memory for a short time, and nothing that other callers wait for.

use crate::{
    accept::{Peer, Permit, Resource},
    error::Error,
};
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use std::{
    task::{Context, Poll},
    time::Duration,
};
use tonic::body::Body;
use tower::{Layer, Service};

/// The services whose methods take one message. Reflection takes a stream.
const UNARY: [&str; 2] = ["/orders.v1.", "/grpc.health."];

/// What a message has before it: a flag and its length.
const PREFIX: usize = 5;

/// What HTTP/2 counts for each header beside its letters; about what it takes in memory, too.
const PER_HEADER: usize = 32;

/// What a call takes beside its headers and its body.
const PER_CALL: u64 = 1024;

/// Reads requests, up to a size and a time.
#[derive(Clone, Copy, Debug)]
pub struct BodyLayer {
    limits: BodyLimits,
}

/// How much of a request is read, and how long.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The largest message, in bytes.
    pub message: u32,
    /// The largest headers, in bytes.
    pub headers: u32,
    /// How long a request may take to arrive.
    pub time: Duration,
}

impl BodyLayer {
    /// With these limits.
    pub fn new(limits: BodyLimits) -> Self {
        Self { limits }
    }
}

/// See [`BodyLayer`].
#[derive(Clone, Debug)]
pub struct BodyService<S> {
    inner: S,
    limits: BodyLimits,
}

impl<S> Layer<S> for BodyLayer {
    type Service = BodyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let limits = self.limits;
        BodyService { inner, limits }
    }
}

impl<S> Service<Request<Body>> for BodyService<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let limits = self.limits;
        // The clone takes the place of the service that was polled ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let path = parts.uri.path();
            let is_unary = UNARY.iter().any(|service| path.starts_with(service));
            let peer = parts.extensions.get::<Peer>();
            let read = read(&limits, is_unary, &parts.headers, body, peer);
            let (body, held) = match read.await {
                Ok(read) => read,
                Err(error) => {
                    let reason = error.reason();
                    // A caller that went away amid its request is no news, and one that does nothing else
                    // would fill the log.
                    if matches!(error, Error::Malformed(_)) {
                        if let Some(peer) = peer {
                            peer.connection.has_cancelled();
                        }
                        tracing::debug!(path, reason, %error, "not done");
                    } else {
                        tracing::info!(path, reason, %error, "not done");
                    }
                    return Ok(error.into_status("").into_http());
                }
            };
            let answer = inner.call(Request::from_parts(parts, body)).await;
            drop(held);
            answer
        })
    }
}

/// Reads the body; gives it with what is held for it until the call has been worked on.
async fn read(
    limits: &BodyLimits,
    is_unary: bool,
    headers: &HeaderMap,
    body: Body,
    peer: Option<&Peer>,
) -> Result<(Body, Option<Permit>), Error> {
    let size = size(headers);
    if size > limits.headers as usize {
        let most = limits.headers;
        return Err(Error::HeadersTooLarge { most });
    }
    if !is_unary {
        return Ok((body, None));
    }
    let overloaded = || Error::Overloaded {
        most: peer.map_or(0, |peer| peer.caller.size(Resource::Calls) as u32),
    };
    let held = peer.map(|peer| {
        let amount = PER_CALL + size as u64;
        peer.caller.take(Resource::RequestBytes, amount)
    });
    let mut held = match held {
        Some(None) => return Err(overloaded()),
        held => held.flatten(),
    };
    let most = limits.message as usize + PREFIX;
    let whole = whole(body, most, |count| match &mut held {
        Some(held) => held.grow(count as u64),
        None => true,
    });
    match tokio::time::timeout(limits.time, whole).await {
        Ok(Ok(Some(bytes))) => Ok((Body::new(Full::new(bytes)), held)),
        Ok(Ok(None)) => Err(overloaded()),
        Ok(Err(status)) => Err(Error::Malformed(status.message().to_owned())),
        Err(_) => Err(Error::TooSlow {
            most: limits.time.as_millis(),
        }),
    }
}

/// The body up to its end, or the part of it that shows that it is larger than `most`. None if there
/// is no room for it.
async fn whole(
    mut body: Body,
    most: usize,
    mut make_room: impl FnMut(usize) -> bool,
) -> Result<Option<Bytes>, tonic::Status> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if !make_room(data.len()) {
            return Ok(None);
        }
        // Most requests come in one piece and are not copied.
        if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
        // tonic refuses it by the length at its beginning.
        if first.len().max(rest.len()) > most {
            break;
        }
    }
    Ok(Some(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    }))
}

/// The size of headers as HTTP/2 counts it.
fn size(headers: &HeaderMap) -> usize {
    let each = headers.iter();
    each.map(|(name, value)| name.as_str().len() + value.len() + PER_HEADER)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use http_body_util::StreamBody;

    fn pieces(pieces: &[&'static str]) -> Body {
        let frames: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, tonic::Status>(Frame::data(Bytes::from_static(piece.as_bytes()))))
            .collect();
        Body::new(StreamBody::new(futures::stream::iter(frames)))
    }

    #[tokio::test]
    async fn a_body_is_read_in_one_piece_and_no_further_than_its_limit() {
        for (sent, most, read) in [
            (&["abc"][..], 9, "abc"),
            (&["ab", "", "c", "d"], 9, "abcd"),
            (&[], 9, ""),
            (&["abc", "def", "ghi"], 4, "abcdef"),
            (&["abcdef", "ghi"], 4, "abcdef"),
        ] {
            let whole = whole(pieces(sent), most, |_| true).await.unwrap();
            assert_eq!(whole.unwrap(), read.as_bytes(), "{sent:?}");
        }
        let mut room = 5;
        let whole = whole(pieces(&["abc", "def"]), 9, |count| {
            let fits = count <= room;
            room -= count.min(room);
            fits
        });
        assert_eq!(whole.await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_given_up() {
        let limits = BodyLimits {
            message: 9,
            headers: 100,
            time: Duration::from_millis(50),
        };
        let never = Body::new(StreamBody::new(futures::stream::pending::<
            Result<Frame<Bytes>, tonic::Status>,
        >()));
        let headers = HeaderMap::new();
        let error = read(&limits, true, &headers, never, None)
            .await
            .unwrap_err();
        assert_eq!(error.reason(), "REQUEST_TOO_SLOW");
        let mut headers = HeaderMap::new();
        headers.insert("x-long", "y".repeat(90).parse().unwrap());
        let error = read(&limits, true, &headers, pieces(&[]), None)
            .await
            .unwrap_err();
        assert_eq!(error.reason(), "HEADERS_TOO_LARGE");
    }
}
