//! The time that a caller has, for the calls of Temporal that are made for it.

use std::{
    future::Future,
    time::{Duration, Instant},
};
use temporalio_client::{RetryOptions, RpcOptions};

tokio::task_local! {
    static UNTIL: Instant;
}

/// What Temporal is given beside the caller's time: our own clock ends a call first, and tells
/// a time that is up from a Temporal that is in trouble.
const MARGIN: Duration = Duration::from_millis(100);

/// For so long a call is tried again while Temporal is away or has too much to do, or for half of the
/// caller's time. The SDK's ten seconds are all that a caller has: it would learn that its time is up,
/// not that Temporal is away.
const RETRY: Duration = Duration::from_secs(2);

/// Runs something for a caller that has so much time. A task local, so that no call can forget it.
pub async fn within_time<F: Future>(time: Duration, work: F) -> F::Output {
    UNTIL.scope(Instant::now() + time, work).await
}

/// How long a call of Temporal may take, and be tried. Where nobody waits for it, it may take as long
/// as the SDK has it.
pub(super) fn rpc_options() -> RpcOptions {
    let until = UNTIL.try_with(|until| *until).ok();
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    let retry = left.map_or(RETRY, |left| RETRY.min(left / 2));
    let retry = RetryOptions::builder().max_elapsed_time(Some(retry));
    RpcOptions::builder()
        .maybe_timeout(left.map(|left| left + MARGIN))
        .retry_options(retry.build())
        .build()
}
