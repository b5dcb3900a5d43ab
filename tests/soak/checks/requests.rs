//! I5: what callers were told.

use super::super::{
    books::Entry,
    send::{Answer, Asked},
};
use orders_worker::domain::event::Change;
use std::collections::BTreeMap;

/// I5: an acknowledged command is an event of the order, once; so is a signal, done or refused (with others of its kind); a
/// command that was only ever refused has left nothing. And nothing happened that nobody asked for.
pub fn i5_each_answer_shows(entry: &Entry, asked: &[(Asked, Answer)], name: &str) {
    let mut by_id: BTreeMap<&str, Vec<&(Asked, Answer)>> = BTreeMap::new();
    for pair in asked {
        by_id.entry(&pair.0.request_id).or_default().push(pair);
    }
    for (id, asked) in &by_id {
        let (done, refused) = events_of(entry, id);
        assert!(done <= 1, "{name}: I5: {id} was done {done} times");
        let heard = |by_signal: bool, answer: Answer| {
            let mut pairs = asked.iter();
            pairs.any(|(asked, heard)| asked.by_signal == by_signal && *heard == answer)
        };
        let story = || format!("{name}: I5: {id} of {asked:?}");
        if heard(false, Answer::Done) {
            assert_eq!(done, 1, "{}", story());
        }
        if heard(true, Answer::Done) {
            // Of the refusals of one kind, only the first is an event.
            let counted = entry
                .events
                .iter()
                .any(|event| matches!(event.change, Change::CommandRefused { .. }));
            assert!(done + refused >= 1 || counted, "{}", story());
        }
        let signalled = asked.iter().any(|(asked, _)| asked.by_signal);
        if !signalled {
            assert_eq!(refused, 0, "{}", story());
            assert!(done == 0 || heard(false, Answer::Done), "{}", story());
        }
    }
    for event in &entry.events {
        let known =
            |id: &str| by_id.contains_key(id) || id == format!("{}/place", entry.order.order_id);
        let known = event.request_id.as_deref().is_none_or(known);
        assert!(known, "{name}: I5: nobody asked for {event:?}");
    }
}

/// How many events of a request say that it was done, and how many that it was refused.
fn events_of(entry: &Entry, request_id: &str) -> (usize, usize) {
    let events = entry.events.iter();
    let events = events.filter(|event| event.request_id.as_deref() == Some(request_id));
    let (refused, done): (Vec<_>, Vec<_>) =
        events.partition(|event| matches!(event.change, Change::CommandRefused { .. }));
    (done.len(), refused.len())
}
