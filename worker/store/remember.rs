//! Remembering what was asked under a request id, in the transaction that did it.

use super::{
    read::StoredRequest,
    statement::{Batch, Statement},
};

/// Adds what remembers a request. It fails when something was asked under that id before.
pub(super) fn remember_request<'a>(
    batch: &'a mut Batch,
    request_id: &str,
    asked: &StoredRequest,
    time: i64,
) -> &'a mut Statement {
    let insert = batch
        .begin("INSERT INTO requests (request_id, resource, fingerprint, revision, time) VALUES (");
    insert.bind(request_id).push(", ");
    insert.bind(asked.resource.as_str()).push(", ");
    insert.bind(asked.fingerprint.as_str()).push(", ");
    insert.bind(asked.revision).push(", ");
    insert.bind(time).push(")")
}

/// The same; it changes no row, and does not fail, when something was asked under that id before.
pub(super) fn remember_new_request(
    batch: &mut Batch,
    request_id: &str,
    asked: &StoredRequest,
    time: i64,
) {
    let insert = remember_request(batch, request_id, asked, time);
    insert.push(" ON CONFLICT (request_id) DO NOTHING");
}
