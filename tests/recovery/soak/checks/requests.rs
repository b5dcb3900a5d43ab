//! I5: what callers were told.

use super::super::{
    books::Entry,
    send::{Answer, Asked},
};
use orders::v1::signal_order_request::Command;
use orders_domain::event::{Change, Event};
use std::collections::BTreeMap;

/// I5: an acknowledged command is an event of the order, once; so is a signal, done or refused (with others of its kind); a
/// command that was only ever refused has left nothing. Money that was confirmed is recorded by its transaction, whichever
/// request and whichever way named it, and never more than once. And nothing happened that nobody asked for.
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
            pairs.any(|pair| {
                let (asked, heard) = pair;
                confirmed(pair).is_none() && asked.by_signal == by_signal && *heard == answer
            })
        };
        let story = || format!("{name}: I5: {id} of {asked:?}");
        // Of the refusals of one kind, only the first is an event.
        let mut events = entry.events.iter();
        let counted = events.any(|event| matches!(event.change, Change::CommandRefused { .. }));
        let confirmed: Vec<_> = asked.iter().filter_map(|pair| confirmed(pair)).collect();
        let is_alone = confirmed.len() == asked.len();
        for (transaction_id, by_signal, answer) in confirmed {
            let (received, refused) = receipts(entry, transaction_id);
            assert!(received <= 1, "received {received} times: {}", story());
            if answer == Answer::Done && !by_signal {
                assert_eq!(received, 1, "{}", story());
            } else if answer == Answer::Done {
                // The id may have been used before, for another command.
                let shows = received + refused >= 1 || (counted && !is_alone);
                assert!(shows, "{}", story());
            }
        }
        if heard(false, Answer::Done) {
            assert_eq!(done, 1, "{}", story());
        }
        if heard(true, Answer::Done) {
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
        let known = event.request_id.as_deref().is_none_or(known) || is_renamed(event, asked);
        assert!(known, "{name}: I5: nobody asked for {event:?}");
    }
}

/// Whether the event is of a signal that brought the request id of another request. Money that it confirms is
/// recorded all the same, under an id that the service makes.
fn is_renamed(event: &Event, asked: &[(Asked, Answer)]) -> bool {
    let is_made = |id: &str| id.starts_with("signal/");
    let (Change::PaymentConfirmed { transaction_id, .. }
    | Change::PaymentRefused { transaction_id, .. }) = &event.change
    else {
        return false;
    };
    let mut confirmed = asked.iter().filter_map(confirmed);
    event.request_id.as_deref().is_some_and(is_made)
        && confirmed.any(|(named, by_signal, _)| by_signal && named == transaction_id)
}

/// The transaction that a request confirmed, if it did, whether by signal, and what was heard of it.
fn confirmed((asked, answer): &(Asked, Answer)) -> Option<(&str, bool, Answer)> {
    match &asked.command {
        Command::ConfirmPayment(payment) => {
            Some((&payment.transaction_id, asked.by_signal, *answer))
        }
        _ => None,
    }
}

/// How many events say that money of a transaction was received, and how many that it was refused.
fn receipts(entry: &Entry, transaction: &str) -> (usize, usize) {
    let (mut received, mut refused) = (0, 0);
    for event in &entry.events {
        match &event.change {
            Change::PaymentConfirmed { transaction_id, .. } if transaction_id == transaction => {
                received += 1;
            }
            Change::PaymentRefused { transaction_id, .. } if transaction_id == transaction => {
                refused += 1;
            }
            _ => {}
        }
    }
    (received, refused)
}

/// How many events of a request say that it was done, and how many that it was refused; money that was confirmed
/// is looked at by its transaction.
fn events_of(entry: &Entry, request_id: &str) -> (usize, usize) {
    let events = entry.events.iter();
    let events = events.filter(|event| event.request_id.as_deref() == Some(request_id));
    let events = events.filter(|event| {
        !matches!(
            event.change,
            Change::PaymentConfirmed { .. } | Change::PaymentRefused { .. }
        )
    });
    let (refused, done): (Vec<_>, Vec<_>) =
        events.partition(|event| matches!(event.change, Change::CommandRefused { .. }));
    (done.len(), refused.len())
}
