//! What a call holds until its answer is written, and how an answer is handed out.
//!
//! HTTP/2 takes a frame of an answer as soon as it may send one byte of it, and keeps the rest. So an
//! answer is handed out in small pieces, and each piece keeps what its call holds until HTTP/2 has
//! written and dropped it.

use crate::accept::{Connection, Peer, Permit, Resource};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};
use tonic::{Status, body::Body};

/// The largest piece that is handed out at a time.
const PIECE: usize = 16 * 1024;

/// Between two looks whether a watch may send its next answer.
const LOOK: Duration = Duration::from_millis(100);

/// The slot of a call, and for a list its place among the lists.
pub(super) type Slots = (Permit, Option<Permit>);

/// What a call holds until nothing of its answer is left in the process.
#[derive(Debug)]
struct Held {
    connection: Arc<Connection>,
    /// The tick of the connection at which a piece was last taken.
    tick: AtomicU32,
    _permits: (Slots, Permit),
}

impl Held {
    fn new(peer: Peer, slots: Slots, bytes: Permit) -> Self {
        let tick = AtomicU32::new(peer.connection.stalls().enter());
        Self {
            connection: peer.connection,
            tick,
            _permits: (slots, bytes),
        }
    }

    /// Notes that the client takes what it is sent.
    fn advance(&self) {
        let tick = self.tick.load(Ordering::Relaxed);
        let tick = self.connection.stalls().advance(tick);
        self.tick.store(tick, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let tick = self.tick.load(Ordering::Relaxed);
        self.connection.stalls().leave(tick);
    }
}

/// Bytes that keep something until the last part of them is dropped.
struct Keeping<T>(
    Bytes,
    #[allow(dead_code, reason = "it is kept, not used")] T,
);

impl<T> AsRef<[u8]> for Keeping<T> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The answer of a unary call: all of it is here, and handed out as the client takes it.
struct Answer {
    data: Bytes,
    trailers: Option<HeaderMap>,
    held: Arc<Held>,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.held.advance();
        if !self.data.is_empty() {
            let piece = self.data.len().min(PIECE);
            let piece = self.data.split_to(piece);
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        let trailers = self.trailers.take();
        Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.trailers.is_none()
    }
}

/// Takes the whole answer of a unary call, and lets its slots go when that is written.
pub(super) async fn unary(mut body: Body, slots: Slots, peer: Peer) -> Body {
    let mut data = Bytes::new();
    let mut more = BytesMut::new();
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(status) => {
                let mut failed = HeaderMap::new();
                // Without it the client finds the answer incomplete, which is also true.
                let _ = status.add_header(&mut failed);
                trailers = Some(failed);
                break;
            }
        };
        match frame.into_data() {
            Ok(piece) if data.is_empty() => data = piece,
            Ok(piece) => {
                if more.is_empty() {
                    more.extend_from_slice(&data);
                }
                more.extend_from_slice(&piece);
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    if !more.is_empty() {
        data = more.freeze();
    }
    if data.is_empty() && trailers.is_none() {
        return Body::empty();
    }
    let bytes = peer.caller.force(Resource::AnswerBytes, data.len() as u64);
    let held = Arc::new(Held::new(peer, slots, bytes));
    let data = if data.is_empty() {
        data
    } else {
        Bytes::from_owner(Keeping(data, held.clone()))
    };
    Body::new(Answer {
        data,
        trailers,
        held,
    })
}

/// The answers of a stream. Each counts until it is written; while the caller has more of them unread
/// than its share, the next one is not made.
struct Answers {
    body: Body,
    peer: Peer,
    _permit: Option<Permit>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Answers {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        while !this.peer.caller.has_room(Resource::AnswerBytes) {
            let pause = this.pause.get_or_insert_with(|| Box::pin(sleep(LOOK)));
            ready!(pause.as_mut().poll(context));
            this.pause = None;
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        let Some(Ok(frame)) = frame else {
            return Poll::Ready(frame);
        };
        let caller = &this.peer.caller;
        let counted = frame.map_data(|data| {
            let bytes = caller.force(Resource::AnswerBytes, data.len() as u64);
            Bytes::from_owner(Keeping(data, bytes))
        });
        Poll::Ready(Some(Ok(counted)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The answers of a stream, which holds `permit` as long as it is open.
pub(super) fn stream(body: Body, permit: Option<Permit>, peer: Peer) -> Body {
    Body::new(Answers {
        body,
        peer,
        _permit: permit,
        pause: None,
    })
}
