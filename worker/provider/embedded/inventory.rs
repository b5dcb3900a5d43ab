//! The embedded inventory: stock with reservations, in the store.

use crate::provider::{Call, InventoryProvider, ProviderError};
use async_trait::async_trait;
use orders_store::ledger::{Ledger, Shortage};

/// Keeps the stock in the ledger.
pub(in crate::provider) struct EmbeddedInventory;

#[async_trait]
impl InventoryProvider for EmbeddedInventory {
    async fn reserve(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<String, ProviderError> {
        let order_id = &call.order.order_id;
        let reservation_id = format!("rsv-{order_id}");
        if ledger.is_reserved(order_id).await? {
            return Ok(reservation_id);
        }
        let short = ledger.reserve(call.order, call.now).await?;
        if short.is_empty() {
            return Ok(reservation_id);
        }
        let words: Vec<String> = short.iter().map(in_words).collect();
        Err(ProviderError::Refused(words.join("; ")))
    }

    async fn commit(&self, ledger: &mut Ledger<'_>, call: &Call<'_>) -> Result<(), ProviderError> {
        Ok(ledger.commit_reservation(&call.order.order_id).await?)
    }

    async fn release(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<bool, ProviderError> {
        Ok(ledger.release_reservation(&call.order.order_id).await?)
    }
}

fn in_words(shortage: &Shortage) -> String {
    let Shortage {
        sku,
        wanted,
        available,
    } = shortage;
    format!("{sku}: {wanted} asked for, {available} available")
}
