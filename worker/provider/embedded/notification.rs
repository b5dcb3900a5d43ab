//! The embedded messenger: what people would be told stands in the store, and in the log.

use crate::provider::{DeliveryError, NotificationProvider};
use async_trait::async_trait;
use orders_domain::message::Message;

/// Writes a line of the log for each message.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedNotification;

#[async_trait]
impl NotificationProvider for EmbeddedNotification {
    async fn deliver(&self, message: &Message) -> Result<(), DeliveryError> {
        let Message {
            order_id,
            milestone,
            audience,
            ..
        } = message;
        tracing::info!(order_id, milestone, %audience, "notified");
        Ok(())
    }
}
