//! The embedded payment provider: a journal of movements, one row for each key, in the store.

use super::{Call, PaymentProvider, ProviderError, Receipt, test_token, token};
use crate::store::{Connection, micros};
use async_trait::async_trait;
use sqlx::Row;
use std::time::Duration;

pub(super) struct EmbeddedPayment;

/// How long a movement with the slow test token takes.
const SLOW: Duration = Duration::from_secs(1);

/// What is to move, and how the payment's sums change with it. `$1` is the amount.
struct Movement {
    kind: &'static str,
    amount: i64,
    sums: &'static str,
}

#[async_trait]
impl PaymentProvider for EmbeddedPayment {
    async fn authorize(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Receipt, ProviderError> {
        refuse_declined(call)?;
        let movement = Movement {
            kind: "AUTHORIZE",
            amount: call.order.total.minor,
            sums: "UPDATE payments SET authorized = authorized + $1 WHERE payment_id = $2",
        };
        perform(db, call, movement).await
    }

    async fn capture(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Receipt, ProviderError> {
        refuse_declined(call)?;
        let movement = Movement {
            kind: "CAPTURE",
            amount: call.order.total.minor,
            sums: "UPDATE payments SET captured = captured + $1 WHERE payment_id = $2",
        };
        perform(db, call, movement).await
    }

    async fn charge(&self, db: &mut Connection, call: &Call<'_>) -> Result<Receipt, ProviderError> {
        refuse_declined(call)?;
        let movement = Movement {
            kind: "CHARGE",
            amount: call.order.total.minor,
            sums: "UPDATE payments SET authorized = authorized + $1, captured = captured + $1
                   WHERE payment_id = $2",
        };
        perform(db, call, movement).await
    }

    async fn confirm(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
        transaction_id: &str,
    ) -> Result<(), ProviderError> {
        let movement = Movement {
            kind: "CONFIRM",
            amount: call.order.total.minor,
            sums: "UPDATE payments SET authorized = authorized + $1, captured = captured + $1
                   WHERE payment_id = $2",
        };
        book(db, call, &movement, transaction_id).await?;
        Ok(())
    }

    async fn refund(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Option<Receipt>, ProviderError> {
        let owed = sum(
            db,
            call,
            "SELECT captured - refunded FROM payments WHERE payment_id = $1",
        );
        let movement = Movement {
            kind: "REFUND",
            amount: owed.await?,
            sums: "UPDATE payments SET refunded = refunded + $1 WHERE payment_id = $2",
        };
        undo(db, call, movement).await
    }

    async fn void(
        &self,
        db: &mut Connection,
        call: &Call<'_>,
    ) -> Result<Option<Receipt>, ProviderError> {
        let held = sum(
            db,
            call,
            "SELECT CASE WHEN captured > 0 OR voided = 1 THEN 0 ELSE authorized END
             FROM payments WHERE payment_id = $1",
        );
        let movement = Movement {
            kind: "VOID",
            amount: held.await?,
            sums: "UPDATE payments SET voided = CASE WHEN $1 > 0 THEN 1 ELSE voided END
                   WHERE payment_id = $2",
        };
        undo(db, call, movement).await
    }
}

fn refuse_declined(call: &Call<'_>) -> Result<(), ProviderError> {
    match token(call.order) {
        test_token::DECLINED => Err(ProviderError::Refused("the card was declined".to_owned())),
        _ => Ok(()),
    }
}

/// Makes a movement, or gives the receipt of the one that the key made before.
async fn perform(
    db: &mut Connection,
    call: &Call<'_>,
    movement: Movement,
) -> Result<Receipt, ProviderError> {
    let token = token(call.order);
    if token == test_token::SLOW && !call.waited {
        let left = SLOW.saturating_sub(since_first_asked(call));
        if !left.is_zero() {
            return Err(ProviderError::Wait(left));
        }
    }
    if let Some(receipt) = entry(db, &call.key()).await? {
        return Ok(receipt);
    }
    let transaction_id = format!("txn-{}", call.key().replace('/', "-"));
    let receipt = book(db, call, &movement, &transaction_id).await?;
    if token == test_token::LOST_ANSWER {
        let lost = format!("no answer to {} {}", movement.kind, call.key());
        return Err(ProviderError::NoAnswer(lost));
    }
    Ok(receipt)
}

/// An attempt that was too short for a slow movement has not ended it.
fn since_first_asked(call: &Call<'_>) -> Duration {
    let fault = call.order.fault.as_ref();
    let failed = fault.filter(|fault| fault.step == call.step);
    let time = failed.map(|fault| call.now.duration_since(fault.since));
    time.and_then(|time| Duration::try_from(time).ok())
        .unwrap_or_default()
}

/// Makes a movement that undoes another; none when there is nothing to undo and never was.
async fn undo(
    db: &mut Connection,
    call: &Call<'_>,
    movement: Movement,
) -> Result<Option<Receipt>, ProviderError> {
    if movement.amount == 0 && entry(db, &call.key()).await?.is_none() {
        return Ok(None);
    }
    perform(db, call, movement).await.map(Some)
}

async fn book(
    db: &mut Connection,
    call: &Call<'_>,
    movement: &Movement,
    transaction_id: &str,
) -> Result<Receipt, ProviderError> {
    let payment_id = &call.order.payment.payment_id;
    sqlx::query(
        "INSERT INTO payment_entries (key, payment_id, kind, amount, transaction_id, time)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(call.key())
    .bind(payment_id)
    .bind(movement.kind)
    .bind(movement.amount)
    .bind(transaction_id)
    .bind(micros(call.now))
    .execute(&mut *db)
    .await?;
    sqlx::query(movement.sums)
        .bind(movement.amount)
        .bind(payment_id)
        .execute(db)
        .await?;
    Ok(Receipt {
        transaction_id: transaction_id.to_owned(),
        amount: movement.amount,
    })
}

async fn entry(db: &mut Connection, key: &str) -> Result<Option<Receipt>, sqlx::Error> {
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

async fn sum(
    db: &mut Connection,
    call: &Call<'_>,
    query: &'static str,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(query)
        .bind(&call.order.payment.payment_id)
        .fetch_one(db)
        .await
}
