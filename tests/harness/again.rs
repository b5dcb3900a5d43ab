//! Sending again. A server on a busy machine may find that the time of a call is over, and the
//! contract says what its caller does then: the same request again.

use super::PATIENCE;
use tokio::time::Instant;
use tonic::{Code, Response, Status};

/// Sends a request until it is answered, for [`PATIENCE`] at most.
pub async fn until_answered<R: Clone, A, S>(request: R, send: impl Fn(R) -> S) -> Result<A, Status>
where
    S: Future<Output = Result<Response<A>, Status>>,
{
    let end = Instant::now() + PATIENCE;
    loop {
        match send(request.clone()).await {
            Err(status) if status.code() == Code::DeadlineExceeded && Instant::now() < end => {}
            answer => return answer.map(Response::into_inner),
        }
    }
}
