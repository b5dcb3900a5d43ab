//! What each command has beside its head: the same in its own RPC and in SignalOrder.

use super::super::{
    address::parse_shipping_address, enums, money::required_money,
    payment_method::parse_payment_method, text, violations::Violations,
};
use orders::{google::r#type::Money, v1};
use orders_domain::{
    command::{
        AMOUNT_MOST, CancelOrder, Command, ConfirmPayment, ConfirmPickup, ReviewOrder,
        UpdateShippingAddress,
    },
    event::ACTOR_ANONYMOUS,
    payment_method::PaymentMethodType,
    text::is_reserved_actor,
};

/// The money was moved elsewhere: of the payment method the token has no meaning here.
pub(in super::super) fn confirm_payment(
    found: &mut Violations,
    transaction_id: &str,
    amount: Option<&Money>,
    method: Option<&v1::PaymentMethod>,
) -> Option<Command> {
    let transaction_id = text::printable(found, "transaction_id", transaction_id, text::ID_MOST);
    let amount = required_money(found, "amount", amount);
    match &amount {
        Some(amount) if amount.minor <= 0 => found.push("amount", "must be more than zero"),
        Some(amount) if amount.minor > AMOUNT_MOST => {
            let most = orders_domain::money::Money::new(&amount.currency, AMOUNT_MOST);
            found.push(
                "amount",
                format!("must be at most {most} in one confirmation"),
            );
        }
        _ => {}
    }
    let (method, _) = parse_payment_method(found, method);
    Some(Command::ConfirmPayment(ConfirmPayment {
        transaction_id,
        amount: amount?,
        payment_method: method
            .as_ref()
            .map_or(PaymentMethodType::Unspecified, |method| method.kind),
        last4: method.map_or_else(String::new, |method| method.last4),
    }))
}

/// The actor decided unless a reviewer is named. An approval needs somebody who answers for it.
pub(in super::super) fn review_order(
    found: &mut Violations,
    actor: &str,
    decision: i32,
    reviewer: &str,
    reason: &str,
) -> Option<Command> {
    let decision = enums::parse_review_decision(decision);
    if decision.is_none() {
        let description = "is required: REVIEW_DECISION_APPROVE or REVIEW_DECISION_REJECT";
        found.push("decision", description);
    }
    let named = text::optional_printable(found, "reviewer", reviewer, text::ID_MOST);
    if is_reserved_actor(&named) {
        let name = text::quoted(&named);
        let description = format!("{name} is a name that the service itself goes by");
        found.push("reviewer", description);
    }
    let reviewer = if named.is_empty() {
        actor.to_owned()
    } else {
        named
    };
    if reviewer.is_empty() || reviewer == ACTOR_ANONYMOUS {
        found.push(
            "reviewer",
            "is required, or an actor: the person who decided",
        );
    }
    let reason = text::optional(found, "reason", reason, text::REASON_MOST);
    Some(Command::ReviewOrder(ReviewOrder {
        decision: decision?,
        reviewer,
        reason,
    }))
}

pub(in super::super) fn confirm_pickup(
    found: &mut Violations,
    tracking_number: &str,
) -> Option<Command> {
    let most = text::SHORT_MOST;
    let number = text::optional_printable(found, "tracking_number", tracking_number, most);
    Some(Command::ConfirmPickup(ConfirmPickup {
        tracking_number: Some(number).filter(|number| !number.is_empty()),
    }))
}

pub(in super::super) fn update_shipping_address(
    found: &mut Violations,
    address: Option<&v1::Address>,
) -> Option<Command> {
    let shipping_address = parse_shipping_address(found, address)?;
    Some(Command::UpdateShippingAddress(UpdateShippingAddress {
        shipping_address,
    }))
}

pub(in super::super) fn cancel_order(found: &mut Violations, reason: &str) -> Option<Command> {
    let reason = text::optional(found, "reason", reason, text::REASON_MOST);
    Some(Command::CancelOrder(CancelOrder { reason }))
}
