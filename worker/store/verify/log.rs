//! The log of an order: without gaps, each effect once, and the order is what it makes of it.

use super::{
    super::micros,
    dossier::{Dossier, EventRow},
    finding::{Check, Findings},
};
use orders_domain::{
    event::{Change, Event},
    order::Order,
    phase,
    step::CompensationOutcome,
};
use std::collections::BTreeSet;

pub(super) fn check(dossier: &Dossier, order: &Order, findings: &mut Findings<'_>) {
    check_columns(dossier, order, findings);
    check_rows(&dossier.events, findings);
    check_effects(&dossier.events, findings);
    let Some(events) = readable(&dossier.events, findings) else {
        return;
    };
    match fold(&events) {
        Some(fold) if fold == *order => {}
        Some(fold) => findings.add(
            Check::Fold,
            format!(
                "the order ({} at revision {}) is not what its events make of it ({} at revision {})",
                order.state, order.revision, fold.state, fold.revision
            ),
        ),
        None => findings.add(Check::Fold, "its events do not begin with PLACED".to_owned()),
    }
    check_end(&events, findings);
}

/// The order as its events make it.
pub(super) fn fold(events: &[&Event]) -> Option<Order> {
    let mut order = events.first().and_then(|event| Order::from_placed(event))?;
    events.iter().for_each(|event| order.apply(event));
    Some(order)
}

fn readable<'a>(rows: &'a [EventRow], findings: &mut Findings<'_>) -> Option<Vec<&'a Event>> {
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        match &row.body {
            Ok(event) => events.push(event),
            Err(error) => {
                findings.add(
                    Check::Unreadable,
                    format!("event {}: {error}", row.revision),
                );
                return None;
            }
        }
    }
    Some(events)
}

fn check_columns(dossier: &Dossier, order: &Order, findings: &mut Findings<'_>) {
    let columns = &dossier.columns;
    let time = |time: Option<jiff::Timestamp>| format!("{:?}", time.map(micros));
    let reason = order
        .close_reason()
        .map(|reason| reason.as_str().to_owned());
    // After the close, the end of its workflow stays due until the workflow was seen to end.
    let due = phase::due_time(order).map(micros);
    let due = match order.close_time {
        Some(_) => due.or(columns.due_time),
        None => due,
    };
    let text = str::to_owned;
    findings.compare(
        Check::OrderRow,
        &[
            ("order_id", text(&dossier.order_id), text(&order.order_id)),
            (
                "customer_id",
                text(&columns.customer_id),
                text(&order.customer_id),
            ),
            ("policy", text(&columns.policy), text(&order.policy.name)),
            ("state", text(&columns.state), order.state.to_string()),
            (
                "close_reason",
                format!("{:?}", columns.close_reason),
                format!("{reason:?}"),
            ),
            (
                "revision",
                columns.revision.to_string(),
                order.revision.to_string(),
            ),
            (
                "place_time",
                format!("{:?}", Some(columns.place_time)),
                time(Some(order.place_time)),
            ),
            (
                "update_time",
                format!("{:?}", Some(columns.update_time)),
                time(Some(order.update_time)),
            ),
            (
                "close_time",
                format!("{:?}", columns.close_time),
                time(order.close_time),
            ),
            (
                "due_time",
                format!("{:?}", columns.due_time),
                format!("{due:?}"),
            ),
        ],
    );
}

fn check_rows(rows: &[EventRow], findings: &mut Findings<'_>) {
    let mut last_time = i64::MIN;
    for (index, row) in rows.iter().enumerate() {
        let expected = index as i64 + 1;
        if row.revision != expected {
            findings.add(
                Check::EventGap,
                format!(
                    "event {expected} is missing: the next one is {}",
                    row.revision
                ),
            );
            // What follows is off by the same.
            break;
        }
    }
    if rows.is_empty() {
        findings.add(Check::EventGap, "it has no events".to_owned());
    }
    for row in rows {
        if row.time < last_time {
            let revision = row.revision;
            findings.add(
                Check::EventRow,
                format!("event {revision} is older than the one before"),
            );
        }
        last_time = row.time;
        let Ok(event) = &row.body else { continue };
        let same = row.revision == event.revision
            && row.kind == event.change.type_name()
            && row.time == micros(event.time);
        if !same {
            findings.add(
                Check::EventRow,
                format!(
                    "event {} is a {} by its row, and event {} a {} by itself",
                    row.revision,
                    row.kind,
                    event.revision,
                    event.change.type_name()
                ),
            );
        }
    }
}

/// Each effect has one outcome, and the key that keeps a second one out.
fn check_effects(rows: &[EventRow], findings: &mut Findings<'_>) {
    let mut keys = BTreeSet::new();
    let mut effects = BTreeSet::new();
    for row in rows {
        let revision = row.revision;
        if let Some(key) = &row.effect
            && !keys.insert(key)
        {
            findings.add(
                Check::StepTwice,
                format!("event {revision} has the key {key} again"),
            );
        }
        let body = row.body.as_ref().ok();
        let Some(effect) = body.and_then(|event| event.change.outcome_of()) else {
            continue;
        };
        if !effects.insert(effect) {
            findings.add(
                Check::StepTwice,
                format!("event {revision} is {effect} again"),
            );
        } else if row.effect.as_deref() != Some(&*effect.to_string()) {
            let key = &row.effect;
            findings.add(
                Check::StepTwice,
                format!("event {revision} is {effect}, with the key {key:?}: it could come again"),
            );
        }
    }
}

fn check_end(events: &[&Event], findings: &mut Findings<'_>) {
    let closed = |event: &&&Event| matches!(event.change, Change::Closed { .. });
    let mut after = events.iter().skip_while(|event| !closed(event)).skip(1);
    let late = after.find(|event| !event.change.may_follow_close());
    if let Some(event) = late {
        let what = event.change.type_name();
        findings.add(
            Check::AfterClose,
            format!("event {} is {what}, after its end", event.revision),
        );
    }
    let Some(end) = events.iter().position(|event| closed(&event)) else {
        return;
    };
    let Some(closed) = fold(&events[..=end]) else {
        return;
    };
    for entry in &closed.compensations {
        if entry.outcome == CompensationOutcome::Pending {
            findings.add(
                Check::AfterClose,
                format!("it closed without {}", entry.effect),
            );
        }
    }
}
