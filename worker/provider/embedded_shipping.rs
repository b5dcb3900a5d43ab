//! The embedded carrier: shipments with tracking numbers, in the store.

use super::{Call, Parcel, ProviderError, ShippingProvider};
use crate::{
    domain::fingerprint,
    store::{Connection, micros},
};
use async_trait::async_trait;

pub(super) struct EmbeddedShipping;

const CARRIER: &str = "embedded";

#[async_trait]
impl ShippingProvider for EmbeddedShipping {
    async fn prepare(&self, db: &mut Connection, call: &Call<'_>) -> Result<Parcel, ProviderError> {
        keep(db, call, "REQUESTED").await
    }

    async fn request_pickup(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError> {
        keep(db, call, "REQUESTED").await
    }

    async fn redirect(&self, db: &mut Connection, call: &Call<'_>) -> Result<(), ProviderError> {
        sqlx::query("UPDATE shipments SET address = $1 WHERE order_id = $2")
            .bind(address(call)?)
            .bind(&call.order.order_id)
            .execute(db)
            .await?;
        Ok(())
    }

    async fn dispatch(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Parcel, ProviderError> {
        keep(db, call, "DISPATCHED").await
    }

    async fn cancel(&self, db: &mut Connection, call: &Call<'_>) -> Result<bool, ProviderError> {
        let result = sqlx::query(
            "UPDATE shipments SET state = 'CANCELLED' WHERE order_id = $1 AND state <> 'DISPATCHED'",
        )
        .bind(&call.order.order_id)
        .execute(db)
        .await?;
        Ok(result.rows_affected() > 0)
    }
}

/// Keeps the order's shipment in `state`, with the order's newest address. One for each order.
async fn keep(db: &mut Connection, call: &Call<'_>, state: &str) -> Result<Parcel, ProviderError> {
    let parcel = parcel(&call.order.order_id);
    sqlx::query(
        "INSERT INTO shipments (shipment_id, order_id, carrier, tracking_number, state, address, time)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, address = excluded.address",
    )
    .bind(&parcel.shipment_id)
    .bind(&call.order.order_id)
    .bind(&parcel.carrier)
    .bind(&parcel.tracking_number)
    .bind(state)
    .bind(address(call)?)
    .bind(micros(call.now))
    .execute(db)
    .await?;
    Ok(parcel)
}

/// The same parcel for the same order, every time.
fn parcel(order_id: &str) -> Parcel {
    let number: String = fingerprint([order_id]).chars().take(16).collect();
    Parcel {
        shipment_id: format!("shp-{order_id}"),
        carrier: CARRIER.to_owned(),
        tracking_number: format!("TRK{}", number.to_uppercase()),
    }
}

fn address(call: &Call<'_>) -> Result<String, ProviderError> {
    serde_json::to_string(&call.order.shipping_address)
        .map_err(|error| ProviderError::Failed(error.to_string()))
}
