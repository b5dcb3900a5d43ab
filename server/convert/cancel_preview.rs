//! What a cancellation undoes.

use super::{line_item::line_item, money::money};
use orders::v1;
use orders_domain::{money::Money, order::Order, step::Step};

/// What a cancellation of the order undoes, as far as the order stands: also while it is being
/// undone, and afterwards. Where the answer of a payment was lost, it is the total: at most that
/// much is given up or paid back.
pub fn cancel_preview(order: &Order) -> v1::CancelPreview {
    let mut preview = v1::CancelPreview::default();
    let amount = |known: i64| match known {
        0 => money(&order.total),
        known => money(&Money::new(&order.total.currency, known)),
    };
    for entry in order.compensation_plan() {
        match entry.effect.step {
            Step::ReleaseReservation => {
                preview.released_items = order.line_items.iter().map(line_item).collect();
            }
            Step::VoidAuthorization => {
                preview.void_amount = Some(amount(order.payment.authorized));
            }
            Step::RefundPayment => preview.refund_amount = Some(amount(order.payment.captured)),
            Step::CancelShipment => preview.cancels_shipment = true,
            Step::Screen
            | Step::ReserveInventory
            | Step::AuthorizePayment
            | Step::CapturePayment
            | Step::ChargePayment
            | Step::PreparePackage
            | Step::RequestPickup
            | Step::RedirectShipment
            | Step::DispatchShipment
            | Step::CommitReservation => {}
        }
    }
    preview
}

#[cfg(test)]
mod tests {
    use super::{super::place_order::samples, *};
    use orders_domain::effect::Effect;

    #[test]
    fn nothing_done_is_nothing_undone() {
        let preview = cancel_preview(&samples::order("standard"));
        assert_eq!(preview, v1::CancelPreview::default());
    }

    #[test]
    fn what_was_done_is_undone() {
        let mut order = samples::order("standard");
        order.done = [Step::ReserveInventory, Step::AuthorizePayment]
            .map(Effect::first)
            .to_vec();
        order.payment.authorized = order.total.minor;
        let items = samples::place_order().line_items;
        let preview = cancel_preview(&order);
        assert_eq!(preview.released_items, items);
        assert_eq!(preview.void_amount, Some(samples::usd(44_98)));
        assert_eq!(
            (preview.refund_amount, preview.cancels_shipment),
            (None, false)
        );

        let more = [Step::CapturePayment, Step::RequestPickup];
        order.done.extend(more.map(Effect::first));
        order.payment.captured = order.total.minor;
        let preview = cancel_preview(&order);
        assert_eq!(preview.void_amount, None);
        assert_eq!(preview.refund_amount, Some(samples::usd(44_98)));
        assert!(preview.cancels_shipment);
        // The same once it is done: the plan is of what was done, not of what is left.
        order.payment.refunded = order.total.minor;
        assert_eq!(cancel_preview(&order), preview);
    }

    #[test]
    fn a_lost_answer_may_concern_the_total() {
        let mut order = samples::order("approval");
        order.unknown = vec![Effect::first(Step::ChargePayment)];
        let preview = cancel_preview(&order);
        assert_eq!(preview.refund_amount, Some(samples::usd(44_98)));
        assert_eq!(preview.released_items, []);
    }
}
