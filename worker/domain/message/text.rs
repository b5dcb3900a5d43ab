//! The words of the messages.

use crate::{
    milestone::Milestone,
    money::Money,
    order::{LineItem, Order},
    policy::PaymentMode,
    state::CloseReason,
};
use jiff::Timestamp;
use std::fmt::Write;

/// The most line items that a message lists: it stays a message however large the order is.
const ITEMS: usize = 30;

/// The line above the message.
pub(super) fn subject(milestone: Milestone, order: &Order) -> String {
    let id = &order.order_id;
    match milestone {
        Milestone::Received => format!("Order {id}: received"),
        Milestone::Paid => format!("Order {id}: paid"),
        Milestone::ApprovalNeeded => format!("Order {id}: waits for your review"),
        Milestone::ApprovalRejected => format!("Order {id}: not approved"),
        Milestone::FulfillmentStarted => format!("Order {id}: being prepared"),
        Milestone::PickupReminder(count) => {
            format!("Order {id}: waits to be picked up (reminder {count})")
        }
        Milestone::PickedUp => format!("Order {id}: picked up"),
        Milestone::Shipped => format!("Order {id}: shipped"),
        Milestone::Delivered => format!("Order {id}: delivered"),
        Milestone::Refunded => format!("Order {id}: refunded"),
        Milestone::Cancelled => format!("Order {id}: cancelled"),
    }
}

/// The message itself: what happened, the order, and what goes with the milestone.
pub(super) fn text(milestone: Milestone, order: &Order) -> String {
    let mut text = happened(milestone, order);
    text.push_str("\n\n");
    add(&mut text, "Order", Some(&order.order_id));
    add(&mut text, "Placed", Some(moment(order.place_time)));
    for item in order.line_items.iter().take(ITEMS) {
        add(&mut text, "Item", Some(line(item)));
    }
    if let Some(more) = order.line_items.len().checked_sub(ITEMS)
        && more > 0
    {
        add(&mut text, "Item", Some(format!("and {more} more")));
    }
    add(&mut text, "Total", Some(&order.total));
    facts(&mut text, milestone, order);
    text
}

fn happened(milestone: Milestone, order: &Order) -> String {
    let total = &order.total;
    match milestone {
        Milestone::Received => match order.policy.payment {
            PaymentMode::External => {
                format!("We have received your order. It goes on when {total} are paid.")
            }
            _ => "We have received your order.".to_owned(),
        },
        Milestone::Paid => format!("Your payment of {} has arrived.", captured(order)),
        Milestone::ApprovalNeeded => {
            "This order waits for your review. It is rejected if nobody decides in time.".to_owned()
        }
        // The reviewer's words are for colleagues.
        Milestone::ApprovalRejected => {
            "Your order was not approved, and is being cancelled.".to_owned()
        }
        Milestone::FulfillmentStarted => "Your order is being prepared for shipping.".to_owned(),
        Milestone::PickupReminder(_) => {
            "The parcel of this order has not been picked up yet.".to_owned()
        }
        Milestone::PickedUp => "The carrier has picked up your parcel.".to_owned(),
        Milestone::Shipped => "Your order is on its way.".to_owned(),
        Milestone::Delivered => "Your order has been delivered.".to_owned(),
        Milestone::Refunded => format!("{} have been given back to you.", refunded(order)),
        Milestone::Cancelled => ended(order).to_owned(),
    }
}

fn ended(order: &Order) -> &'static str {
    match order.ending {
        Some(CloseReason::PaymentDeclined) => {
            "Your order has been cancelled: the payment was declined."
        }
        Some(CloseReason::PaymentFailed) => {
            "Your order has been cancelled: the payment could not be made."
        }
        Some(CloseReason::PaymentTimeout) => {
            "Your order has been cancelled: it was not paid in time."
        }
        Some(CloseReason::OutOfStock) => {
            "Your order has been cancelled: we do not have enough of what you ordered."
        }
        Some(CloseReason::ApprovalRejected | CloseReason::ApprovalTimeout) => {
            "Your order has been cancelled: it was not approved."
        }
        Some(CloseReason::CustomerCancelled) => "Your order has been cancelled, as requested.",
        Some(CloseReason::ReleaseDeadlinePassed) => {
            "Your order has been cancelled: it could not be fulfilled in time."
        }
        Some(CloseReason::FulfillmentFailed) => {
            "Your order has been cancelled: it could not be fulfilled."
        }
        // A fraudster is not told what gave them away.
        Some(CloseReason::Fraud | CloseReason::Completed) | None => {
            "Your order could not be accepted, and has been cancelled."
        }
    }
}

fn facts(text: &mut String, milestone: Milestone, order: &Order) {
    let shipment = &order.shipment;
    let deadline = order.next_deadline();
    let deadline = deadline.map(|deadline| moment(deadline.expire_time));
    match milestone {
        Milestone::Received | Milestone::Paid => {
            add(text, "Released", order.release_time.map(moment));
        }
        Milestone::ApprovalNeeded => {
            add(text, "Customer", Some(&order.customer_id));
            add(text, "Decide by", deadline);
        }
        Milestone::PickupReminder(_) => {
            parcel(text, order);
            add(text, "Shipment", shipment.shipment_id.as_ref());
            add(text, "Next reminder", deadline);
        }
        Milestone::PickedUp | Milestone::Shipped => {
            parcel(text, order);
            let expected = shipment.estimated_delivery_time.map(moment);
            add(text, "Expected", expected);
        }
        Milestone::Delivered => add(text, "Delivered", shipment.delivery_time.map(moment)),
        Milestone::Refunded => add(text, "Refunded", Some(refunded(order))),
        Milestone::Cancelled => {
            add(text, "Reason", order.cancel_reason.as_ref());
            let refunded = (order.payment.refunded > 0).then(|| refunded(order));
            add(text, "Refunded", refunded);
        }
        Milestone::ApprovalRejected | Milestone::FulfillmentStarted => {}
    }
}

fn parcel(text: &mut String, order: &Order) {
    add(text, "Carrier", order.shipment.carrier.as_ref());
    let number = order.shipment.tracking_number.as_ref();
    add(text, "Tracking number", number);
}

/// One fact on one line; nothing where there is nothing to tell.
fn add(text: &mut String, name: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        let name = format!("{name}:");
        let value = one_line(&value.to_string());
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{name:<17}{value}");
    }
}

fn line(item: &LineItem) -> String {
    let LineItem {
        sku,
        name,
        quantity,
        unit_price,
    } = item;
    match name.is_empty() {
        true => format!("{quantity} x {sku}, {unit_price} each"),
        false => format!("{quantity} x {name} ({sku}), {unit_price} each"),
    }
}

fn captured(order: &Order) -> Money {
    Money::new(&order.total.currency, order.payment.captured)
}

fn refunded(order: &Order) -> Money {
    Money::new(&order.total.currency, order.payment.refunded)
}

fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Callers' words must not look like lines of ours.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
