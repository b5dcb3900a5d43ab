//! The embedded carrier's shipments: one for each order.

use super::Ledger;
use crate::{StoreError, micros};
use jiff::Timestamp;
use orders_domain::address::Address;

/// A shipment as the embedded carrier keeps it.
#[derive(Clone, Copy, Debug)]
pub struct ShipmentRow<'a> {
    /// The carrier's name for it.
    pub shipment_id: &'a str,
    /// The carrier's own name.
    pub carrier: &'a str,
    /// How to follow the parcel.
    pub tracking_number: &'a str,
    /// `REQUESTED` or `DISPATCHED`.
    pub state: &'a str,
}

impl Ledger<'_> {
    /// Inserts the order's shipment, or updates its state and address.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn keep_shipment(
        &mut self,
        order_id: &str,
        shipment: ShipmentRow<'_>,
        address: &Address,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO shipments (shipment_id, order_id, carrier, tracking_number, state, address, time)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, address = excluded.address",
        )
        .bind(shipment.shipment_id)
        .bind(order_id)
        .bind(shipment.carrier)
        .bind(shipment.tracking_number)
        .bind(shipment.state)
        .bind(serde_json::to_string(address)?)
        .bind(micros(now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Changes the address of the order's shipment.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn redirect_shipment(
        &mut self,
        order_id: &str,
        address: &Address,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE shipments SET address = $1 WHERE order_id = $2")
            .bind(serde_json::to_string(address)?)
            .bind(order_id)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Cancels the order's shipment. Returns `false` if there is none, or it was dispatched.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn cancel_shipment(&mut self, order_id: &str) -> Result<bool, StoreError> {
        let cancelled = sqlx::query(
            "UPDATE shipments SET state = 'CANCELLED' WHERE order_id = $1 AND state <> 'DISPATCHED'",
        )
        .bind(order_id)
        .execute(&mut *self.connection)
        .await?;
        Ok(cancelled.rows_affected() > 0)
    }
}
