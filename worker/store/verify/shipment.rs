//! The parcel of an order, by the carrier and as the order knows it.

use super::{
    dossier::Dossier,
    finding::{Check, Findings},
    is_unsure,
};
use orders_domain::{
    event::Change,
    order::Order,
    state::{OrderState, ShipmentState},
    step::Step,
};

pub(super) fn check(dossier: &Dossier, order: &Order, findings: &mut Findings<'_>) {
    let of_parcel = |step: Step| step.is_shipping() || step == Step::CancelShipment;
    if is_unsure(order, of_parcel) {
        return;
    }
    let known = order.shipment.shipment_id.as_deref();
    let Some(row) = &dossier.shipment else {
        if let Some(known) = known {
            findings.add(
                Check::ShipmentKnown,
                format!("the carrier has no shipment {known}"),
            );
        }
        return;
    };
    // Called off without ever having been heard of: its request's answer was lost.
    let called_off = row.state == "CANCELLED";
    if let Some(known) = known {
        let carrier = order.shipment.carrier.clone().unwrap_or_default();
        findings.compare(
            Check::ShipmentKnown,
            &[
                ("shipment_id", row.shipment_id.clone(), known.to_owned()),
                ("carrier", row.carrier.clone(), carrier),
            ],
        );
    } else if !called_off && !order.shipment.dispatched {
        let wrong = format!(
            "the carrier has {} of which the order knows nothing",
            row.shipment_id
        );
        findings.add(Check::ShipmentKnown, wrong);
    }
    let bodies = dossier
        .events
        .iter()
        .filter_map(|row| row.body.as_ref().ok());
    let shipped = bodies
        .into_iter()
        .any(|event| matches!(event.change, Change::Shipped { .. }));
    let expected: &[&str] = match order.shipment.state {
        ShipmentState::Cancelled => &["CANCELLED"],
        _ if shipped => &["DISPATCHED"],
        ShipmentState::None => &["REQUESTED", "CANCELLED"],
        // Who fetched a parcel does not tell the carrier's own list.
        _ => &["REQUESTED", "DISPATCHED"],
    };
    if !expected.contains(&row.state.as_str()) {
        let (is, knows) = (&row.state, order.shipment.state);
        findings.add(
            Check::ShipmentKnown,
            format!("the shipment is {is} for the carrier, and {knows} for the order"),
        );
    }
    // Until it is closed, the newest address may still be on its way to the carrier.
    let completed = order.state == OrderState::Completed;
    if completed && row.address.as_ref() != Some(&order.shipping_address) {
        let wrong = "the carrier was told another address than the order's".to_owned();
        findings.add(Check::ShipmentKnown, wrong);
    }
}
