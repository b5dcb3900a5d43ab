//! The deadline of a call: the caller's, capped, or the RPC's default. Past it the caller is told
//! DEADLINE_EXCEEDED, where tonic alone would answer CANCELLED.

use crate::{error::Error, method};
use futures::future::BoxFuture;
use http::{Request, Response};
use std::{
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tonic::body::Body;
use tower::{Layer, Service};

/// For callers that name none, of calls of which the contract does not say it.
const DEFAULT: Duration = Duration::from_secs(10);

/// Ours ends a twentieth of the time before the caller's, so that ours is the answer: at least this,
const LEAST_MARGIN: Duration = Duration::from_millis(2);

/// and at most this.
const MOST_MARGIN: Duration = Duration::from_millis(50);

/// Until when a call must be answered; in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// Of a unary call: the caller's, capped, or the default.
    answer: Instant,
    /// Of a stream: the caller's, if there is one.
    stream: Option<Instant>,
}

impl Deadline {
    /// What is left for a unary answer.
    pub fn remaining(self) -> Duration {
        self.answer.saturating_duration_since(Instant::now())
    }

    /// Until when a stream may last; without end when the caller named no time.
    pub fn of_stream(self) -> Option<Instant> {
        self.stream
    }
}

/// Puts a [`Deadline`] into every request and ends unary calls that miss it.
#[derive(Clone, Copy, Debug)]
pub struct DeadlineLayer {
    longest: Duration,
}

impl DeadlineLayer {
    /// A unary call takes at most this, also for callers that name more.
    pub fn new(longest: Duration) -> Self {
        Self { longest }
    }
}

/// See [`DeadlineLayer`].
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    inner: S,
    longest: Duration,
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let longest = self.longest;
        DeadlineService { inner, longest }
    }
}

impl<S> Service<Request<Body>> for DeadlineService<S>
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

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let asked = request
            .headers()
            .get("grpc-timeout")
            .and_then(|value| parse(value.to_str().ok()?));
        let default = method::find(request.uri().path())
            .and_then(|method| method.default_timeout)
            .unwrap_or(DEFAULT);
        let time = before(asked.unwrap_or(default).min(self.longest));
        let now = Instant::now();
        request.extensions_mut().insert(Deadline {
            answer: now + time,
            // Years may be asked for: more than an Instant holds is no end at all.
            stream: asked.and_then(|asked| now.checked_add(before(asked))),
        });
        let path = request.uri().path().to_owned();
        let started = Instant::now();
        // The clone takes the place of the service that was polled ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let answer = tokio::time::timeout(time, inner.call(request)).await;
            let ms = started.elapsed().as_millis() as u64;
            match answer {
                Ok(answer) => {
                    tracing::debug!(path, ms, "answered");
                    answer
                }
                Err(_) => {
                    tracing::info!(path, ms, "the caller's deadline has passed");
                    Ok(Error::Late.into_status("").into_http())
                }
            }
        })
    }
}

/// A little less than the caller's time.
fn before(time: Duration) -> Duration {
    time.saturating_sub((time / 20).clamp(LEAST_MARGIN, MOST_MARGIN))
}

/// A `grpc-timeout` header: at most eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        assert_eq!(parse("5S"), Some(Duration::from_secs(5)));
        assert_eq!(parse("150m"), Some(Duration::from_millis(150)));
        assert_eq!(
            parse("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3600))
        );
        for bad in ["", "S", "5", "123456789S", "-1S", "5x", "5\u{e4}"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
