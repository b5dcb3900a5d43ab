//! Writing events: all of a transaction in one statement, since each statement is a way to the
//! database's thread, or to another machine, and back.

use super::{StoreError, batch::Batch, micros, statement::values};
use orders_domain::event::Event;

/// An event that is to be written, with the effect or the call of a command that it is the outcome of. The database
/// takes one event for each.
#[derive(Clone, Debug)]
pub(super) struct Appended {
    pub event: Event,
    pub effect: Option<String>,
}

/// Adds the statement that inserts events of an order, oldest first.
pub(super) fn insert_events(
    batch: &mut Batch,
    order_id: &str,
    events: &[Appended],
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let rows = events.iter().map(|Appended { event, effect }| {
        Ok(values![
            order_id,
            event.revision,
            event.change.type_name(),
            effect.as_deref(),
            micros(event.time),
            serde_json::to_string(event)?,
        ])
    });
    let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
    batch
        .add(
            "INSERT INTO order_events (order_id, revision, type, effect, time, body) VALUES ",
            [],
        )
        .rows(rows);
    Ok(())
}
