//! What the two watches share: a stream that ends with the caller's time, or the process's.

use super::Orders;
use crate::{
    accept::{Caller, Peer},
    error::Error,
    layer::Deadline,
    watch::{WatchError, Watches},
};
use futures::{StreamExt, stream::BoxStream};
use orders_domain::place::Violation;
use std::future::Future;
use tokio::time::{Instant, sleep_until};
use tonic::{Request, Status};

/// A watch whose events become answers.
pub(super) trait Follow: Send + Sized + 'static {
    /// What the caller gets for each event.
    type Answer: Send + 'static;

    /// The RPC.
    const RPC: &'static str;

    /// Waits for the next event; none after the last. After a silence until `until` it is an answer
    /// without an event.
    fn next(
        &mut self,
        until: Option<Instant>,
    ) -> impl Future<Output = Result<Option<Self::Answer>, Error>> + Send;

    /// What a caller goes on with, in words.
    fn resume(&self) -> String;

    /// The answers, until the last one, the end of the caller's time, or the end of the process.
    /// They are made one by one, as the caller takes them.
    fn stream(
        self,
        orders: &Orders,
        until: Option<Instant>,
    ) -> BoxStream<'static, Result<Self::Answer, Status>> {
        let watches = orders.watches().clone();
        let answers = futures::stream::unfold(Some(self), move |follow| {
            let (stopping, silent) = (watches.stopping(), watches.silent_until());
            async move {
                let mut follow = follow?;
                let next = tokio::select! {
                    biased;
                    () = stopping.cancelled() => Err(Error::Stopping(follow.resume())),
                    () = at(until) => Err(Error::WatchLate(follow.resume())),
                    next = follow.next(silent) => next,
                };
                match next {
                    Ok(Some(answer)) => Some((Ok(answer), Some(follow))),
                    Ok(None) => None,
                    Err(error) => {
                        let (rpc, reason) = (Self::RPC, error.reason());
                        tracing::info!(rpc, reason, %error, "a watch ends");
                        Some((Err(error.into_status("")), None))
                    }
                }
            }
        });
        answers.boxed()
    }
}

/// Resolves then; never without a time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Until when the caller wants to watch.
pub(super) fn until<T>(request: &Request<T>) -> Option<Instant> {
    let deadline = request.extensions().get::<Deadline>();
    deadline.and_then(|deadline| deadline.of_stream().map(Instant::from_std))
}

/// Who wants to watch.
pub(super) fn caller<T>(request: &Request<T>) -> Result<&Caller, Error> {
    let peer = request.extensions().get::<Peer>();
    let missing = || Error::Internal("a watch has no caller".to_owned());
    peer.map(|peer| &peer.caller).ok_or_else(missing)
}

/// An error of a watch whose caller named in `field` what it has.
pub(super) fn error(error: WatchError, field: &str) -> Error {
    match error {
        WatchError::NoOrder(order_id) => Error::NoOrder(order_id),
        WatchError::Ahead { newest } => {
            let description = format!("is ahead of what there is: {error}");
            tracing::info!(newest, field, "a watch would begin after the end");
            Error::Invalid(vec![Violation::new(field, description)])
        }
        WatchError::TooMany { most } => Error::TooManyWatches { most },
        WatchError::Stopping => Error::Stopping(format!("the last {field}")),
        WatchError::Store(error) => error.into(),
    }
}

impl Orders {
    pub(super) fn watches(&self) -> &Watches {
        &self.inner.watches
    }
}
