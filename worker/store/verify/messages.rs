//! What people are told of an order: each milestone once, and nothing else.

use super::{
    dossier::Dossier,
    finding::{Check, Findings},
};
use orders_domain::{event::Event, milestone::Milestone, order::Order};
use std::collections::BTreeSet;

pub(super) fn check(dossier: &Dossier, findings: &mut Findings<'_>) {
    let bodies: Option<Vec<&Event>> = dossier
        .events
        .iter()
        .map(|row| row.body.as_ref().ok())
        .collect();
    let Some(expected) = bodies.and_then(|events| milestones(&events)) else {
        // The log is not readable, which is said elsewhere.
        return;
    };
    let told: BTreeSet<String> = dossier
        .messages
        .iter()
        .map(|row| row.milestone.clone())
        .collect();
    for milestone in expected.difference(&told) {
        findings.add(
            Check::MessageMissing,
            format!("there is no message for {milestone}"),
        );
    }
    for milestone in told.difference(&expected) {
        let wrong = format!("there is a message for {milestone}, which did not happen");
        findings.add(Check::MessageExtra, wrong);
    }
    for row in &dossier.messages {
        if row.state == "FAILED" {
            let error = row.last_error.as_deref().unwrap_or("no reason");
            let milestone = &row.milestone;
            findings.add(
                Check::MessageFailed,
                format!("{milestone} was given up: {error}"),
            );
        }
    }
}

fn milestones(events: &[&Event]) -> Option<BTreeSet<String>> {
    let mut order = events.first().and_then(|event| Order::from_placed(event))?;
    let mut names = BTreeSet::new();
    for event in events {
        order.apply(event);
        names.extend(Milestone::of(event, &order).map(Milestone::name));
    }
    Some(names)
}
