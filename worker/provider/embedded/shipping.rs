//! The embedded carrier: shipments with tracking numbers, in the store.

use crate::provider::{Call, Parcel, ProviderError, ShippingProvider};
use async_trait::async_trait;
use orders_domain::fingerprint;
use orders_store::ledger::{Ledger, ShipmentRow};

/// Keeps one shipment for each order in the ledger.
pub(in crate::provider) struct EmbeddedShipping;

const CARRIER: &str = "embedded";

#[async_trait]
impl ShippingProvider for EmbeddedShipping {
    async fn prepare(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError> {
        keep(ledger, call, "REQUESTED").await
    }

    async fn request_pickup(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError> {
        keep(ledger, call, "REQUESTED").await
    }

    async fn redirect(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<(), ProviderError> {
        let order = call.order;
        let moved = ledger.redirect_shipment(&order.order_id, &order.shipping_address);
        Ok(moved.await?)
    }

    async fn dispatch(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError> {
        keep(ledger, call, "DISPATCHED").await
    }

    async fn cancel(
        &self,
        ledger: &mut Ledger<'_>,
        call: &Call<'_>,
    ) -> Result<bool, ProviderError> {
        Ok(ledger.cancel_shipment(&call.order.order_id).await?)
    }
}

/// Keeps the order's shipment in `state`, with the order's newest address.
async fn keep(
    ledger: &mut Ledger<'_>,
    call: &Call<'_>,
    state: &str,
) -> Result<Parcel, ProviderError> {
    let order = call.order;
    let parcel = parcel(&order.order_id);
    let shipment = ShipmentRow {
        shipment_id: &parcel.shipment_id,
        carrier: &parcel.carrier,
        tracking_number: &parcel.tracking_number,
        state,
    };
    let address = &order.shipping_address;
    let kept = ledger.keep_shipment(&order.order_id, shipment, address, call.now);
    kept.await?;
    Ok(parcel)
}

/// Returns the same parcel for the same order, every time.
fn parcel(order_id: &str) -> Parcel {
    let number: String = fingerprint([order_id]).chars().take(16).collect();
    Parcel {
        shipment_id: format!("shp-{order_id}"),
        carrier: CARRIER.to_owned(),
        tracking_number: format!("TRK{}", number.to_uppercase()),
    }
}
