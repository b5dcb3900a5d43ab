//! What people are told: one message for each milestone of an order.

mod text;

use super::{
    event::Event,
    milestone::{Audience, Milestone},
    order::Order,
};
use jiff::Timestamp;

/// A message about an order, as the order was at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which order.
    pub order_id: String,
    /// [`Milestone::name`].
    pub milestone: String,
    /// Who is told.
    pub audience: Audience,
    /// Whose order it is.
    pub customer_id: String,
    /// When it happened.
    pub time: Timestamp,
    /// One line.
    pub subject: String,
    /// Plain text; lines end with `\n`.
    pub text: String,
}

impl Message {
    /// The message about an event, if it is a milestone. `order` is the order after it.
    pub fn of(event: &Event, order: &Order) -> Option<Message> {
        let milestone = Milestone::of(event, order)?;
        Some(Message {
            order_id: order.order_id.clone(),
            milestone: milestone.name(),
            audience: milestone.audience(),
            customer_id: order.customer_id.clone(),
            time: event.time,
            subject: text::subject(milestone, order),
            text: text::text(milestone, order),
        })
    }

    /// Names the message for ever, `order_id/milestone`: by it a receiver tells a repeated one.
    pub fn id(&self) -> String {
        message_id(&self.order_id, &self.milestone)
    }
}

/// [`Message::id`] of that order's milestone.
pub fn message_id(order_id: &str, milestone: &str) -> String {
    format!("{order_id}/{milestone}")
}
