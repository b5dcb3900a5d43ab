//! The embedded payment provider's movements: one row for each key.

use super::Ledger;
use crate::{StoreError, micros};
use jiff::Timestamp;
use orders_domain::movement::Movement;
use sqlx::Row;

/// A movement that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The provider's name for it.
    pub transaction_id: String,
    /// Minor units moved.
    pub amount: i64,
}

impl Ledger<'_> {
    /// Returns the movement with this key, if it was made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn movement(&mut self, key: &str) -> Result<Option<LedgerEntry>, StoreError> {
        let row = sqlx::query("SELECT transaction_id, amount FROM payment_entries WHERE key = $1")
            .bind(key)
            .fetch_optional(&mut *self.connection)
            .await?;
        let entry = row.map(|row| {
            Ok(LedgerEntry {
                transaction_id: row.try_get("transaction_id")?,
                amount: row.try_get("amount")?,
            })
        });
        entry.transpose()
    }

    /// Adds a movement. Returns `false` and changes nothing if its key was used before.
    ///
    /// `plays` is what the provider simulates for this payment; later movements of the payment come
    /// without its token and read it back with [`plays`](Self::plays).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn add_movement(
        &mut self,
        movement: &Movement,
        transaction_id: &str,
        plays: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let added = sqlx::query(
            "INSERT INTO payment_entries (key, payment_id, kind, amount, transaction_id, time, plays)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING",
        )
        .bind(&movement.key)
        .bind(&movement.payment_id)
        .bind(movement.kind.as_str())
        .bind(movement.amount)
        .bind(transaction_id)
        .bind(micros(now))
        .bind(plays)
        .execute(&mut *self.connection)
        .await?;
        Ok(added.rows_affected() == 1)
    }

    /// Returns what is simulated for a payment, as its first movement recorded it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn plays(&mut self, payment_id: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT plays FROM payment_entries WHERE payment_id = $1 LIMIT 1")
            .bind(payment_id)
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(row.map(|row| row.try_get("plays")).transpose()?)
    }

    /// Returns whether the payment is paid with this token. The token itself never leaves its table.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn is_token(&mut self, payment_id: &str, token: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM payment_tokens WHERE payment_id = $1 AND token = $2")
            .bind(payment_id)
            .bind(token)
            .fetch_optional(&mut *self.connection)
            .await?;
        Ok(row.is_some())
    }
}
