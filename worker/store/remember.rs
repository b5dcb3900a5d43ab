//! Remembering what was asked under a request id, in the transaction that did it.

use super::{
    batch::Batch,
    read::StoredRequest,
    statement::{Value, values},
};

/// Adds the statement that remembers a request. It fails if the request id was used before.
pub(super) fn remember_request(
    batch: &mut Batch,
    request_id: &str,
    asked: &StoredRequest,
    time: i64,
) {
    batch.add(
        "INSERT INTO requests (request_id, resource, fingerprint, revision, time)
         VALUES ($1, $2, $3, $4, $5)",
        row(request_id, asked, time),
    );
}

/// Adds the statement that remembers a request. It changes no row if the request id was used before.
pub(super) fn remember_new_request(
    batch: &mut Batch,
    request_id: &str,
    asked: &StoredRequest,
    time: i64,
) {
    batch.add(
        "INSERT INTO requests (request_id, resource, fingerprint, revision, time)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (request_id) DO NOTHING",
        row(request_id, asked, time),
    );
}

fn row(request_id: &str, asked: &StoredRequest, time: i64) -> [Value; 5] {
    let StoredRequest {
        resource,
        fingerprint,
        revision,
    } = asked;
    values![request_id, resource, fingerprint, *revision, time]
}
