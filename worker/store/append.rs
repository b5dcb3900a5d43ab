//! Writing events: all of a transaction in one statement, since each statement is a way to the
//! database's thread, or to another machine, and back.

use super::{StoreError, micros, statement::Batch};
use orders_domain::event::Event;

/// An event that is to be written, and the step or command that it is the outcome of: the database
/// takes one event for each.
#[derive(Clone, Debug)]
pub(super) struct Appended {
    pub event: Event,
    pub step_key: Option<String>,
}

/// Adds what writes events of an order, oldest first.
pub(super) fn insert_events(
    batch: &mut Batch,
    order_id: &str,
    events: &[Appended],
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let insert = batch
        .begin("INSERT INTO order_events (order_id, revision, type, step_key, time, body) VALUES ");
    for (index, Appended { event, step_key }) in events.iter().enumerate() {
        insert.push(if index == 0 { "(" } else { ", (" });
        insert.bind(order_id).push(", ");
        insert.bind(event.revision).push(", ");
        insert.bind(event.change.type_name()).push(", ");
        insert.bind(step_key.as_deref()).push(", ");
        insert.bind(micros(event.time)).push(", ");
        insert.bind(serde_json::to_string(event)?).push(")");
    }
    Ok(())
}
