//! The embedded messenger: keeps each milestone in the store and in the log.

use super::{NotificationProvider, milestone::Milestone};
use crate::{
    domain::order::Order,
    store::{Connection, micros},
};
use async_trait::async_trait;
use jiff::Timestamp;

pub(super) struct EmbeddedNotification;

#[async_trait]
impl NotificationProvider for EmbeddedNotification {
    async fn notify(
        &self,
        db: &mut Connection,
        order: &Order,
        milestone: &Milestone,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let result = sqlx::query(
            "INSERT INTO notifications (order_id, milestone, recipient, time)
             VALUES ($1, $2, $3, $4) ON CONFLICT (order_id, milestone) DO NOTHING",
        )
        .bind(&order.order_id)
        .bind(&milestone.0)
        .bind(&order.customer_id)
        .bind(micros(now))
        .execute(db)
        .await?;
        if result.rows_affected() == 1 {
            tracing::info!(
                order_id = order.order_id,
                milestone = milestone.0,
                "notified"
            );
        }
        Ok(())
    }
}
