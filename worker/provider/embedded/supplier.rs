//! The embedded supplier: always delivers, after its lead time.

use crate::provider::{ProviderError, SupplierProvider};
use async_trait::async_trait;
use jiff::Timestamp;
use orders_store::supplier_orders::SupplierOrder;
use std::time::Duration;

/// With no lead time it delivers at once.
#[derive(Default)]
pub(in crate::provider) struct EmbeddedSupplier {
    /// From opening to delivery.
    pub(in crate::provider) lead_time: Duration,
}

#[async_trait]
impl SupplierProvider for EmbeddedSupplier {
    async fn order(&self, order: &SupplierOrder) -> Result<Timestamp, ProviderError> {
        // From the opening, not from now: the same order is due at the same time whenever it is
        // asked about.
        let due = order.open_time.saturating_add(self.lead_time);
        Ok(due.unwrap_or(Timestamp::MAX))
    }
}
