//! The embedded payment provider: a ledger of movements, one row for each key, in the store.

use super::{Call, PaymentProvider, ProviderError, Receipt, test_token, token};
use crate::{
    domain::movement::{Movement, MovementKind},
    store::{Connection, micros},
};
use async_trait::async_trait;
use sqlx::Row;
use std::time::Duration;

pub(super) struct EmbeddedPayment;

/// How long a movement with the slow test token takes.
const SLOW: Duration = Duration::from_secs(1);

#[async_trait]
impl PaymentProvider for EmbeddedPayment {
    async fn perform(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
        movement: &Movement,
    ) -> Result<Receipt, ProviderError> {
        let token = token(call.order);
        let takes = !matches!(movement.kind, MovementKind::Refund | MovementKind::Void);
        if takes && token == test_token::DECLINED {
            return Err(ProviderError::Refused("the card was declined".to_owned()));
        }
        if token == test_token::SLOW && !call.waited {
            let left = SLOW.saturating_sub(since_first_asked(call));
            if !left.is_zero() {
                return Err(ProviderError::Wait(left));
            }
        }
        let receipt = Receipt {
            transaction_id: format!("txn-{}", movement.key.replace('/', "-")),
            amount: movement.amount,
        };
        if !write(db, call, movement, &receipt).await? {
            // Made before: as it was made then.
            let made = self.resolve(db, call, movement).await?;
            return made.ok_or_else(|| ProviderError::Failed("a movement vanished".to_owned()));
        }
        if token == test_token::LOST_ANSWER {
            let lost = format!("no answer to {} {}", movement.kind, movement.key);
            return Err(ProviderError::NoAnswer(lost));
        }
        Ok(receipt)
    }

    /// What is not in the ledger did not happen, and cannot come later: the order is locked.
    async fn resolve(
        &self,
        db: &mut Connection,
        _call: &Call<'_>,
        movement: &Movement,
    ) -> Result<Option<Receipt>, ProviderError> {
        Ok(receipt(db, &movement.key).await?)
    }
}

/// An attempt that was too short for a slow movement has not ended it.
fn since_first_asked(call: &Call<'_>) -> Duration {
    let fault = call.order.fault.as_ref();
    let failed = fault.filter(|fault| fault.step == call.step);
    let time = failed.map(|fault| call.now.duration_since(fault.since));
    time.and_then(|time| Duration::try_from(time).ok())
        .unwrap_or_default()
}

/// False when the key's movement is in the ledger already.
async fn write(
    db: &mut Connection,
    call: &Call<'_>,
    movement: &Movement,
    receipt: &Receipt,
) -> Result<bool, ProviderError> {
    let written = sqlx::query(
        "INSERT INTO payment_entries (key, payment_id, kind, amount, transaction_id, time)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING",
    )
    .bind(&movement.key)
    .bind(&movement.payment_id)
    .bind(movement.kind.as_str())
    .bind(movement.amount)
    .bind(&receipt.transaction_id)
    .bind(micros(call.now))
    .execute(db)
    .await?;
    Ok(written.rows_affected() == 1)
}

async fn receipt(db: &mut Connection, key: &str) -> Result<Option<Receipt>, sqlx::Error> {
    let row = sqlx::query("SELECT transaction_id, amount FROM payment_entries WHERE key = $1")
        .bind(key)
        .fetch_optional(db)
        .await?;
    row.map(|row| {
        Ok(Receipt {
            transaction_id: row.try_get(0)?,
            amount: row.try_get(1)?,
        })
    })
    .transpose()
}
