//! The requests of an order: what was done is remembered, or it would be done again.

use super::{
    dossier::Dossier,
    finding::{Check, Findings},
};

pub(super) fn check(dossier: &Dossier, findings: &mut Findings<'_>) {
    let events = dossier
        .events
        .iter()
        .filter_map(|row| row.body.as_ref().ok());
    for event in events {
        // A refusal is not remembered: the same may be allowed later.
        if event.change.is_refusal() {
            continue;
        }
        let Some(request_id) = &event.request_id else {
            continue;
        };
        let revision = event.revision;
        match dossier.requests.get(request_id) {
            None => findings.add(
                Check::RequestMissing,
                format!("event {revision} was asked for by {request_id}, which nobody remembers"),
            ),
            Some((resource, answered)) if *resource != dossier.order_id || *answered < revision => {
                let wrong =
                    format!("{request_id} did event {revision}, and says {resource} at {answered}");
                findings.add(Check::RequestTarget, wrong);
            }
            Some(_) => {}
        }
    }
}
