//! Sending again. A server on a busy machine may find that the time of a call is over, and the
//! contract says what its caller does then: the same request again. A connection may break, too.

use crate::{PATIENCE, eventually};
use std::{error::Error, fmt::Debug, time::Duration};
use tokio::time::Instant;
use tonic::{Code, Response, Status};

/// Sends a request until it is answered, for [`PATIENCE`] at most.
pub async fn until_answered<R: Clone, A, S>(request: R, send: impl Fn(R) -> S) -> Result<A, Status>
where
    S: Future<Output = Result<Response<A>, Status>>,
{
    again_after(is_late, request, send).await
}

/// Sends a request that nothing speaks against until it is done, for [`PATIENCE`] at most: on a machine
/// that stands still for seconds, a database or a Temporal that is there is taken to be away.
pub async fn until_done<R: Clone, A, S>(request: R, send: impl Fn(R) -> S) -> A
where
    S: Future<Output = Result<Response<A>, Status>>,
{
    let is_away = |status: &Status| {
        is_late(status) || (status.code() == Code::Unavailable && !is_of_connection(status))
    };
    again_after(is_away, request, send).await.unwrap()
}

async fn again_after<R: Clone, A, S>(
    is_passing: impl Fn(&Status) -> bool,
    request: R,
    send: impl Fn(R) -> S,
) -> Result<A, Status>
where
    S: Future<Output = Result<Response<A>, Status>>,
{
    let end = Instant::now() + PATIENCE;
    loop {
        match send(request.clone()).await {
            Err(status) if is_passing(&status) && Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            answer => return answer.map(Response::into_inner),
        }
    }
}

/// Sends what the server is to refuse until it says so itself: a client has a clock of its own, which may
/// end before the server's, and connections break.
pub async fn refused_by_server<A: Debug>(
    mut send: impl AsyncFnMut() -> Result<Response<A>, Status>,
) -> Status {
    eventually("a refusal of the server's", async || {
        Some(send().await.unwrap_err()).filter(|status| !is_of_connection(status))
    })
    .await
}

fn is_late(status: &Status) -> bool {
    status.code() == Code::DeadlineExceeded
}

/// Whether that is no answer of the server's, but what the client found: a connection that broke or was
/// at its end, or a stream that was reset. Only these have a cause.
pub fn is_of_connection(status: &Status) -> bool {
    status.source().is_some()
}
