//! What a cancellation would undo.

use super::{line_item::line_item, money::some_money};
use orders::v1;
use orders_worker::domain::{order::Order, step::Step};

/// What CancelOrder would release, give back and call off now.
pub fn cancel_preview(order: &Order) -> v1::CancelPreview {
    let plan = order.compensation_plan();
    let would = |step| plan.iter().any(|entry| entry.step == step);
    let amount = |step, minor| {
        would(step)
            .then(|| some_money(&order.total, minor))
            .flatten()
    };
    let released = would(Step::ReleaseReservation);
    let held = order.payment.authorized - order.payment.captured;
    let owed = order.payment.captured - order.payment.refunded;
    v1::CancelPreview {
        released_items: match released {
            true => order.line_items.iter().map(line_item).collect(),
            false => Vec::new(),
        },
        void_amount: amount(Step::VoidAuthorization, held),
        refund_amount: amount(Step::RefundPayment, owed),
        cancels_shipment: would(Step::CancelShipment),
    }
}
