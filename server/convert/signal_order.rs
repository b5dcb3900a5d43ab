//! SignalOrder: the seven commands in one message.

use super::{
    Parsed,
    command::{Head, body},
};
use orders::v1::{
    SignalOrderRequest,
    signal_order_request::{
        CancelOrder, Command as Asked, ConfirmDelivery, ConfirmPayment, ConfirmPickup, ReviewOrder,
        StartFulfillment, UpdateShippingAddress,
    },
};
use orders_domain::command::{Command, CommandRequest};

/// Reads a SignalOrder: the order it goes to, and the command.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn signal_order(request: &SignalOrderRequest) -> Parsed<(String, CommandRequest)> {
    let SignalOrderRequest {
        order_id,
        request_id,
        actor,
        expected_revision,
        command,
    } = request;
    Head::new(request, order_id, request_id, actor, *expected_revision).parse(|found| match command
    {
        None => None,
        Some(Asked::ConfirmPayment(asked)) => found.inside("confirm_payment", |found| {
            let ConfirmPayment {
                transaction_id,
                amount,
                payment_method,
            } = asked;
            let (amount, method) = (amount.as_ref(), payment_method.as_ref());
            body::confirm_payment(found, transaction_id, amount, method)
        }),
        Some(Asked::ReviewOrder(asked)) => found.inside("review_order", |found| {
            let ReviewOrder {
                decision,
                reviewer,
                reason,
            } = asked;
            body::review_order(found, actor, *decision, reviewer, reason)
        }),
        Some(Asked::StartFulfillment(StartFulfillment {})) => Some(Command::StartFulfillment),
        Some(Asked::ConfirmPickup(ConfirmPickup { tracking_number })) => {
            body::confirm_pickup(tracking_number)
        }
        Some(Asked::ConfirmDelivery(ConfirmDelivery {})) => Some(Command::ConfirmDelivery),
        Some(Asked::UpdateShippingAddress(asked)) => {
            found.inside("update_shipping_address", |found| {
                let UpdateShippingAddress { shipping_address } = asked;
                body::update_shipping_address(found, shipping_address.as_ref())
            })
        }
        Some(Asked::CancelOrder(CancelOrder { reason })) => body::cancel_order(reason),
    })
}
