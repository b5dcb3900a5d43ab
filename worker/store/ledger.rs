//! The ledger of the embedded providers: payments, stock and shipments that live in the business
//! database.
//!
//! An embedded provider works inside the transaction of the step that asks it, so that its rows, the
//! order's row and the event are committed together. It gets this handle rather than a connection: it
//! can change its own tables, and nothing else.

mod inventory;
mod payment;
mod shipment;

use super::Connection;
pub use inventory::Shortage;
pub use payment::LedgerEntry;
pub use shipment::ShipmentRow;

/// The tables of the embedded providers, inside one transaction.
pub struct Ledger<'a> {
    connection: &'a mut Connection,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(connection: &'a mut Connection) -> Self {
        Self { connection }
    }
}
