//! What each command has beside its head: the same in its own RPC and in SignalOrder.

use super::super::{
    address::parse_shipping_address, enums, money::money_in, payment_method::parse_payment_method,
    text, violations::Violations,
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
    let amount = money_in(found, "amount", amount);
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
        transaction_id: transaction_id.to_owned(),
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
    if is_reserved_actor(reviewer) {
        let name = text::quoted(reviewer);
        let description = format!("{name} is a name that the service itself goes by");
        found.say("reviewer", description);
    }
    let reviewer = if reviewer.is_empty() { actor } else { reviewer };
    if reviewer.is_empty() || reviewer == ACTOR_ANONYMOUS {
        found.push(
            "reviewer",
            "is required, or an actor: the person who decided",
        );
    }
    Some(Command::ReviewOrder(ReviewOrder {
        decision: decision?,
        reviewer: reviewer.to_owned(),
        reason: reason.to_owned(),
    }))
}

pub(in super::super) fn confirm_pickup(tracking_number: &str) -> Option<Command> {
    let number = Some(tracking_number).filter(|number| !number.is_empty());
    Some(Command::ConfirmPickup(ConfirmPickup {
        tracking_number: number.map(str::to_owned),
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

pub(in super::super) fn cancel_order(reason: &str) -> Option<Command> {
    let reason = reason.to_owned();
    Some(Command::CancelOrder(CancelOrder { reason }))
}
