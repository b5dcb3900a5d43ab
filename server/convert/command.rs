//! The seven commands. Each has what every command has ([`Head`]) and a body of its own.

pub(super) mod body;

use super::{
    Parsed, text,
    violations::{Verdict, Violations},
};
use orders::{rules::Check, v1};
use orders_domain::command::{Command, CommandRequest};

/// What every command has.
pub(super) struct Head<'a> {
    found: Violations,
    order_id: &'a str,
    request_id: &'a str,
    actor: &'a str,
    expected_revision: Option<i64>,
}

impl<'a> Head<'a> {
    /// Checks the rules of a request, and takes what every command has.
    pub(super) fn new(
        request: &impl Check,
        order_id: &'a str,
        request_id: &'a str,
        actor: &'a str,
        expected_revision: Option<i64>,
    ) -> Self {
        Self {
            found: Violations::in_request(request),
            order_id,
            request_id,
            actor,
            expected_revision,
        }
    }

    /// Reads what every command has, then by `body` what is the command's own.
    pub(super) fn parse(
        self,
        body: impl FnOnce(&mut Violations) -> Option<Command>,
    ) -> Parsed<(String, CommandRequest)> {
        let mut found = self.found;
        let order_id = self.order_id.to_owned();
        text::request_id(&mut found, self.request_id);
        let actor = text::actor(&mut found, self.actor);
        let command = body(&mut found);
        let request = command.map(|command| CommandRequest {
            request_id: self.request_id.to_owned(),
            actor,
            expected_revision: self.expected_revision,
            seen_revision: 0,
            attempt: String::new(),
            command,
        });
        found.into_result(request.map(|request| (order_id, request)))
    }
}

/// Reads a ConfirmPayment: the order it goes to, and the command.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn confirm_payment(request: &v1::ConfirmPaymentRequest) -> Parsed<(String, CommandRequest)> {
    let v1::ConfirmPaymentRequest {
        order_id,
        request_id,
        actor,
        expected_revision,
        transaction_id,
        amount,
        payment_method,
    } = request;
    let (amount, method) = (amount.as_ref(), payment_method.as_ref());
    Head::new(request, order_id, request_id, actor, *expected_revision)
        .parse(|found| body::confirm_payment(found, transaction_id, amount, method))
}

/// Reads a ReviewOrder: the order it goes to, and the command.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn review_order(request: &v1::ReviewOrderRequest) -> Parsed<(String, CommandRequest)> {
    let v1::ReviewOrderRequest {
        order_id,
        request_id,
        actor,
        expected_revision,
        decision,
        reviewer,
        reason,
    } = request;
    Head::new(request, order_id, request_id, actor, *expected_revision)
        .parse(|found| body::review_order(found, actor, *decision, reviewer, reason))
}

/// Reads a StartFulfillment: the order it goes to, and the command.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn start_fulfillment(
    request: &v1::StartFulfillmentRequest,
) -> Parsed<(String, CommandRequest)> {
    let v1::StartFulfillmentRequest {
        order_id,
        request_id,
        actor,
        expected_revision,
    } = request;
    Head::new(request, order_id, request_id, actor, *expected_revision)
        .parse(|_| Some(Command::StartFulfillment))
}

/// Reads a ConfirmPickup: the order it goes to, and the command.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn confirm_pickup(request: &v1::ConfirmPickupRequest) -> Parsed<(String, CommandRequest)> {
    let v1::ConfirmPickupRequest {
        order_id,
        request_id,
        actor,
        expected_revision,
        tracking_number,
    } = request;
    Head::new(request, order_id, request_id, actor, *expected_revision)
        .parse(|_| body::confirm_pickup(tracking_number))
}

/// Reads a ConfirmDelivery: the order it goes to, and the command.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn confirm_delivery(request: &v1::ConfirmDeliveryRequest) -> Parsed<(String, CommandRequest)> {
    let v1::ConfirmDeliveryRequest {
        order_id,
        request_id,
        actor,
        expected_revision,
    } = request;
    Head::new(request, order_id, request_id, actor, *expected_revision)
        .parse(|_| Some(Command::ConfirmDelivery))
}

/// Reads an UpdateShippingAddress: the order it goes to, and the command.
///
/// # Errors
/// Everything that is wrong with the request.
pub fn update_shipping_address(
    request: &v1::UpdateShippingAddressRequest,
) -> Parsed<(String, CommandRequest)> {
    let v1::UpdateShippingAddressRequest {
        order_id,
        request_id,
        actor,
        expected_revision,
        shipping_address,
    } = request;
    Head::new(request, order_id, request_id, actor, *expected_revision)
        .parse(|found| body::update_shipping_address(found, shipping_address.as_ref()))
}

/// Reads a CancelOrder: the order it goes to, the command, and whether it is only to be tried
/// (`validate_only`).
///
/// # Errors
/// Everything that is wrong with the request.
pub fn cancel_order(request: &v1::CancelOrderRequest) -> Parsed<(String, CommandRequest, bool)> {
    let v1::CancelOrderRequest {
        order_id,
        request_id,
        actor,
        expected_revision,
        reason,
        validate_only,
    } = request;
    Head::new(request, order_id, request_id, actor, *expected_revision)
        .parse(|_| body::cancel_order(reason))
        .map(|(order_id, command)| (order_id, command, *validate_only))
}

#[cfg(test)]
mod tests;
